// Wording: the figures of a prediction as text.

/** @typedef {import("./prediction.js").Prediction} Prediction */

/**
 * A probability as a percentage with one decimal. "100.0%" would be a claim of certainty, which no network can make: a
 * probability of exactly 1 is only one that 32-bit floats could not tell from it.
 * @param {number} probability from 0 to 1
 */
export function formatPercentage(probability) {
  return probability >= 0.9995 ? ">99.9%" : `${(probability * 100).toFixed(1)}%`;
}

/** @param {Prediction} prediction */
export function resultText(prediction) {
  return prediction.isDigit ? `Digit: ${prediction.digit}` : "Not sure that is a digit";
}

/** @param {Prediction} prediction */
export function confidenceText(prediction) {
  return prediction.isDigit ? `${formatPercentage(prediction.confidence)} confident` : "";
}

/** @param {Prediction} prediction */
export function bestGuessText(prediction) {
  if (prediction.isDigit) return "";
  return `Best guess: ${prediction.digit}`; // its confidence would be that of a digit, which this is not
}
