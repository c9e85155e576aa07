// The image as the page's input: a file, or the part of it in the crop box.

import { CANVAS_SIZE } from "./coordinates.js";
import { fitInto, isWhole, roundBox, wholeBox } from "./crop-box.js";

/** @import { Box, Size } from "./crop-box.js" */
/** @import { Input } from "./page.js" */

// Limits of the API.
export const MAX_BYTES = 16 * 1024 * 1024;
const MAX_SIDE = 4096; // pixels
const MAX_PIXELS = 4096 * 3072;

/** Media types that the API decodes. The page sends all other images as PNG. */
const SENT_TYPES = new Set(["image/png", "image/jpeg", "image/webp"]);

let opened = 0;

/** @implements {Input} */
export class ImageInput {
  #file;
  #bitmap;
  #encode;
  #number = (opened += 1);

  /** The part to send, in whole pixels. @type {Box} */
  #box;

  /** Return the bytes of that part. @type {() => Promise<Blob>} */
  #bytes;

  /**
   * @param {Blob} file
   * @param {ImageBitmap} bitmap the file's pixels, upright
   * @param {(bitmap: ImageBitmap, box: Box) => Promise<Blob>} encode returns a PNG within the limits
   */
  constructor(file, bitmap, encode) {
    this.#file = file;
    this.#bitmap = bitmap;
    this.#encode = encode;
    this.#box = wholeBox(bitmap);
    this.#bytes = this.#bytesOf(this.#box);
  }

  get isEmpty() {
    return false;
  }

  /** @returns {Size} */
  get size() {
    return { width: this.#bitmap.width, height: this.#bitmap.height };
  }

  get version() {
    const { left, top, width, height } = this.#box;
    return `image ${this.#number}: ${width} × ${height} at ${left}, ${top}`;
  }

  request() {
    return { image: this.#bytes };
  }

  /** @param {CanvasRenderingContext2D} context */
  paint(context) {
    const { left, top, scale } = fitInto(this.size, CANVAS_SIZE);
    context.imageSmoothingQuality = "high";
    context.drawImage(this.#bitmap, left, top, this.size.width * scale, this.size.height * scale);
  }

  /** Send only this part from now on. @param {Box} box */
  crop(box) {
    this.#box = roundBox(box, this.size);
    this.#bytes = this.#bytesOf(this.#box);
  }

  /** Free the memory of the pixels. */
  close() {
    this.#bitmap.close();
  }

  /** Encode once, and not before a request is sent: a box may change faster than the service answers. @param {Box} box */
  #bytesOf(box) {
    if (isWhole(box, this.size) && canSend(this.#file, this.size)) return () => Promise.resolve(this.#file);
    /** @type {Promise<Blob> | null} */
    let encoded = null;
    return () => (encoded ??= this.#encode(this.#bitmap, box));
  }
}

/** @param {Blob} file @param {Size} size */
function canSend({ type, size: bytes }, size) {
  return SENT_TYPES.has(type) && bytes <= MAX_BYTES && scaleWithin(size) === 1;
}

/** Return the largest scale, at most 1, that makes an image fit the API's limits. @param {Size} size */
export function scaleWithin({ width, height }) {
  return Math.min(1, MAX_SIDE / Math.max(width, height), Math.sqrt(MAX_PIXELS / (width * height)));
}
