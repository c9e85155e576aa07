// What was learnt: the answer to lessons, checked before anything of it reaches the page, and its losses as a curve.

import { parseName, parseTensor } from "./explanation.js";
import { DIGITS, check } from "./prediction.js";

/** @typedef {{digit: number, isDigit: boolean, probability: number}} PupilReading */

/**
 * @typedef {object} LayerStep
 * @property {string} name
 * @property {Record<string, number>} options
 * @property {import("./explanation.js").Tensor} activations the gradient of the loss with respect to what the layer gave out
 * @property {number} parametersNorm
 * @property {number} gradientNorm
 * @property {number} updateNorm
 */

/**
 * @typedef {object} Learnt
 * @property {number[]} losses before each lesson's update
 * @property {PupilReading} before
 * @property {PupilReading | null} after null where it diverged
 * @property {LayerStep[]} layers of the last lesson, first to last
 */

/**
 * @param {any} answer parsed JSON of any shape
 * @returns {Learnt}
 * @throws {import("./prediction.js").UnexpectedAnswerError}
 */
export function parseLearnt(answer) {
  const { losses, before, after, layers } = answer ?? {};
  check(Array.isArray(losses) && losses.every(Number.isFinite), "the losses are not numbers");
  check(Array.isArray(layers), "the layers are missing");
  return { losses, before: parseReading(before), after: after === null ? null : parseReading(after), layers: layers.map(parseStep) };
}

/** @param {any} reading @returns {PupilReading} */
function parseReading(reading) {
  const { digit, is_digit, probabilities } = reading ?? {};
  check(Number.isInteger(digit) && digit >= 0 && digit < DIGITS && typeof is_digit === "boolean", "the pupil's reading is missing");
  check(Array.isArray(probabilities) && probabilities.every(Number.isFinite), "the pupil's probabilities are not numbers");
  return { digit, isDigit: is_digit, probability: probabilities[digit] };
}

/** @param {any} layer @returns {LayerStep} */
function parseStep(layer) {
  const named = parseName(layer);
  const norms = [layer.parameters_norm, layer.gradient_norm, layer.update_norm];
  check(norms.every((norm) => typeof norm === "number"), "a layer's step is missing");
  return {
    ...named,
    activations: parseTensor(layer.gradient, `the gradient of ${named.name}`),
    parametersNorm: norms[0],
    gradientNorm: norms[1],
    updateNorm: norms[2],
  };
}

/**
 * The losses as points of an SVG polyline, from the left to the right; the largest at the top, zero at the bottom.
 * @param {number[]} losses
 * @param {number} width
 * @param {number} height
 */
export function curvePoints(losses, width, height) {
  const top = Math.max(...losses, 1e-9);
  const step = losses.length > 1 ? width / (losses.length - 1) : 0;
  return losses.map((loss, i) => `${(i * step).toFixed(1)},${(height * (1 - loss / top)).toFixed(1)}`).join(" ");
}
