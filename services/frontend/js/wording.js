// Wording: the figures of a prediction as text.

/** @typedef {import("./prediction.js").Prediction} Prediction */

/**
 * A probability as a percentage with one decimal. It is rounded, with one exception: "100.0%" is a claim of
 * certainty, so it is kept for exactly 1, and 0.9996 reads 99.9%.
 * @param {number} probability from 0 to 1
 */
export function formatPercentage(probability) {
  const rounded = Math.round(probability * 1000) / 10;
  const shown = probability < 1 ? Math.min(rounded, 99.9) : 100;
  return `${shown.toFixed(1)}%`;
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
  return `Best guess: ${prediction.digit} (${formatPercentage(prediction.confidence)})`;
}
