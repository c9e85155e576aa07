// The prediction: the API's answer, checked before anything of it reaches the page. An answer of another shape (a
// proxy's login page, an older API, a NaN turned into null) becomes one clear sentence here, not a broken chart later.

export const DIGITS = 10;

/** Width and height of the picture that the network sees. */
export const INPUT_SIZE = 28;

// Probabilities come from 32-bit floats and may be rounded for the wire, so their sum is only near 1.
const SUM_TOLERANCE = 0.01;

/**
 * @typedef {object} Prediction
 * @property {number} digit the likeliest digit, 0 to 9
 * @property {boolean} isDigit false when the drawing does not look like any digit
 * @property {number[]} probabilities ten of them, by digit, summing to 1
 * @property {number} confidence in the digit, 0 to 1
 * @property {string} modelVersion
 * @property {string} predictionId
 * @property {number[][]} input 28 rows of 28 values from 0 (paper) to 1 (ink): what the network saw
 */

/** Says which part of an answer is not as agreed. */
export class UnexpectedAnswerError extends Error {}

/**
 * @param {any} answer parsed JSON of any shape
 * @returns {Prediction}
 * @throws {UnexpectedAnswerError}
 */
export function parsePrediction(answer) {
  check(typeof answer === "object" && answer !== null, "it is not an object");
  const { digit, is_digit, probabilities, confidence, model_version, prediction_id, input } = answer;

  check(Number.isInteger(digit) && digit >= 0 && digit < DIGITS, "the digit is not one of 0 to 9");
  check(typeof is_digit === "boolean", "is_digit is missing");
  check(isRow(probabilities, DIGITS), "the probabilities are not ten numbers from 0 to 1");
  const sum = probabilities.reduce((/** @type {number} */ total, /** @type {number} */ p) => total + p, 0);
  check(Math.abs(sum - 1) <= SUM_TOLERANCE, "the probabilities do not sum to 1");
  check(isFraction(confidence), "the confidence is not a number from 0 to 1");
  check(typeof model_version === "string", "the model version is missing");
  check(typeof prediction_id === "string", "the prediction id is missing");
  check(
    Array.isArray(input) && input.length === INPUT_SIZE && input.every((row) => isRow(row, INPUT_SIZE)),
    "the network's input is not 28 rows of 28 numbers from 0 to 1",
  );

  return {
    digit,
    isDigit: is_digit,
    probabilities,
    confidence,
    modelVersion: model_version,
    predictionId: prediction_id,
    input,
  };
}

/** @param {boolean} condition @param {string} problem what to say where it does not hold @throws {UnexpectedAnswerError} */
export function check(condition, problem) {
  if (!condition) throw new UnexpectedAnswerError(problem);
}

/** @param {unknown} row @param {number} length */
function isRow(row, length) {
  return Array.isArray(row) && row.length === length && row.every(isFraction);
}

/**
 * Number.isFinite is false for strings, null and NaN alike. A value may exceed 1 by the error of a 32-bit float.
 * @param {unknown} value
 */
function isFraction(value) {
  return Number.isFinite(value) && Number(value) >= 0 && Number(value) <= 1 + 1e-6;
}
