// The explanation: checks and unpacks the answer of /explain, and adds and compares its numbers for display.

import { parseNumber } from "./number.js";
import { DIGITS, INPUT_SIZE, UnexpectedAnswerError, check, parsePrediction } from "./prediction.js";

/** @import { EncodedTensor, ExplainAnswer, NamedLayer } from "./answers.js" */
/** @import { Explanation, Layer, Tensor } from "./results.js" */

const PIXELS = INPUT_SIZE * INPUT_SIZE;

/**
 * @param {ExplainAnswer} answer unchecked
 * @returns {Explanation}
 * @throws {UnexpectedAnswerError}
 */
export function parseExplanation(answer) {
  const prediction = parsePrediction(answer);
  const { layers, logits, temperature, gradients } = answer;
  check(Array.isArray(layers) && layers.length > 0, "the layers are missing");
  check(Array.isArray(logits) && logits.length >= DIGITS && logits.every(Number.isFinite), "the logits are not numbers");
  check(Number.isFinite(temperature) && temperature > 0, "the temperature is not a number above 0");
  const parsed = parseTensor(gradients, "the gradients");
  check(parsed.values.length === logits.length * PIXELS, "the gradients do not match the logits");
  const occlusion = answer.occlusion === undefined ? null : parseTensor(answer.occlusion, "the occlusion's numbers");
  check(occlusion === null || occlusion.values.length === parsed.values.length, "the occlusion does not match the logits");
  const number = answer.number ? parseNumber(answer.number) : null;
  return { ...prediction, layers: layers.map(parseLayer), logits, temperature, gradients: parsed, occlusion, number };
}

/** @param {ExplainAnswer["layers"][number]} layer @returns {Layer} */
function parseLayer(layer) {
  const named = parseName(layer);
  return { ...named, activations: parseTensor(layer.activations, `the activations of ${named.name}`) };
}

/** Return a layer's name and options. @param {NamedLayer} layer */
export function parseName(layer) {
  check(typeof layer?.name === "string", "a layer has no name");
  const options = typeof layer.declaration === "object" ? (layer.declaration?.[layer.name] ?? {}) : {};
  return { name: layer.name, options };
}

/** @param {EncodedTensor} tensor @param {string} what @returns {Tensor} */
export function parseTensor(tensor, what) {
  check(Array.isArray(tensor?.shape) && tensor.shape.every(Number.isInteger) && typeof tensor.float32 === "string", `${what} are missing`);
  const values = floats(tensor.float32);
  const size = tensor.shape.reduce((product, side) => product * side, 1);
  check(values.length === size, `${what} do not match their shape`);
  return { shape: tensor.shape, values };
}

/** @param {string} base64 of little-endian 32-bit floats */
function floats(base64) {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    throw new UnexpectedAnswerError("numbers are not in base64");
  }
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => view.getFloat32(4 * i, true));
}

/**
 * Return the steps of the softmax with temperature, for each of the ten digits.
 * @param {Explanation} explanation
 */
export function softmaxSteps({ logits, temperature }) {
  const ofDigits = logits.slice(0, DIGITS);
  // Subtracting the largest logit changes no probability, and keeps exp in range.
  const largest = Math.max(...ofDigits);
  const powers = ofDigits.map((logit) => Math.exp((logit - largest) / temperature));
  const sum = powers.reduce((total, power) => total + power, 0);
  return ofDigits.map((logit, digit) => ({ digit, logit, power: powers[digit], probability: powers[digit] / sum }));
}

/**
 * Return each pixel's attribution to a digit's lead over a rival: gradient times ink. Without a rival, use the digit's logit.
 * @param {Explanation} explanation
 * @param {number} digit
 * @param {number | null} [rival]
 * @returns {Float32Array} 784, row by row
 */
export function attribution({ input, gradients }, digit, rival = null) {
  const ink = input.flat();
  return Float32Array.from(ink, (value, i) => {
    const other = rival === null ? 0 : gradients.values[rival * PIXELS + i];
    return value * (gradients.values[digit * PIXELS + i] - other);
  });
}

/**
 * Return how far a digit's lead over another falls without the ink around each pixel.
 * @param {Tensor} occlusion
 * @param {number} digit
 * @param {number} rival
 */
export function leadLost({ values }, digit, rival) {
  return Float32Array.from({ length: PIXELS }, (_, i) => values[digit * PIXELS + i] - values[rival * PIXELS + i]);
}
