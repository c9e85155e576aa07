// Training well: noisy points of a curve, polynomials fitted to them, and how far off they are on points that they have not seen.

/** @typedef {{x: number, y: number}} Point */

export const NOISE = 0.25; // the standard deviation of what is added to the curve
export const HIGHEST = 14; // degree: fifteen weights, for which fifteen points are just enough
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** What is to be found out. @param {number} x from -1 to 1 */
export function curve(x) {
  return 0.8 * Math.sin(Math.PI * x) + 0.4 * Math.cos(2.5 * Math.PI * x);
}

/**
 * A generator of numbers from 0 to below 1: the same seed gives the same ones (mulberry32, T. Ettinger, 2017).
 * @param {number} seed
 * @returns {() => number}
 */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** From a bell curve of width 1 (Box and Muller, 1958). @param {() => number} random */
export function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/**
 * Points of the curve with noise, spread evenly (by the golden ratio). More of the same seed are the same ones and some besides.
 * @param {number} seed
 * @param {number} count
 * @returns {Point[]}
 */
export function draw(seed, count) {
  const random = generator(seed);
  const start = random();
  return Array.from({ length: count }, (_, i) => {
    const x = 2 * ((start + i * GOLDEN) % 1) - 1;
    return { x, y: curve(x) + NOISE * normal(random) };
  });
}

/**
 * The weights of 1, x, x², … that make (mean of squared errors) + decay * (sum of squared weights) least.
 *
 * That is a least-squares problem with one row more for each weight: sqrt(decay) * weight should be 0.
 * @param {readonly Point[]} points at least degree + 1
 * @param {number} degree
 * @param {number} decay
 * @returns {number[]}
 */
export function fit(points, degree, decay) {
  const powers = Array.from({ length: degree + 1 }, (_, k) => k);
  const share = 1 / Math.sqrt(points.length);
  const rows = points.map(({ x }) => powers.map((k) => share * x ** k));
  const pulls = powers.map((k) => powers.map((j) => (j === k ? Math.sqrt(decay) : 0)));
  return leastSquares([...rows, ...pulls], [...points.map(({ y }) => share * y), ...powers.map(() => 0)]);
}

/**
 * The w with the least |rows w - targets|, by Householder's reflections (1958): one a column, until the rest is a triangle.
 * @param {readonly (readonly number[])[]} rows at least as many as columns
 * @param {readonly number[]} targets
 * @returns {number[]}
 */
export function leastSquares(rows, targets) {
  const columns = rows[0].length;
  const a = rows.map((row, i) => [...row, targets[i]]); // what happens to the rows happens to the targets
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

/** The polynomial's value (Horner's rule). @param {readonly number[]} weights of 1, x, x², … @param {number} x */
export function valueAt(weights, x) {
  return weights.reduceRight((value, weight) => value * x + weight, 0);
}

/** How far off it is: the root of the mean squared error. @param {readonly number[]} weights @param {readonly Point[]} points */
export function errorOn(weights, points) {
  const squares = points.map(({ x, y }) => (valueAt(weights, x) - y) ** 2);
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / points.length);
}

/** The fit of each degree from 0 to HIGHEST. @param {readonly Point[]} points @param {number} decay */
export function fits(points, decay) {
  return Array.from({ length: HIGHEST + 1 }, (_, degree) => fit(points, degree, decay));
}
