// Gradient descent on landscapes of two weights, with digitnet's arithmetic: optimizers.py, schedules.py and averaging.py.

/** @import { Landscape, Loss, Point, Run, Schedule, Update } from "./descent.js" */

export const EDGE = 2; // landscapes are shown from -2 to 2, both ways
const FLOWN = 1e6; // a run ends beyond this distance

/** @type {Landscape[]} */
export const LANDSCAPES = [
  {
    name: "a ravine", // curved 1 along it, and 25 across
    loss: ([a, b]) => (a * a + 25 * b * b) / 2,
    gradient: ([a, b]) => [a, 25 * b],
    lowest: [0, 0],
  },
  {
    name: "two valleys", // the left one is lower
    loss: ([a, b]) => (a * a - 1) ** 2 + 0.3 * a + b * b,
    gradient: ([a, b]) => [4 * a * (a * a - 1) + 0.3, 2 * b],
    lowest: [-1.035578714089, 0],
  },
];

/** @type {{name: string, create: () => Update}[]} */
export const OPTIMIZERS = [
  { name: "plain", create: () => sgd(0) },
  { name: "momentum", create: () => sgd(0.9) },
  { name: "Adam", create: () => adam() },
];

/** @type {{name: string, rate: Schedule}[]} */
export const SCHEDULES = [
  { name: "constant", rate: (_step, _steps, peak) => peak },
  { name: "one cycle", rate: oneCycle },
];

/** With momentum 0 this is plain gradient descent. @param {number} momentum @returns {Update} */
export function sgd(momentum) {
  let velocity = [0, 0];
  return (w, gradient, rate) => {
    velocity = velocity.map((v, i) => momentum * v + gradient[i]);
    return w.map((each, i) => each - rate * velocity[i]);
  };
}

/** @returns {Update} */
export function adam(beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8) {
  let [mean, square, steps] = [[0, 0], [0, 0], 0];
  return (w, gradient, rate) => {
    steps += 1;
    mean = mean.map((m, i) => m + (1 - beta1) * (gradient[i] - m));
    square = square.map((v, i) => v + (1 - beta2) * (gradient[i] ** 2 - v));
    const [meanCorrection, squareCorrection] = [1 - beta1 ** steps, 1 - beta2 ** steps];
    return w.map((each, i) => each - ((rate / meanCorrection) * mean[i]) / (Math.sqrt(square[i] / squareCorrection) + epsilon));
  };
}

/** @param {number} step from 0 to steps - 1 @param {number} steps @param {number} peak @param {number} [warmup] */
export function oneCycle(step, steps, peak, warmup = 0.15) {
  const top = warmup * steps;
  if (step < top) return cosine(peak / 25, peak, step / top);
  return cosine(peak, peak / 1e4, (step - top) / Math.max(steps - top, 1));
}

/** @param {number} start @param {number} end @param {number} fraction */
function cosine(start, end, fraction) {
  return end + ((start - end) * (1 + Math.cos(Math.PI * fraction))) / 2;
}

/**
 * Return the weights before the first step and after each of `taken` steps. A run that diverges has fewer.
 * @param {Run} run
 */
export function descend({ landscape, update, schedule, rate, start, steps, taken, noise = 0 }) {
  const random = gaussians(7);
  const path = [[...start]];
  for (let step = 0; step < taken; step += 1) {
    const w = path[step];
    if (isFlown(w)) break;
    const gradient = landscape.gradient(w).map((each) => each + noise * random());
    path.push(update(w, gradient, schedule(step, steps, rate)));
  }
  return path;
}

/** @param {readonly number[]} w */
export function isFlown(w) {
  return !(Math.hypot(...w) < FLOWN);
}

/**
 * Return the mean of the weights over about the last `steps` steps.
 * @param {number[][]} points after each step
 * @param {number} steps
 */
export function average(points, steps) {
  return points.reduce((mean, w, i) => {
    const share = 1 / Math.min(i + 1, steps);
    return mean.map((each, axis) => (1 - share) * each + share * w[axis]);
  }, [0, 0]);
}

/**
 * Return a generator of standard normal numbers with a seed (mulberry32; Box and Muller, 1958).
 * @param {number} seed
 */
export function gaussians(seed) {
  let state = seed | 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/**
 * Return the contour of a function at `level` as short straight pieces (marching squares).
 * @param {Loss} f
 * @param {number} level
 * @param {number} cells along each edge
 */
export function contour(f, level, cells) {
  const at = (/** @type {number} */ i) => (2 * EDGE * i) / cells - EDGE;
  const values = Array.from({ length: cells + 1 }, (_, i) => Array.from({ length: cells + 1 }, (_, j) => f([at(i), at(j)]) - level));
  /** @type {[Point, Point][]} */
  const pieces = [];
  for (let i = 0; i < cells; i += 1) {
    for (let j = 0; j < cells; j += 1) {
      const corners = /** @type {const} */ ([[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]]);
      /** @type {Point[]} */
      const crossings = [];
      corners.forEach(([i1, j1], k) => {
        const [i2, j2] = corners[(k + 1) % 4];
        const [one, other] = [values[i1][j1], values[i2][j2]];
        if (one < 0 === other < 0) return;
        const part = one / (one - other);
        crossings.push([at(i1 + part * (i2 - i1)), at(j1 + part * (j2 - j1))]);
      });
      for (let k = 0; k + 1 < crossings.length; k += 2) pieces.push([crossings[k], crossings[k + 1]]);
    }
  }
  return pieces;
}
