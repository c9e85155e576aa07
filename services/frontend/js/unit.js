// A unit: checks the answer of /unit, one number of a layer, before the page shows it, and describes its arithmetic.

import { parseTensor } from "./explanation.js";
import { check } from "./prediction.js";

/** @import { UnitAnswer } from "./answers.js" */
/** @import { Field, Tensor, Unit } from "./results.js" */

/**
 * @param {UnitAnswer} answer unchecked
 * @returns {Unit}
 * @throws {UnexpectedAnswerError}
 */
export function parseUnit(answer) {
  const { value, inputs, weights, bias, field } = answer ?? {};
  check(Number.isFinite(value), "the unit's value is not a number");
  const parsed = parseTensor(inputs, "the unit's inputs");
  const parsedWeights = weights === null ? null : parseTensor(weights, "the unit's weights");
  check(parsedWeights === null || parsedWeights.values.length === parsed.values.length, "the unit's weights do not match its inputs");
  check(parsedWeights === null ? bias === null : Number.isFinite(bias), "the unit's bias is not a number");
  const { top, left, bottom, right } = field ?? {};
  check([top, left, bottom, right].every(Number.isInteger), "the receptive field is missing");
  return { value, inputs: parsed, weights: parsedWeights, bias, field: { top, left, bottom, right } };
}

/** Return each input times its weight. @param {Unit} unit @returns {Tensor} */
export function products({ inputs, weights }) {
  return { shape: inputs.shape, values: inputs.values.map((input, i) => input * (weights?.values[i] ?? 1)) };
}

const MAX_TERMS = 4; // the largest products; the text adds up all others

/**
 * Return the arithmetic of a unit's value as text.
 * @param {string} layer its name
 * @param {Unit} unit
 */
export function arithmetic(layer, { value, inputs, weights, bias }) {
  if (weights === null || bias === null) {
    if (layer === "maxpool2d") return `The largest of ${[...inputs.values].map(number).join(", ")} is ${number(value)}.`;
    if (layer === "relu") return `max(0, ${number(inputs.values[0])}) = ${number(value)}`;
    return `${number(value)}, unchanged.`;
  }
  if (bias === 0 && weights.values.every((weight) => weight === 0)) return "It is off: its weights and its bias are zero.";
  const order = Array.from(inputs.values, (input, i) => ({ input, weight: weights.values[i], product: input * weights.values[i] }))
    .filter(({ product }) => product !== 0)
    .sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  const first = order.slice(0, MAX_TERMS).map(({ input, weight }) => `${number(input)} · ${bracketed(weight)}`);
  const rest = order.slice(MAX_TERMS).reduce((sum, { product }) => sum + product, 0);
  if (order.length > MAX_TERMS) first.push(`${bracketed(rest)} from ${order.length - MAX_TERMS} more`);
  return `${[...first, `bias ${bracketed(bias)}`].join(" + ")} = ${number(value)}`;
}

/** @param {number} value */
function number(value) {
  return value.toFixed(3).replace("-", "−");
}

/** @param {number} value */
function bracketed(value) {
  return value < 0 ? `(${number(value)})` : number(value);
}

/**
 * Return RGBA bytes of the network's input, dark outside the receptive field.
 * @param {number[][]} input
 * @param {Field} field
 */
export function fieldRgba(input, { top, left, bottom, right }) {
  const rgba = new Uint8ClampedArray(input.length * input.length * 4);
  input.forEach((row, y) =>
    row.forEach((ink, x) => {
      const isSeen = y >= top && y < bottom && x >= left && x < right;
      const paper = isSeen ? [70, 62, 10] : [0, 0, 0];
      rgba.set([...paper.map((shade) => Math.round(shade + (255 - shade) * ink * (isSeen ? 1 : 0.45))), 255], (y * input.length + x) * 4);
    }),
  );
  return rgba;
}
