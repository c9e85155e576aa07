import assert from "node:assert/strict";
import { test } from "node:test";

import { requestDigitOrNumber } from "../../services/frontend/js/api.js";
import { parseNumber } from "../../services/frontend/js/number.js";
import { numberHint } from "../../services/frontend/js/wording.js";
import { exampleAnswer } from "./example-answer.js";

const NO_DIGIT = { digit: null, is_digit: false, no_digit: { probability: 0.9, threshold: 0.5 }, confidence: 0.9 };
const digit = (changes = {}) => exampleAnswer({ box: [10, 20, 30.5, 40], prediction_id: "id", ...changes });
const answer = (...lines) => ({ model_version: "m", lines: lines.map((digits) => ({ digits })) });

/** A fetch that answers /predict and /read. */
const REJECTED = exampleAnswer({ digit: null, is_digit: false, best_guess: null });
const service = (read, predict = [200, exampleAnswer()]) => async (url) => {
  const [status, body] = url.includes("/read") ? read : predict;
  return { status, headers: new Headers(), text: async () => JSON.stringify(body) };
};

const BESIDE = [50, 20, 30, 40];

test("a number joins its lines, and explains an unreadable mark", () => {
  const number = parseNumber(answer([digit(), digit(NO_DIGIT)], [digit()]));
  assert.equal(number.text, "5? 5");
  assert.match(numberHint(number), /\? is a mark/);
  assert.deepEqual(number.digits[0].box, { left: 10, top: 20, width: 30.5, height: 40 });
});

for (const [what, read, text, predict] of [
  ["two digits are a number", [200, answer([digit(), digit()])], "55"],
  ["a digit beside a mark is a number if the whole is none", [200, answer([digit(), { ...digit(NO_DIGIT), box: BESIDE }])], "5?", [200, REJECTED]],
  ["overlapping marks of a letter are no number", [200, answer([digit(), digit()])], "", [200, REJECTED]],
  ["a digit beside a mark may be one digit", [200, answer([digit(), digit(NO_DIGIT)])]],
  ["digits above each other may be one digit", [200, answer([digit()], [digit()])]],
  ["one digit is none", [200, answer([digit()])]],
  ["two marks are none", [200, answer([digit(NO_DIGIT), digit(NO_DIGIT)])]],
  ["an older service knows no numbers", [404, { detail: "Not Found" }]],
  ["a box without four numbers", [200, answer([digit({ box: [1, 2, 3] }), digit()])]],
  ["a line without digits", [200, { model_version: "m", lines: [null] }]],
]) {
  test(what, async () => {
    const outcome = await requestDigitOrNumber({ strokes: [] }, { fetch: service(read, predict) });
    assert.equal(outcome.answer.text ?? outcome.answer.digit ?? "", text ?? 5);
  });
}

test("an error is that of /predict", async () => {
  const fetch = service([422, { detail: "too many lines" }], [503, { detail: "no model" }]);
  assert.match((await requestDigitOrNumber({ strokes: [] }, { fetch })).error, /no model/);
});
