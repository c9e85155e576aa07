// The prediction: checks the API's answer before the page shows it. An unexpected answer, such as a proxy's login page, becomes
// an error message and not a broken chart.

/** @import { Answer as ApiAnswer, PredictAnswer } from "./answers.js" */
/** @import { Answer, Prediction } from "./results.js" */

export const DIGITS = 10;

/** Width and height of the image that the network reads. */
export const INPUT_SIZE = 28;

// Probabilities are 32-bit floats, so their sum is only near 1.
const SUM_TOLERANCE = 0.01;

/** An answer of an unexpected shape; the message names the part. */
export class UnexpectedAnswerError extends Error {}

/**
 * @param {PredictAnswer} answer unchecked
 * @returns {Prediction}
 * @throws {UnexpectedAnswerError}
 */
export function parsePrediction(answer) {
  const parsed = parseAnswer(answer);
  const { model_version, prediction_id, input } = answer;
  check(typeof model_version === "string", "the model version is missing");
  check(typeof prediction_id === "string", "the prediction id is missing");
  check(
    Array.isArray(input) && input.length === INPUT_SIZE && input.every((row) => isRow(row, INPUT_SIZE)),
    "the network's input is not 28 rows of 28 numbers from 0 to 1",
  );

  return { ...parsed, modelVersion: model_version, predictionId: prediction_id, input };
}

/**
 * @param {ApiAnswer} answer unchecked
 * @returns {Answer}
 * @throws {UnexpectedAnswerError}
 */
export function parseAnswer(answer) {
  check(typeof answer === "object" && answer !== null, "it is not an object");
  const { digit, is_digit, best_guess, probabilities, confidence, no_digit } = answer;
  check(typeof is_digit === "boolean", "is_digit is missing");
  check(is_digit ? isDigit(digit) : digit === null, "the digit is not one of 0 to 9, or null for no digit");
  check(is_digit ? best_guess === digit : best_guess === null || isDigit(best_guess), "the best guess is not one of 0 to 9");
  check(isRow(probabilities, DIGITS), "the probabilities are not ten numbers from 0 to 1");
  const sum = probabilities.reduce((total, p) => total + p, 0);
  check(Math.abs(sum - 1) <= SUM_TOLERANCE, "the probabilities do not sum to 1");
  check(isFraction(confidence), "the confidence is not a number from 0 to 1");
  check(
    no_digit === null || (isFraction(no_digit?.probability) && isFraction(no_digit.threshold)),
    "no_digit has no probability and threshold from 0 to 1",
  );
  const noDigit = no_digit && { probability: no_digit.probability, threshold: no_digit.threshold };
  return { digit, isDigit: is_digit, bestGuess: best_guess, probabilities, confidence, noDigit };
}

/** Return the two likeliest digits. @param {Answer} answer */
export function likeliest({ probabilities }) {
  const order = probabilities.map((_, digit) => digit).sort((a, b) => probabilities[b] - probabilities[a]);
  return [order[0], order[1]];
}

/** @param {unknown} value */
function isDigit(value) {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < DIGITS;
}

/** @param {boolean} condition @param {string} problem @returns {asserts condition} @throws {UnexpectedAnswerError} */
export function check(condition, problem) {
  if (!condition) throw new UnexpectedAnswerError(problem);
}

/** @param {unknown} row @param {number} length */
function isRow(row, length) {
  return Array.isArray(row) && row.length === length && row.every(isFraction);
}

/**
 * Return whether a value is a number from 0 to 1, with the rounding error of a 32-bit float.
 * @param {unknown} value
 */
function isFraction(value) {
  return Number.isFinite(value) && Number(value) >= 0 && Number(value) <= 1 + 1e-6;
}
