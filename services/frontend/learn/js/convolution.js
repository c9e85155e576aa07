// Convolution with one small filter, as digitnet's Conv2D computes it, and max pooling.
//
// Images and maps are square, row by row from the top. A filter has three rows of three weights, no bias and no padding.

import { weightedSum } from "./neuron.js";

/** @import { Cell } from "./figures.js" */

export const KERNEL = 3;

/** Ready-made filters, by the pattern they detect. @type {readonly {name: string, weights: readonly number[]}[]} */
export const FILTERS = [
  { name: "vertical edge", weights: [-1, 0, 1, -1, 0, 1, -1, 0, 1] },
  { name: "horizontal edge", weights: [-1, -1, -1, 0, 0, 0, 1, 1, 1] },
  { name: "slanted line", weights: [-1, -1, 2, -1, 2, -1, 2, -1, -1] },
  { name: "blur", weights: [0, 0.125, 0, 0.125, 0.5, 0.125, 0, 0.125, 0] },
];

export const SIDE = 14; // of a drawing

/** Ready-made drawings, by the digit. @type {Readonly<Record<string, readonly number[]>>} */
export const DRAWINGS = {
  0: drawing(`
    ..............
    .....####.....
    ....######....
    ...###..###...
    ...##....##...
    ...##....##...
    ...##....##...
    ...##....##...
    ...##....##...
    ...##....##...
    ...###..###...
    ....######....
    .....####.....
    ..............`),
  1: drawing(`
    ..............
    .......##.....
    ......###.....
    .....####.....
    ....##.##.....
    .......##.....
    .......##.....
    .......##.....
    .......##.....
    .......##.....
    .......##.....
    .......##.....
    .......##.....
    ..............`),
  4: drawing(`
    ..............
    .......##.....
    ......##......
    .....##.......
    .....##.......
    ....##..##....
    ...##...##....
    ...##...##....
    ..##########..
    ..##########..
    ........##....
    ........##....
    ........##....
    ..............`),
  7: drawing(`
    ..............
    ..............
    ..##########..
    ..##########..
    .........##...
    ........##....
    ........##....
    .......##.....
    .......##.....
    ......##......
    ......##......
    .....##.......
    .....##.......
    ..............`),
};

/** @param {string} rows */
function drawing(rows) {
  return [...rows.replace(/\s/g, "")].map((mark) => (mark === "#" ? 1 : 0));
}

/**
 * Return the pixels of the window at one place.
 * @param {ArrayLike<number>} image
 * @param {number} side
 * @param {number} row of the window's upper left corner
 * @param {number} column
 */
export function windowAt(image, side, row, column) {
  return Array.from({ length: KERNEL * KERNEL }, (_, i) => image[(row + Math.floor(i / KERNEL)) * side + column + (i % KERNEL)]);
}

/**
 * Return the filter's output at every place where it fits.
 * @param {ArrayLike<number>} image
 * @param {number} side
 * @param {readonly number[]} weights
 * @returns {number[]} (side - 2) squared
 */
export function convolve(image, side, weights) {
  const places = side - KERNEL + 1;
  return Array.from({ length: places * places }, (_, i) =>
    weightedSum(weights, 0, windowAt(image, side, Math.floor(i / places), i % places)),
  );
}

/** Return the largest value of each 2 x 2 square. @param {ArrayLike<number>} map @param {number} side even @returns {number[]} */
export function maxPool(map, side) {
  const half = side / 2;
  return Array.from({ length: half * half }, (_, i) => {
    const corner = 2 * Math.floor(i / half) * side + 2 * (i % half);
    return Math.max(map[corner], map[corner + 1], map[corner + side], map[corner + side + 1]);
  });
}

/** Return a filter's largest possible distance from zero with pixels from 0 to 1. @param {readonly number[]} weights */
export function furthest(weights) {
  const above = weights.reduce((sum, weight) => sum + Math.max(0, weight), 0);
  const below = weights.reduce((sum, weight) => sum + Math.max(0, -weight), 0);
  return Math.max(above, below) || 1;
}

/**
 * Move an image to the right, or to the left if `by` is negative. New columns are empty.
 * @param {readonly number[]} image
 * @param {number} by
 */
export function moved(image, by) {
  return image.map((_, i) => {
    const from = (i % SIDE) - by;
    return from >= 0 && from < SIDE ? image[i - by] : 0;
  });
}

/**
 * Return the cells from one to another, without the first, so a fast stroke has no gaps.
 * @param {Cell} from
 * @param {Cell} to
 */
export function cellsBetween(from, to) {
  const steps = Math.max(Math.abs(to.row - from.row), Math.abs(to.column - from.column));
  const part = (/** @type {number} */ a, /** @type {number} */ b, /** @type {number} */ i) => Math.round(a + ((b - a) * i) / steps);
  return Array.from({ length: steps }, (_, i) => ({
    row: part(from.row, to.row, i + 1),
    column: part(from.column, to.column, i + 1),
  }));
}

/** Write a number as short as possible: 2, −1, 0.125. @param {number} value */
export function shortly(value) {
  return String(Math.round(value * 1000) / 1000 + 0).replace("-", "−");
}
