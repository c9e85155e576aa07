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
 * Return a function's values on a square, row by row from the top. Both inputs are -1 to 1: x1 to the right, x2 upwards.
 * @param {(x: [number, number]) => number} says
 * @param {number} side places along each edge
 */
export function field(says, side) {
  const at = (/** @type {number} */ i) => (2 * i) / (side - 1) - 1;
  return Float32Array.from({ length: side * side }, (_, i) => says([at(i % side), -at(Math.floor(i / side))]));
}
