// Wording: a prediction as text.

/** @import { Answer, NumberPrediction } from "./results.js" */

/** Stands for a mark that is no digit. */
export const UNREADABLE = "?";

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

/** @param {NumberPrediction} number */
export function numberText({ text }) {
  return `Number: ${text}`;
}

/** @param {NumberPrediction} number */
export function numberHint({ text, digits }) {
  const isPreview = digits.every(({ predictionId }) => predictionId === null);
  const hint = isPreview
    ? `So far it reads ${text}. Select a digit to look inside.`
    : "Was it right? Select a digit to correct it, or to look inside.";
  return text.includes(UNREADABLE) ? `${hint} ${UNREADABLE} is a mark that could not be read.` : hint;
}

/** Return how a number was chosen, in one sentence. @param {NumberPrediction} number */
export function workText({ candidates: lines }) {
  const pieces = lines.flatMap((line) => line.pieces);
  const score = lines.reduce((sum, { candidates, path }) => path.reduce((total, index) => total + candidates[index].score, sum), 0);
  const counts = [
    counted(pieces.length, "piece"),
    counted(pieces.filter(({ isCut }) => isCut).length, "cut"),
    counted(lines.reduce((sum, { candidates }) => sum + candidates.length, 0), "candidate"),
  ];
  return `${counts.join(", ")}. The scores on the path add up to ${formatScore(score)}.`;
}

/** @param {number} count @param {string} noun */
function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** @param {number} score a log probability */
export function formatScore(score) {
  return score > -0.005 ? "0.00" : score.toFixed(2).replace("-", "−");
}

/** Return a digit of a number with its probability. @param {Answer} answer */
export function markText({ digit, isDigit, confidence }) {
  return isDigit ? `${digit} ${formatPercentage(confidence)}` : UNREADABLE;
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
