// Pixels: the network's input as the bytes of an image.

/**
 * Gray levels as opaque RGBA bytes, row by row: 0 is black paper, 1 is white ink, as the network's training
 * images (MNIST) are shown.
 * @param {number[][]} rows values from 0 to 1
 * @returns {Uint8ClampedArray<ArrayBuffer>} four bytes a pixel, as ImageData takes them
 */
export function toRgba(rows) {
  const values = rows.flat();
  const rgba = new Uint8ClampedArray(values.length * 4);
  values.forEach((value, i) => {
    const gray = Math.round(value * 255);
    rgba.set([gray, gray, gray, 255], i * 4);
  });
  return rgba;
}
