import assert from "node:assert/strict";
import { test } from "node:test";

import { UnexpectedAnswerError, likeliest, parsePrediction } from "../../services/frontend/js/prediction.js";
import { exampleAnswer } from "./example-answer.js";

const rows = (value, height = 28, width = 28) => Array.from({ length: height }, () => Array(width).fill(value));

test("parses an answer", () => {
  const answer = exampleAnswer();
  assert.deepEqual(parsePrediction(answer), {
    digit: 5,
    isDigit: true,
    bestGuess: 5,
    probabilities: answer.probabilities,
    confidence: 0.973,
    noDigit: { probability: 0.004, threshold: 0.6 },
    modelVersion: "3f9a0c2b41de",
    predictionId: "7b88140edcad49edb1cb4c9d8bc19318",
    input: answer.input,
  });
});

const NO_DIGIT = { digit: null, is_digit: false, confidence: 0.9, no_digit: { probability: 0.9, threshold: 0.6 } };

test("parses answers without a digit, best guess or no-digit class", () => {
  const { digit, isDigit, bestGuess } = parsePrediction(exampleAnswer(NO_DIGIT));
  assert.deepEqual([digit, isDigit, bestGuess], [null, false, 5]);
  assert.equal(parsePrediction(exampleAnswer({ ...NO_DIGIT, best_guess: null })).bestGuess, null);
  assert.equal(parsePrediction(exampleAnswer({ no_digit: null })).noDigit, null);
});

test("finds the two likeliest digits", () => {
  assert.deepEqual(likeliest({ probabilities: [0.1, 0.5, 0.05, 0.3, 0.05, 0, 0, 0, 0, 0] }), [1, 3]);
  assert.deepEqual(likeliest({ probabilities: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0] }), [0, 1]);
});

test("ignores unknown fields and tolerates 32-bit rounding", () => {
  const certain = [0, 0, 0, 0, 0, 1.0000001, 0, 0, 0, 0];
  assert.equal(parsePrediction(exampleAnswer({ probabilities: certain, confidence: 1.0000001, drift: 0.1 })).digit, 5);
});

const NINE = Array(9).fill(1 / 9);
const REFUSED = [
  [/not an object/, [null, 5, "5"]],
  [/digit/, [[], {}, { detail: "no" }]],
  [/digit/, [{ digit: 10 }, { digit: -1 }, { digit: 2.5 }, { digit: "5" }, { is_digit: false }, { digit: null }].map(exampleAnswer)],
  [/is_digit/, [{ is_digit: undefined }, { is_digit: 1 }].map(exampleAnswer)],
  [/best guess/, [{ best_guess: 4 }, { ...NO_DIGIT, best_guess: 10 }].map(exampleAnswer)],
  [/no_digit/, [{ no_digit: undefined }, { no_digit: { probability: 0.5 } }].map(exampleAnswer)],
  [/ten numbers/, [undefined, NINE, ...[null, "0", -0.1, 97].map((first) => [first, ...NINE])].map((probabilities) => exampleAnswer({ probabilities }))],
  [/sum to 1/, [0.2, 0].map((each) => exampleAnswer({ probabilities: Array(10).fill(each) }))],
  [/confidence/, [exampleAnswer({ confidence: undefined }), exampleAnswer({ confidence: 97.3 }), { ...exampleAnswer(), confidence: NaN }]],
  [/model version/, [{ model_version: undefined }, { model_version: 3 }].map(exampleAnswer)],
  [/prediction id/, [exampleAnswer({ prediction_id: undefined })]],
  [/28 rows/, [undefined, null, Array(784).fill(0), rows(0, 27), rows(0, 28, 29), rows(255)].map((input) => exampleAnswer({ input }))],
];
for (const [problem, answers] of REFUSED) {
  test(`rejects answers with ${problem}`, () => {
    for (const answer of answers) {
      assert.throws(() => parsePrediction(answer), (error) => error instanceof UnexpectedAnswerError && problem.test(error.message));
    }
  });
}
