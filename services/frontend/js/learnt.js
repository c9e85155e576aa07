// What was learnt: the answer to lessons, checked before anything of it reaches the page, and its losses as a curve.

import { parseName, parseTensor } from "./explanation.js";
import { DIGITS, INPUT_SIZE, check } from "./prediction.js";

/** @typedef {{digit: number, isDigit: boolean, probability: number}} PupilReading */

/**
 * A digit that the model carries, and what it and its pupil make of it.
 * @typedef {{input: import("./explanation.js").Tensor, before: PupilReading, after: PupilReading | null}} KnownDigit
 */

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
 * @property {KnownDigit[]} known
 */

/**
 * @param {any} answer parsed JSON of any shape
 * @returns {Learnt}
 * @throws {import("./prediction.js").UnexpectedAnswerError}
 */
export function parseLearnt(answer) {
  const { losses, before, after, layers, known } = answer ?? {};
  check(Array.isArray(losses) && losses.every(Number.isFinite), "the losses are not numbers");
  check(Array.isArray(layers), "the layers are missing");
  check(Array.isArray(known), "the digits that it knew are missing");
  return { losses, before: parseReading(before), after: parseAfter(after), layers: layers.map(parseStep), known: known.map(parseKnown) };
}

/** @param {any} after null where it diverged */
function parseAfter(after) {
  return after === null ? null : parseReading(after);
}

/** @param {any} digit @returns {KnownDigit} */
function parseKnown(digit) {
  const input = parseTensor(digit?.input, "a digit that it knew");
  check(input.values.length === INPUT_SIZE * INPUT_SIZE, "a digit that it knew is not 28 rows of 28");
  return { input, before: parseReading(digit.before), after: parseAfter(digit.after) };
}

/** Whether the pupil reads it as the model does. @param {KnownDigit} digit */
export function isStillKnown({ before, after }) {
  return after !== null && after.digit === before.digit && after.isDigit === before.isDigit;
}

/** @param {any} reading @returns {PupilReading} */
export function parseReading(reading) {
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
 * The losses as points of an SVG polyline, from the left to the right; the largest, or `top`, at the top, zero at the bottom.
 * @param {readonly (number | null)[]} losses null: none was measured there
 * @param {number} width
 * @param {number} height
 * @param {number} [top]
 */
export function curvePoints(losses, width, height, top = Math.max(...losses.map((loss) => loss ?? 0), 1e-9)) {
  const step = losses.length > 1 ? width / (losses.length - 1) : 0;
  const points = losses.map((loss, i) => (loss === null ? "" : `${(i * step).toFixed(1)},${(height * (1 - loss / top)).toFixed(1)}`));
  return points.filter(Boolean).join(" ");
}
