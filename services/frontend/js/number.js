// Numbers: checks the API's answer to /read, and finds the strokes of one digit.

import { check, parseAnswer } from "./prediction.js";
import { UNREADABLE } from "./wording.js";

/** @import { ReadAnswer, ReadDigit } from "./answers.js" */
/** @import { Point } from "./coordinates.js" */
/** @import { Box } from "./crop-box.js" */
/** @import { Answer, NumberDigit, NumberPrediction } from "./results.js" */
/** @import { Stroke } from "./strokes.js" */

/**
 * @param {ReadAnswer} answer unchecked
 * @returns {NumberPrediction}
 * @throws {UnexpectedAnswerError}
 */
export function parseNumber(answer) {
  check(typeof answer === "object" && answer !== null && Array.isArray(answer.lines), "the lines are missing");
  check(typeof answer.model_version === "string", "the model version is missing");
  const lines = answer.lines.map((line) => {
    check(Array.isArray(line?.digits), "a line has no digits");
    return line.digits.map(parseDigit);
  });
  const text = lines.map((digits) => digits.map(({ digit }) => digit ?? UNREADABLE).join("")).join(" ");
  return { text, lines: lines.length, digits: lines.flat(), modelVersion: answer.model_version };
}

/** @param {ReadDigit} answer unchecked @returns {NumberDigit} */
function parseDigit(answer) {
  const parsed = parseAnswer(answer);
  const { box, prediction_id } = answer;
  check(typeof prediction_id === "string", "the prediction id is missing");
  check(Array.isArray(box) && box.length === 4 && box.every(Number.isFinite), "a box is not four numbers");
  const [left, top, width, height] = box;
  check(width >= 0 && height >= 0, "a box has no size");
  return { ...parsed, predictionId: prediction_id, box: { left, top, width, height } };
}

/**
 * Return whether a drawing is a number: it has several marks, and at least one is a digit. A digit in separate parts, such as an
 * 8 of two rings, looks like several lines or has an unreadable mark. The marks of a letter, such as A, overlap. In these cases
 * the prediction for the whole drawing wins.
 * @param {NumberPrediction} number
 * @param {Answer | null} prediction of the whole drawing as one digit
 */
export function isBetter({ digits, lines, text }, prediction) {
  const isDoubtful = prediction?.isDigit ? lines > 1 || text.includes(UNREADABLE) : digits.some(isOverlapped);
  return digits.length > 1 && digits.some(({ isDigit }) => isDigit) && !(isDoubtful && prediction);
}

/** @param {NumberDigit} digit @param {number} index @param {readonly NumberDigit[]} digits */
function isOverlapped({ box }, index, digits) {
  const next = digits[index + 1]?.box;
  return (
    next !== undefined &&
    Math.min(box.left + box.width, next.left + next.width) > Math.max(box.left, next.left) &&
    Math.min(box.top + box.height, next.top + next.height) > Math.max(box.top, next.top)
  );
}

/**
 * Return the strokes whose center is in a box. Without one, several digits share a stroke: return its pieces in the box.
 * @param {readonly Stroke[]} strokes
 * @param {Box} box
 */
export function strokesIn(strokes, box) {
  const whole = strokes.filter((stroke) => isIn(centerOf(stroke), box));
  return whole.length > 0 ? whole : strokes.flatMap((stroke) => piecesIn(stroke, box));
}

/** @param {Stroke} stroke @param {Box} box */
function piecesIn(stroke, box) {
  /** @type {Stroke[]} */
  const pieces = [[]];
  for (const point of stroke) {
    if (isIn(point, box)) pieces[pieces.length - 1].push(point);
    else pieces.push([]);
  }
  return pieces.filter((piece) => piece.length > 0);
}

/** @param {Stroke} stroke @returns {Point} */
function centerOf(stroke) {
  const [xs, ys] = [stroke.map(([x]) => x), stroke.map(([, y]) => y)];
  return [middleOf(xs), middleOf(ys)];
}

/** @param {number[]} values */
function middleOf(values) {
  const least = values.reduce((a, b) => Math.min(a, b));
  const most = values.reduce((a, b) => Math.max(a, b));
  return (least + most) / 2;
}

/** @param {Point} point @param {Box} box */
function isIn([x, y], { left, top, width, height }) {
  return x >= left && x <= left + width && y >= top && y <= top + height;
}
