import assert from "node:assert/strict";
import { test } from "node:test";

import { requestPrediction } from "../../services/frontend/js/api.js";
import { parseNumber } from "../../services/frontend/js/number.js";
import { numberHint } from "../../services/frontend/js/wording.js";
import { exampleAnswer } from "./example-answer.js";

const NO_DIGIT = { digit: null, is_digit: false, no_digit: { probability: 0.9, threshold: 0.5 }, confidence: 0.9 };
const box = [10, 20, 30.5, 40];
const digit = (changes = {}) => exampleAnswer({ box, prediction_id: "id", ...changes });
const line = (digits, changes = {}) => ({
  digits,
  pieces: digits.map(() => ({ box, is_cut: false })),
  candidates: digits.map((_, i) => ({ start: i, end: i + 1, digit: 5, score: -0.1 })),
  path: digits.map((_, i) => i),
  ...changes,
});
const answer = (...lines) => ({ model_version: "m", lines });

test("a number joins its lines, and explains an unreadable mark", () => {
  const number = parseNumber(answer(line([digit(), digit(NO_DIGIT)]), line([digit()])));
  assert.equal(number.text, "5? 5");
  assert.match(numberHint(number), /\? is a mark/);
  assert.deepEqual(number.digits[0].box, { left: 10, top: 20, width: 30.5, height: 40 });
  assert.deepEqual(number.candidates[1].candidates, [{ start: 0, end: 1, digit: 5, score: -0.1 }]);
  assert.match(numberHint(parseNumber(answer(line([digit({ prediction_id: null })])))), /^So far it reads 5\./);
});

const TWO = [digit(), digit()];
for (const [what, body, expected] of [
  ["a digit", exampleAnswer(), 5],
  ["a number", answer(line(TWO)), "55"],
  ["a box without four numbers", answer(line([digit({ box: [1, 2, 3] }), digit()])), /a box is not four numbers/],
  ["a line without digits", answer(null), /a line has no digits/],
  ["no candidates", answer(line(TWO, { candidates: undefined })), /no candidates/],
  ["a path beyond the candidates", answer(line(TWO, { path: [0, 2] })), /the path/],
  ["a candidate beyond the pieces", answer(line(TWO, { pieces: [{ box, is_cut: false }] })), /no pieces/],
]) {
  test(`the service may answer with ${what}`, async () => {
    const fetch = async () => ({ status: 200, headers: new Headers(), text: async () => JSON.stringify(body) });
    const outcome = await requestPrediction({ strokes: [] }, { fetch });
    if (expected instanceof RegExp) assert.match(outcome.error, expected);
    else assert.equal(outcome.answer.text ?? outcome.answer.digit, expected);
  });
}
