// Numbers: checks the API's answers, and finds the strokes of one digit.

import { check, parseAnswer, parsePrediction } from "./prediction.js";
import { UNREADABLE } from "./wording.js";

/** @import { PredictAnswer, ReadAnswer, ReadDigit, ReadLine } from "./answers.js" */
/** @import { Point } from "./coordinates.js" */
/** @import { Box } from "./crop-box.js" */
/** @import { LineCandidates, NumberDigit, NumberPrediction } from "./results.js" */
/** @import { Stroke } from "./strokes.js" */

/** @param {PredictAnswer | ReadAnswer} answer unchecked @throws {UnexpectedAnswerError} */
export function parseDigitOrNumber(answer) {
  const isNumber = typeof answer === "object" && answer !== null && "lines" in answer;
  return isNumber ? parseNumber(answer) : parsePrediction(answer);
}

/**
 * @param {ReadAnswer} answer unchecked
 * @returns {NumberPrediction}
 * @throws {UnexpectedAnswerError}
 */
export function parseNumber(answer) {
  check(typeof answer === "object" && answer !== null && Array.isArray(answer.lines), "the lines are missing");
  check(typeof answer.model_version === "string", "the model version is missing");
  const lines = answer.lines.map(parseLine);
  const text = lines.map(({ digits }) => digits.map(({ digit }) => digit ?? UNREADABLE).join("")).join(" ");
  const digits = lines.flatMap((line) => line.digits);
  return { text, digits, candidates: lines.map((line) => line.candidates), modelVersion: answer.model_version };
}

/** @param {ReadLine} line unchecked */
function parseLine(line) {
  check(Array.isArray(line?.digits), "a line has no digits");
  return { digits: line.digits.map(parseDigit), candidates: parseCandidates(line) };
}

/** @param {ReadLine} line unchecked @returns {LineCandidates} */
function parseCandidates({ digits, pieces, candidates, path }) {
  check(Array.isArray(pieces) && Array.isArray(candidates) && Array.isArray(path), "a line has no candidates");
  check(path.length === digits.length && path.every((index) => index in candidates), "the path is not one candidate for each digit");
  return {
    pieces: pieces.map((piece) => ({ box: parseBox(piece?.box), isCut: piece.is_cut === true })),
    candidates: candidates.map((candidate) => {
      const { start, end, digit, score } = candidate ?? {};
      check(start in pieces && end - 1 in pieces && start < end, "a candidate has no pieces");
      check(Number.isInteger(digit) && Number.isFinite(score), "a candidate has no digit and score");
      return { start, end, digit, score };
    }),
    path,
  };
}

/** @param {ReadDigit} answer unchecked @returns {NumberDigit} */
function parseDigit(answer) {
  const parsed = parseAnswer(answer);
  const { box, prediction_id } = answer;
  check(typeof prediction_id === "string" || prediction_id === null, "the prediction id is missing");
  return { ...parsed, predictionId: prediction_id, box: parseBox(box) };
}

/** @param {number[]} box unchecked @returns {Box} */
function parseBox(box) {
  check(Array.isArray(box) && box.length === 4 && box.every(Number.isFinite), "a box is not four numbers");
  const [left, top, width, height] = box;
  check(width >= 0 && height >= 0, "a box has no size");
  return { left, top, width, height };
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
