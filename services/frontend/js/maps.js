// Maps: numbers as images. Positive numbers are yellow, negative ones blue, zero is black.

/** @import { Spot, Tensor } from "./results.js" */

const ABOVE = [255, 212, 0];
const BELOW = [74, 158, 255];
const GAP = [35, 34, 30];
const UNIT = 3; // pixels a side for a number of a vector

/** Return the largest absolute value, or 1 if all are zero, as a scale. @param {Iterable<number>} values */
export function largest(values) {
  let found = 0;
  for (const value of values) found = Math.max(found, Math.abs(value));
  return found || 1;
}

/**
 * @param {ArrayLike<number>} values
 * @param {number} scale the value of full color
 * @returns {Uint8ClampedArray<ArrayBuffer>} four bytes a value, as ImageData takes them
 */
export function signedRgba(values, scale) {
  const rgba = new Uint8ClampedArray(values.length * 4);
  for (let i = 0; i < values.length; i += 1) paint(rgba, i, values[i] / scale);
  return rgba;
}

/**
 * Return an image of feature maps, with a line of one pixel between them. A vector fills row after row.
 * @param {Tensor} tensor
 * @param {number} columns
 * @param {Spot["place"] | null} [marked] a number to paint white
 */
export function mosaic({ shape, values }, columns, marked = null) {
  const { count, rows, width, across } = layout(shape, columns);
  const down = Math.ceil(count / across);
  const [fullWidth, fullHeight] = [across * (width + 1) - 1, down * (rows + 1) - 1];
  const rgba = new Uint8ClampedArray(fullWidth * fullHeight * 4);
  for (let i = 0; i < fullWidth * fullHeight; i += 1) rgba.set([...GAP, 255], i * 4);
  const scale = largest(values);
  const isMarked = (/** @type {number} */ map, /** @type {number} */ y, /** @type {number} */ x) =>
    marked !== null && marked[0] === map && (marked.length === 1 || (marked[1] === y && marked[2] === x));
  for (let i = 0; i < count * rows * width; i += 1) {
    const [map, place] = [Math.floor(i / (rows * width)), i % (rows * width)];
    const [row, column] = [Math.floor(place / width), place % width];
    const pixel = (Math.floor(map / across) * (rows + 1) + row) * fullWidth + (map % across) * (width + 1) + column;
    if (isMarked(map, row, column)) rgba.set([255, 255, 255, 255], pixel * 4);
    else paint(rgba, pixel, values[shape.length === 3 ? i : map] / scale);
  }
  return { width: fullWidth, height: fullHeight, rgba };
}

/**
 * Return the place at a pixel of the mosaic, or null between the maps.
 * @param {number[]} shape
 * @param {number} columns
 * @param {number} x
 * @param {number} y
 */
export function placeAt(shape, columns, x, y) {
  const { count, rows, width, across } = layout(shape, columns);
  const [left, top] = [Math.floor(x / (width + 1)), Math.floor(y / (rows + 1))];
  const [column, row] = [x - left * (width + 1), y - top * (rows + 1)];
  const map = top * across + left;
  if (x < 0 || y < 0 || left >= across || map >= count || column >= width || row >= rows) return null;
  return shape.length === 3 ? [map, row, column] : [map];
}

/**
 * Return the place of the next number, also across maps. At the mosaic's end, return the same place.
 * @param {number[]} shape
 * @param {number} columns
 * @param {Spot["place"]} place
 * @param {readonly [number, number]} direction each -1, 0 or 1
 */
export function placeBeside(shape, columns, place, [right, down]) {
  const { rows, width, across } = layout(shape, columns);
  const [map, row, column] = place.length === 3 ? place : [place[0], 0, 0];
  const [x, y] = [(map % across) * (width + 1) + column, Math.floor(map / across) * (rows + 1) + row];
  const step = shape.length === 3 ? 1 : UNIT + 1;
  // Two pixels further across the line between two maps.
  return placeAt(shape, columns, x + right * step, y + down * step) ?? placeAt(shape, columns, x + right * 2, y + down * 2) ?? place;
}

/** @param {number[]} shape @param {number} columns */
function layout(shape, columns) {
  const [count, rows, width] = shape.length === 3 ? shape : [shape[0], UNIT, UNIT];
  return { count, rows, width, across: Math.min(columns, count) };
}

/** @param {Uint8ClampedArray} rgba @param {number} pixel @param {number} strength from -1 to 1 */
function paint(rgba, pixel, strength) {
  const color = strength < 0 ? BELOW : ABOVE;
  // The square root makes small activations visible.
  const part = Math.sqrt(Math.min(1, Math.abs(strength)));
  for (let channel = 0; channel < 3; channel += 1) rgba[pixel * 4 + channel] = Math.round(color[channel] * part);
  rgba[pixel * 4 + 3] = 255;
}
