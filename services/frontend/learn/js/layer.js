// Two layers, as digitnet computes them: two inputs, a hidden layer, one output.

import { relu, weightedSum } from "./neuron.js";

/** @import { Layers, Place, Unit } from "./networks.js" */

/** The inputs of exactly-one-of-two. @type {Place[]} */
export const CORNERS = [
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
];

/** @param {Unit} unit @param {Place} x @param {boolean} bends whether there is a ReLU */
export function unitSays({ weights, bias }, x, bends) {
  const z = weightedSum(weights, bias, x);
  return bends ? relu(z) : z;
}

/** @param {Layers} layers @param {Place} x @param {boolean} bends */
export function outputSays({ units, bias }, x, bends) {
  return units.reduce((sum, unit) => sum + unit.v * unitSays(unit, x, bends), bias);
}

/** Return the one neuron that equals both layers without ReLU: W2 W1, and W2 b1 + b2. @param {Layers} layers */
export function asOneNeuron({ units, bias }) {
  return {
    weights: [0, 1].map((j) => units.reduce((sum, { v, weights }) => sum + v * weights[j], 0)),
    bias: units.reduce((sum, unit) => sum + unit.v * unit.bias, bias),
  };
}

/** Return whether the output should be above zero. @param {Place} x */
export function isExactlyOne([x1, x2]) {
  return x1 + x2 === 1;
}

/** Return whether an output is on the right side of zero. @param {Place} x @param {number} y */
export function isRight(x, y) {
  return isExactlyOne(x) ? y > 0 : y < 0;
}

/**
 * Return both ends of a unit's fold, w x + b = 0, in the square from low to high. Return null if the fold misses it.
 * @param {Unit} unit
 * @param {number} low
 * @param {number} high
 * @returns {[Place, Place] | null}
 */
export function fold({ weights: [w1, w2], bias }, low, high) {
  /** @type {Place[]} */
  const ends = [];
  for (const edge of [low, high]) {
    if (w2 !== 0) ends.push([edge, -(w1 * edge + bias) / w2]);
    if (w1 !== 0) ends.push([-(w2 * edge + bias) / w1, edge]);
  }
  const inside = ends.filter((place) => place.every((value) => value >= low - 1e-9 && value <= high + 1e-9));
  // A fold through a corner meets two edges at one place, so the ends are the two places farthest apart.
  const far = inside.find((place) => distance(place, inside[0]) > 1e-6);
  return far ? [inside[0], far] : null;
}

/** @param {Place} a @param {Place} b */
function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/** Return the bias that moves a unit's fold through a place. @param {Unit} unit @param {Place} x */
export function biasFor({ weights }, x) {
  return 0 - weightedSum(weights, 0, x);
}

/**
 * Draw initial weights as digitnet does (He and others, 2015): normal with variance 2 / inputs. All biases are zero.
 * @param {number} count of units
 * @param {() => number} normal draws of mean 0 and variance 1
 * @returns {Layers}
 */
export function freshLayers(count, normal) {
  const unit = () => ({ weights: [normal(), normal()], bias: 0, v: Math.sqrt(2 / count) * normal() }); // 2 inputs: 2 / 2 = 1
  return { units: Array.from({ length: count }, unit), bias: 0 };
}

/** Return a normal number from two uniform ones from 0 to below 1 (Box and Muller, 1958). @param {() => number} uniform */
export function normalFrom(uniform) {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
