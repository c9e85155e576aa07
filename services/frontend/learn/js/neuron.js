// A neuron, as digitnet computes it.

/** @param {readonly number[]} weights @param {number} bias @param {readonly number[]} inputs as many as weights */
export function weightedSum(weights, bias, inputs) {
  return weights.reduce((sum, weight, i) => sum + weight * inputs[i], bias);
}

/** @param {number} z */
export function relu(z) {
  return Math.max(0, z);
}

/**
 * What it says at each place of a square, row by row from the top: x2 falls downwards, from 1 to -1; x1 rises to the right.
 * @param {(x: [number, number]) => number} says
 * @param {number} side places along each edge
 * @returns {Float32Array}
 */
export function field(says, side) {
  const at = (/** @type {number} */ i) => (2 * i) / (side - 1) - 1;
  return Float32Array.from({ length: side * side }, (_, i) => says([at(i % side), -at(Math.floor(i / side))]));
}
