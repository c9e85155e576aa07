// Image files: the browser decodes them for the preview, and encodes a part of one.

import { HEIC, NOT_AN_IMAGE, imageTooLarge } from "./error-messages.js";
import { ImageInput, MAX_BYTES, scaleWithin } from "./image-input.js";

/** @import { Box } from "./crop-box.js" */

// Larger images could crash the tab of a phone.
const MAX_OPENED_BYTES = 64e6;
const MAX_OPENED_PIXELS = 100e6;

/** Return the file as an input, or an error message. @param {File} file @returns {Promise<{input: ImageInput} | {error: string}>} */
export async function openImage(file) {
  if (file.size > MAX_OPENED_BYTES) return { error: tooLarge(file.size, MAX_OPENED_BYTES, "MB") };
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return { error: /\.hei[cf]$|^image\/hei[cf]$/i.test(file.type || file.name) ? HEIC : NOT_AN_IMAGE };
  }
  const pixels = bitmap.width * bitmap.height;
  if (pixels <= MAX_OPENED_PIXELS) return { input: new ImageInput(file, bitmap, encode) };
  bitmap.close();
  return { error: tooLarge(pixels, MAX_OPENED_PIXELS, "megapixels") };
}

/** @param {number} size @param {number} limit @param {string} unit a million of them */
function tooLarge(size, limit, unit) {
  return imageTooLarge(`${Math.ceil(size / 1e6)} ${unit}`, `${Math.floor(limit / 1e6)} ${unit}`);
}

/**
 * Return the pixels in a box as a PNG, and its scale: at their own resolution if that fits the API's limits.
 * @param {ImageBitmap} bitmap
 * @param {Box} box in whole pixels
 * @throws {Error} if memory is short
 */
async function encode(bitmap, { left, top, width, height }) {
  const canvas = document.createElement("canvas");
  for (let scale = scaleWithin({ width, height }); ; ) {
    canvas.width = Math.max(1, Math.floor(width * scale));
    canvas.height = Math.max(1, Math.floor(height * scale));
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, left, top, width, height, 0, 0, canvas.width, canvas.height);
    /** @type {Blob | null} */
    const png = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    if (png === null) throw new Error("the browser has no memory for a PNG");
    if (png.size <= MAX_BYTES) return { png, scale };
    scale *= 0.9 * Math.sqrt(MAX_BYTES / png.size); // bytes grow about as pixels do
  }
}
