// The MNIST digits of the learning path, and small changes to an image of 28 x 28 pixels.

import { PACKED } from "./mnist-digits.js";

/** @import { Digit } from "./networks.js" */

export const SIDE = 28;
const [DIGITS, LEVELS, TRAINING] = [900, 4, 600];

/** Return the training digits and the held-out digits. @returns {Promise<{training: Digit[], heldOut: Digit[]}>} */
export async function readDigits() {
  const packed = Uint8Array.from(atob(PACKED), (character) => character.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(unpacked).arrayBuffer());
  const level = (/** @type {number} */ i) => (bytes[DIGITS + (i >> 2)] >> (6 - 2 * (i & 3))) & 3;
  const digits = Array.from({ length: DIGITS }, (_, digit) => ({
    label: bytes[digit],
    image: Float64Array.from({ length: SIDE * SIDE }, (_, i) => level(digit * SIDE * SIDE + i) / (LEVELS - 1)),
  }));
  return { training: digits.slice(0, TRAINING), heldOut: digits.slice(TRAINING) };
}

/**
 * Shift an image right and down, and slant it: each row moves by a whole number of pixels.
 * @param {Float64Array} image
 * @param {number} right
 * @param {number} down
 * @param {number} slant pixels that a row moves for each row below the middle
 */
export function shifted(image, right, down, slant) {
  const changed = new Float64Array(SIDE * SIDE);
  for (let row = Math.max(0, down); row < Math.min(SIDE, SIDE + down); row += 1) {
    const by = right + Math.floor(slant * (row - (SIDE - 1) / 2) + 0.5);
    for (let column = Math.max(0, by); column < Math.min(SIDE, SIDE + by); column += 1) {
      changed[row * SIDE + column] = image[(row - down) * SIDE + column - by];
    }
  }
  return changed;
}

/**
 * Place a drawing as MNIST places its digits: 20 pixels high or wide, its center of mass in the middle.
 * @param {ArrayLike<number>} drawing 28 x 28 pixels from 0 to 1
 * @returns {Float64Array} all zero for an empty drawing
 */
export function centered(drawing) {
  const on = Array.from({ length: SIDE * SIDE }, (_, i) => i).filter((i) => drawing[i] > 0.1);
  const image = new Float64Array(SIDE * SIDE);
  if (on.length === 0) return image;
  const [rows, columns] = [on.map((i) => Math.floor(i / SIDE)), on.map((i) => i % SIDE)];
  const [top, left] = [Math.min(...rows), Math.min(...columns)];
  const zoom = Math.max(Math.max(...rows) - top + 1, Math.max(...columns) - left + 1) / 20;
  const ink = on.reduce((sum, i) => sum + drawing[i], 0);
  const middle = [rows, columns].map((places) => on.reduce((sum, i, k) => sum + drawing[i] * places[k], 0) / ink);
  for (let i = 0; i < SIDE * SIDE; i += 1) {
    const [y, x] = [Math.floor(i / SIDE), i % SIDE].map((place, axis) => middle[axis] + (place - (SIDE - 1) / 2) * zoom);
    image[i] = between(drawing, y, x);
  }
  return image;
}

/** Return the brightness between four pixels. @param {ArrayLike<number>} image @param {number} y @param {number} x */
function between(image, y, x) {
  const [row, column] = [Math.floor(y), Math.floor(x)];
  const at = (/** @type {number} */ r, /** @type {number} */ c) => (r < 0 || c < 0 || r >= SIDE || c >= SIDE ? 0 : image[r * SIDE + c]);
  const upper = at(row, column) * (1 - x + column) + at(row, column + 1) * (x - column);
  const lower = at(row + 1, column) * (1 - x + column) + at(row + 1, column + 1) * (x - column);
  return upper * (1 - y + row) + lower * (y - row);
}
