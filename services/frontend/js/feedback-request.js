// The feedback request: the true digit of an input, in the API's format.

/** @import { FeedbackRequest } from "./feedback.js" */
/** @import { Answer } from "./results.js" */

/** The choice "not a digit"; the others are "0" to "9". */
export const NOT_A_DIGIT = "none";

/**
 * @param {string} predictionId
 * @param {string} choice "0" to "9" or NOT_A_DIGIT
 * @returns {FeedbackRequest}
 */
export function buildFeedbackRequest(predictionId, choice) {
  return { prediction_id: predictionId, actual_digit: choice === NOT_A_DIGIT ? null : Number(choice) };
}

/**
 * Return the choice that confirms the answer.
 * @param {Answer} prediction
 */
export function choiceOf({ digit, isDigit }) {
  return isDigit ? String(digit) : NOT_A_DIGIT;
}
