// Pixels: the network's input as the bytes of a picture.

/**
 * Grey levels as opaque RGBA bytes, row by row: 0 is black paper, 1 is white ink, as the network's training
 * pictures (MNIST) are shown.
 * @param {number[][]} rows values from 0 to 1
 * @returns {Uint8ClampedArray<ArrayBuffer>} four bytes a pixel, as ImageData takes them
 */
export function toRgba(rows) {
  const values = rows.flat();
  const rgba = new Uint8ClampedArray(values.length * 4);
  values.forEach((value, i) => {
    const grey = Math.round(value * 255);
    rgba.set([grey, grey, grey, 255], i * 4);
  });
  return rgba;
}
