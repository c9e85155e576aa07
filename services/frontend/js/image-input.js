// The image as the page's input: a file, or the part of it in the crop box.

import { cutTo, fitInto, isWhole, roundBox, wholeBox, withMargin } from "./crop-box.js";

/** @import { Box, Size } from "./crop-box.js" */
/** @import { Input } from "./page.js" */

// Limits of the API.
export const MAX_BYTES = 16 * 1024 * 1024;
const MAX_SIDE = 4096; // pixels
const MAX_PIXELS = 4096 * 3072;

/** Media types that the API decodes. The page sends all other images as PNG. */
const SENT_TYPES = new Set(["image/png", "image/jpeg", "image/webp"]);

/** Around a digit of a number, as a share of its longer side. */
const MARGIN = 0.15;

/** @typedef {{scale: number, bytes: () => Promise<Blob>}} Sent */

let opened = 0;

/** @implements {Input} */
export class ImageInput {
  #file;
  #bitmap;
  #encode;
  #number = (opened += 1);

  /** The part to send, in whole pixels. @type {Box} */
  #box;

  /** The scale of that part when it is sent, and a function that returns its bytes. @type {Sent} */
  #sent;

  /**
   * @param {Blob} file
   * @param {ImageBitmap} bitmap the file's pixels, upright
   * @param {(bitmap: ImageBitmap, box: Box) => Promise<{png: Blob, scale: number}>} encode returns a PNG within the limits, and its scale
   */
  constructor(file, bitmap, encode) {
    this.#file = file;
    this.#bitmap = bitmap;
    this.#encode = encode;
    this.#box = wholeBox(bitmap);
    this.#sent = this.#sentOf(this.#box);
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
    return { image: this.#sent.bytes };
  }

  /** @param {CanvasRenderingContext2D} context @param {Size} canvas */
  paint(context, canvas) {
    const { left, top, scale } = fitInto(this.size, canvas);
    context.imageSmoothingQuality = "high";
    context.drawImage(this.#bitmap, left, top, this.size.width * scale, this.size.height * scale);
  }

  /** Send only this part from now on. @param {Box} box */
  crop(box) {
    this.#box = roundBox(box, this.size);
    this.#sent = this.#sentOf(this.#box);
  }

  /** @param {Box} box in pixels of the sent image @param {Size} canvas */
  place(box, canvas) {
    const { left, top, scale } = fitInto(this.size, canvas);
    return scaled(this.#inPixels(box), scale, left, top);
  }

  /** @param {Box} box in pixels of the sent image */
  part(box) {
    const inPixels = this.#inPixels(box);
    const part = new ImageInput(this.#file, this.#bitmap, this.#encode);
    part.crop(cutTo(withMargin(inPixels, MARGIN * Math.max(inPixels.width, inPixels.height)), this.size));
    return part;
  }

  /** Free the memory of the pixels. */
  close() {
    this.#bitmap.close();
  }

  /** Encode once, and not before a request is sent: a box may change faster than the service answers. @param {Box} box */
  #sentOf(box) {
    if (isWhole(box, this.size) && canSend(this.#file, this.size)) return { scale: 1, bytes: () => Promise.resolve(this.#file) };
    /** @type {Promise<Blob> | null} */
    let encoded = null;
    const encode = async () => {
      const { png, scale } = await this.#encode(this.#bitmap, box);
      sent.scale = scale;
      return png;
    };
    /** @type {Sent} */
    const sent = { scale: 1, bytes: () => (encoded ??= encode()) };
    return sent;
  }

  /** Return a box of the sent image in pixels of the whole image. @param {Box} box */
  #inPixels(box) {
    return scaled(box, 1 / this.#sent.scale, this.#box.left, this.#box.top);
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

/** @param {Box} box @param {number} scale @param {number} left of the new origin @param {number} top @returns {Box} */
function scaled(box, scale, left, top) {
  return { left: left + box.left * scale, top: top + box.top * scale, width: box.width * scale, height: box.height * scale };
}
