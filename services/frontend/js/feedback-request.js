// The feedback request: what a person says that a drawing really was, as the API takes it.

/** @import { Answer } from "./prediction.js" */

/** What stands for "not a digit" among the choices, beside "0" to "9". */
export const NOT_A_DIGIT = "none";

/** @typedef {{prediction_id: string, actual_digit: number | null}} FeedbackRequest */

/**
 * @param {string} predictionId
 * @param {string} choice "0" to "9" or NOT_A_DIGIT
 * @returns {FeedbackRequest}
 */
export function buildFeedbackRequest(predictionId, choice) {
  return { prediction_id: predictionId, actual_digit: choice === NOT_A_DIGIT ? null : Number(choice) };
}

/**
 * Returns the choice that confirms the answer.
 * @param {Answer} prediction
 */
export function choiceOf({ digit, isDigit }) {
  return isDigit ? String(digit) : NOT_A_DIGIT;
}
