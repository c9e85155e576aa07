// One unit: a single number of a layer and its arithmetic, checked before the page shows any of it.

import { parseTensor } from "./explanation.js";
import { check } from "./prediction.js";

/** @import { UnitAnswer } from "./answers.js" */
/** @import { Tensor } from "./explanation.js" */

/** @typedef {{layer: number, place: readonly number[]}} Spot where a unit is: both count from 0 */
/** @typedef {{top: number, left: number, bottom: number, right: number}} Field rows to before bottom, columns to before right */

/**
 * @typedef {object} Unit
 * @property {number} value
 * @property {Tensor} inputs
 * @property {Tensor | null} weights in the inputs' shape; null where the layer has none
 * @property {number | null} bias
 * @property {Field} field the part of the image that can reach it
 */

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

/** Each input times its weight. @param {Unit} unit @returns {Tensor} */
export function products({ inputs, weights }) {
  return { shape: inputs.shape, values: inputs.values.map((input, i) => input * (weights?.values[i] ?? 1)) };
}

const SPELT_OUT = 4; // products that are written down one by one, the largest

/**
 * The arithmetic that gave its value, in words.
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
  const first = order.slice(0, SPELT_OUT).map(({ input, weight }) => `${number(input)} · ${bracketed(weight)}`);
  const rest = order.slice(SPELT_OUT).reduce((sum, { product }) => sum + product, 0);
  if (order.length > SPELT_OUT) first.push(`${bracketed(rest)} from ${order.length - SPELT_OUT} more`);
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
 * The drawing as the network read it, in gray, and dark where the unit cannot look.
 * @param {number[][]} input 28 rows of 28, from 0 to 1
 * @param {Field} field
 * @returns {Uint8ClampedArray<ArrayBuffer>} four bytes a pixel, as ImageData takes them
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
