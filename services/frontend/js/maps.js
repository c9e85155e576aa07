// Maps: numbers as pictures. What is above zero is yellow, what is below it blue, and black is nothing at all.

/** @typedef {import("./explanation.js").Tensor} Tensor */

const ABOVE = [255, 212, 0];
const BELOW = [74, 158, 255];
const GAP = [35, 34, 30];
const UNIT = 3; // pixels a side of a number that is no map

/** @param {Iterable<number>} values the largest distance from zero, or 1 where all are zero: black stays black */
export function largest(values) {
  let found = 0;
  for (const value of values) found = Math.max(found, Math.abs(value));
  return found || 1;
}

/**
 * @param {ArrayLike<number>} values
 * @param {number} scale what is shown in full colour
 * @returns {Uint8ClampedArray<ArrayBuffer>} four bytes a value, as ImageData takes them
 */
export function signedRgba(values, scale) {
  const rgba = new Uint8ClampedArray(values.length * 4);
  for (let i = 0; i < values.length; i += 1) paint(rgba, i, values[i] / scale);
  return rgba;
}

/**
 * Feature maps side by side, in so many columns, with a line of one pixel between them; a vector as one row after the other.
 * @param {Tensor} tensor (channels, height, width) or (features)
 * @param {number} columns
 * @returns {{width: number, height: number, rgba: Uint8ClampedArray<ArrayBuffer>}}
 */
export function mosaic({ shape, values }, columns) {
  const isMaps = shape.length === 3;
  const [count, rows, width] = isMaps ? shape : [shape[0], UNIT, UNIT];
  const across = Math.min(columns, count);
  const down = Math.ceil(count / across);
  const [fullWidth, fullHeight] = [across * (width + 1) - 1, down * (rows + 1) - 1];
  const rgba = new Uint8ClampedArray(fullWidth * fullHeight * 4);
  for (let i = 0; i < fullWidth * fullHeight; i += 1) rgba.set([...GAP, 255], i * 4);
  const scale = largest(values);
  for (let i = 0; i < count * rows * width; i += 1) {
    const [map, place] = [Math.floor(i / (rows * width)), i % (rows * width)];
    const x = (map % across) * (width + 1) + (place % width);
    const y = Math.floor(map / across) * (rows + 1) + Math.floor(place / width);
    paint(rgba, y * fullWidth + x, values[isMaps ? i : map] / scale);
  }
  return { width: fullWidth, height: fullHeight, rgba };
}

/** @param {Uint8ClampedArray} rgba @param {number} pixel @param {number} strength from -1 to 1 */
function paint(rgba, pixel, strength) {
  const colour = strength < 0 ? BELOW : ABOVE;
  // Faint activations are worth seeing, and eyes tell dark shades apart badly.
  const part = Math.sqrt(Math.min(1, Math.abs(strength)));
  for (let channel = 0; channel < 3; channel += 1) rgba[pixel * 4 + channel] = Math.round(colour[channel] * part);
  rgba[pixel * 4 + 3] = 255;
}
