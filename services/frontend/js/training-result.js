// The training result: checks the answer of /learn before the page shows it, and turns its losses into a curve.

import { parseName, parseTensor } from "./explanation.js";
import { INPUT_SIZE, check, parseAnswer } from "./prediction.js";

/** @import { Answer as ApiAnswer, LearnAnswer, LearnKnownDigit, LearnLayer } from "./answers.js" */
/** @import { KnownDigit, LayerStep, TrainingResult } from "./results.js" */

/**
 * @param {LearnAnswer} answer unchecked
 * @returns {TrainingResult}
 * @throws {UnexpectedAnswerError}
 */
export function parseTrainingResult(answer) {
  const { losses, before, after, layers, known } = answer ?? {};
  check(Array.isArray(losses) && losses.every(Number.isFinite), "the losses are not numbers");
  check(Array.isArray(layers), "the layers are missing");
  check(Array.isArray(known), "the golden digits are missing");
  return { losses, before: parseAnswer(before), after: parseAfter(after), layers: layers.map(parseStep), known: known.map(parseKnown) };
}

/** @param {ApiAnswer | null} after null if the copy diverged */
function parseAfter(after) {
  return after === null ? null : parseAnswer(after);
}

/** @param {LearnKnownDigit} digit @returns {KnownDigit} */
function parseKnown(digit) {
  const input = parseTensor(digit?.input, "the pixels of a golden digit");
  check(input.values.length === INPUT_SIZE * INPUT_SIZE, "a golden digit is not 28 rows of 28");
  return { input, before: parseAnswer(digit.before), after: parseAfter(digit.after) };
}

/** Return whether the copy agrees with the model. @param {KnownDigit} digit */
export function isStillKnown({ before, after }) {
  return after !== null && after.digit === before.digit;
}

/** @param {LearnLayer} layer @returns {LayerStep} */
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
 * Return a curve of losses as points of an SVG polyline, from zero to `top`.
 * @param {readonly (number | null)[]} losses
 * @param {number} width
 * @param {number} height
 */
export function curvePoints(losses, width, height, top = Math.max(...losses.map((loss) => loss ?? 0), 1e-9)) {
  const step = losses.length > 1 ? width / (losses.length - 1) : 0;
  const points = losses.map((loss, i) => (loss === null ? "" : `${(i * step).toFixed(1)},${(height * (1 - loss / top)).toFixed(1)}`));
  return points.filter(Boolean).join(" ");
}
