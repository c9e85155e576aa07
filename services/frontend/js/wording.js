// Wording: a prediction as text.

/** @import { Answer } from "./results.js" */

/**
 * Return a probability as a percentage with one decimal, but never "100.0%": 32-bit floats round probabilities near 1 to 1.
 * @param {number} probability from 0 to 1
 */
export function formatPercentage(probability) {
  return probability >= 0.9995 ? ">99.9%" : `${(probability * 100).toFixed(1)}%`;
}

/** @param {Answer} prediction */
export function resultText(prediction) {
  return prediction.isDigit ? `Digit: ${prediction.digit}` : "Not sure that is a digit";
}

/** @param {Answer} prediction */
export function confidenceText(prediction) {
  return prediction.isDigit ? `${formatPercentage(prediction.confidence)} confident` : "";
}

/** @param {Answer} answer */
export function bestGuessText({ isDigit, bestGuess }) {
  return isDigit || bestGuess === null ? "" : `Best guess: ${bestGuess}`;
}

/** Return an answer for the middle of a sentence. @param {Answer} answer */
export function answerInWords({ digit, isDigit, confidence }) {
  return `${isDigit ? `a ${digit}` : "no digit"} (${formatPercentage(confidence)})`;
}
