// Pixels: the network's input as the bytes of an image.

/** Return gray levels as opaque RGBA bytes for ImageData, row by row. @param {number[][]} rows from 0 (black) to 1 (white) */
export function toRgba(rows) {
  const values = rows.flat();
  const rgba = new Uint8ClampedArray(values.length * 4);
  values.forEach((value, i) => {
    const gray = Math.round(value * 255);
    rgba.set([gray, gray, gray, 255], i * 4);
  });
  return rgba;
}
