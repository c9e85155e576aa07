// Explanations of a small network, as digitnet's inspect computes them: saliency, occlusion, and the plane of a map.

import { SIDE } from "./digits.js";
import { backwardToImage, forward } from "./perceptron.js";

/** @import { DenseLayer } from "./networks.js" */

const SQUARE = 4; // pixels a side that occlusion covers

/**
 * Return each pixel's share of a digit's lead over another: gradient times ink.
 * @param {DenseLayer[]} layers
 * @param {Float64Array} image
 * @param {number} digit
 * @param {number} other
 */
export function saliency(layers, image, digit, other) {
  const outputs = forward(layers, image);
  const gradLogits = outputs[layers.length].map((_, each) => (each === digit ? 1 : 0) - (each === other ? 1 : 0));
  return backwardToImage(layers, outputs, gradLogits).map((grad, i) => grad * image[i]);
}

/** Return the decrease of the lead without the ink around each pixel; see saliency.
 * @param {DenseLayer[]} layers
 * @param {Float64Array} image
 * @param {number} digit
 * @param {number} other
 */
export function occlusion(layers, image, digit, other) {
  const lead = (/** @type {Float64Array} */ of) => {
    const logits = forward(layers, of)[layers.length];
    return logits[digit] - logits[other];
  };
  const whole = lead(image);
  return image.map((_, i) => {
    const [top, left] = [Math.floor(i / SIDE) - SQUARE / 2, (i % SIDE) - SQUARE / 2];
    const covers = (/** @type {number} */ from, /** @type {number} */ at) => at >= from && at < from + SQUARE;
    return whole - lead(image.map((pixel, j) => (covers(top, Math.floor(j / SIDE)) && covers(left, j % SIDE) ? 0 : pixel)));
  });
}

/** A plane through points, its axes scaled so that the points' root mean square distance is 1. @typedef {{origin: Float64Array, axes: Float64Array[]}} Plane */

/** Return the plane of the first two principal components (Pearson, 1901). @param {Float64Array[]} points @returns {Plane} */
export function principalPlane(points) {
  const origin = points[0].map((_, i) => points.reduce((sum, point) => sum + point[i], 0) / points.length);
  const offsets = points.map((point) => point.map((value, i) => value - origin[i]));
  /** @type {Float64Array[]} */
  const axes = [];
  for (const start of [0, 1]) {
    let axis = origin.map((_, i) => (i === start ? 1 : 0.1));
    // Each round multiplies by the covariance, so the direction of the largest variance wins (power iteration).
    for (let round = 0; round < 200; round += 1) {
      const next = origin.map(() => 0);
      for (const offset of offsets) {
        const along = dot(offset, axis);
        offset.forEach((value, i) => (next[i] += along * value));
      }
      for (const found of axes) {
        const along = dot(next, found);
        found.forEach((value, i) => (next[i] -= along * value));
      }
      const length = Math.sqrt(dot(next, next)) || 1;
      axis = next.map((value) => value / length);
    }
    axes.push(axis);
  }
  const spread = Math.sqrt(offsets.reduce((sum, offset) => sum + dot(offset, axes[0]) ** 2 + dot(offset, axes[1]) ** 2, 0) / points.length) || 1;
  return { origin, axes: axes.map((axis) => axis.map((value) => value / spread)) };
}

/** Return a point's place on a plane. @param {Plane} plane @param {Float64Array} point */
export function place({ origin, axes }, point) {
  const offset = point.map((value, i) => value - origin[i]);
  return axes.map((axis) => dot(offset, axis));
}

/** @param {Float64Array} a @param {Float64Array} b */
function dot(a, b) {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}
