// Training well: noisy points of a curve, polynomials fitted to them, and their errors on other points.

import { normal, randomOf } from "./random.js";

/** @typedef {{x: number, y: number}} Point */

export const NOISE = 0.25; // the standard deviation of the noise
export const HIGHEST = 14; // degree: its fifteen weights need at least fifteen points
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Return the true curve. @param {number} x from -1 to 1 */
export function curve(x) {
  return 0.8 * Math.sin(Math.PI * x) + 0.4 * Math.cos(2.5 * Math.PI * x);
}

/**
 * Return noisy points of the curve, spread evenly by the golden ratio. A larger count adds points and keeps the others.
 * @param {number} seed
 * @param {number} count
 * @returns {Point[]}
 */
export function draw(seed, count) {
  const random = randomOf(seed);
  const start = random();
  return Array.from({ length: count }, (_, i) => {
    const x = 2 * ((start + i * GOLDEN) % 1) - 1;
    return { x, y: curve(x) + NOISE * normal(random) };
  });
}

/**
 * Return the weights of 1, x, x², … that minimize (mean squared error) + decay * (sum of squared weights).
 * @param {readonly Point[]} points at least degree + 1
 * @param {number} degree
 * @param {number} decay
 */
export function fit(points, degree, decay) {
  const powers = Array.from({ length: degree + 1 }, (_, k) => k);
  const share = 1 / Math.sqrt(points.length);
  const rows = points.map(({ x }) => powers.map((k) => share * x ** k));
  // A least-squares problem with an extra row for each weight: sqrt(decay) * weight should be 0.
  const pulls = powers.map((k) => powers.map((j) => (j === k ? Math.sqrt(decay) : 0)));
  return leastSquares([...rows, ...pulls], [...points.map(({ y }) => share * y), ...powers.map(() => 0)]);
}

/**
 * Return the w with the least |rows w - targets|, by Householder's reflections (1958).
 * @param {number[][]} rows at least as many as columns
 * @param {number[]} targets
 * @returns {number[]}
 */
export function leastSquares(rows, targets) {
  const columns = rows[0].length;
  const a = rows.map((row, i) => [...row, targets[i]]); // each reflection also applies to the targets
  for (let k = 0; k < columns; k += 1) {
    const length = Math.hypot(...a.slice(k).map((row) => row[k]));
    if (length === 0) continue;
    const mirror = a.map((row, i) => (i < k ? 0 : row[k]));
    mirror[k] += mirror[k] < 0 ? -length : length;
    const squared = mirror.reduce((sum, value) => sum + value * value, 0);
    for (let j = k; j <= columns; j += 1) {
      const along = mirror.reduce((sum, value, i) => sum + value * a[i][j], 0);
      for (let i = k; i < a.length; i += 1) a[i][j] -= (2 * along * mirror[i]) / squared;
    }
  }
  const solution = new Array(columns).fill(0);
  for (let k = columns - 1; k >= 0; k -= 1) {
    let rest = a[k][columns];
    for (let j = k + 1; j < columns; j += 1) rest -= a[k][j] * solution[j];
    solution[k] = rest / a[k][k];
  }
  return solution;
}

/** Return the polynomial's value (Horner's rule). @param {readonly number[]} weights of 1, x, x², … @param {number} x */
export function valueAt(weights, x) {
  return weights.reduceRight((value, weight) => value * x + weight, 0);
}

/** Return the root of the mean squared error. @param {readonly number[]} weights @param {readonly Point[]} points */
export function errorOn(weights, points) {
  const squares = points.map(({ x, y }) => (valueAt(weights, x) - y) ** 2);
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / points.length);
}

/** Fit a polynomial of each degree from 0 to HIGHEST. @param {readonly Point[]} points @param {number} decay */
export function fits(points, decay) {
  return Array.from({ length: HIGHEST + 1 }, (_, degree) => fit(points, degree, decay));
}
