import assert from "node:assert/strict";
import { test } from "node:test";

import { UnexpectedAnswerError, likeliest, parsePrediction } from "../../services/frontend/js/prediction.js";
import { exampleAnswer } from "./example-answer.js";

const rows = (value, height = 28, width = 28) => Array.from({ length: height }, () => Array(width).fill(value));

test("a good answer becomes a prediction", () => {
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

test("a drawing that is no digit is a good answer too", () => {
  const { digit, isDigit, bestGuess } = parsePrediction(exampleAnswer(NO_DIGIT));
  assert.deepEqual([digit, isDigit, bestGuess], [null, false, 5]);
});

test("a blank has no best guess, and a network may have no class for what is no digit", () => {
  assert.equal(parsePrediction(exampleAnswer({ ...NO_DIGIT, best_guess: null })).bestGuess, null);
  assert.equal(parsePrediction(exampleAnswer({ no_digit: null })).noDigit, null);
});

test("the likeliest two digits are found whatever the answer is", () => {
  assert.deepEqual(likeliest({ probabilities: [0.1, 0.5, 0.05, 0.3, 0.05, 0, 0, 0, 0, 0] }), [1, 3]);
  assert.deepEqual(likeliest({ probabilities: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0] }), [0, 1]);
});

test("fields that a later API adds are ignored", () => {
  assert.equal(parsePrediction(exampleAnswer({ drift: 0.1 })).digit, 5);
});

test("the error of 32-bit floats is tolerated", () => {
  const certain = [0, 0, 0, 0, 0, 1.0000001, 0, 0, 0, 0];
  assert.equal(parsePrediction(exampleAnswer({ probabilities: certain, confidence: 1.0000001 })).digit, 5);
});

const NINE = Array(9).fill(1 / 9);
for (const [name, answer, problem] of [
  ["null", null, /not an object/],
  ["a number", 5, /not an object/],
  ["a text", "5", /not an object/],
  ["an empty list", [], /digit/],
  ["an empty object", {}, /digit/],
  ["an error's body", { detail: "no" }, /digit/],
  ["a digit of 10", exampleAnswer({ digit: 10 }), /digit/],
  ["a digit of -1", exampleAnswer({ digit: -1 }), /digit/],
  ["a digit of 2.5", exampleAnswer({ digit: 2.5 }), /digit/],
  ["a digit as text", exampleAnswer({ digit: "5" }), /digit/],
  ["a digit beside is_digit false", exampleAnswer({ is_digit: false }), /digit/],
  ["no digit beside is_digit true", exampleAnswer({ digit: null }), /digit/],
  ["another best guess than the digit", exampleAnswer({ best_guess: 4 }), /best guess/],
  ["a best guess of 10", exampleAnswer({ ...NO_DIGIT, best_guess: 10 }), /best guess/],
  ["no_digit missing", exampleAnswer({ no_digit: undefined }), /no_digit/],
  ["no_digit without its threshold", exampleAnswer({ no_digit: { probability: 0.5 } }), /no_digit/],
  ["is_digit missing", exampleAnswer({ is_digit: undefined }), /is_digit/],
  ["is_digit as a number", exampleAnswer({ is_digit: 1 }), /is_digit/],
  ["probabilities missing", exampleAnswer({ probabilities: undefined }), /ten numbers/],
  ["nine probabilities", exampleAnswer({ probabilities: NINE }), /ten numbers/],
  ["a probability of null, as JSON makes of NaN", exampleAnswer({ probabilities: [null, ...NINE] }), /ten numbers/],
  ["a probability as text", exampleAnswer({ probabilities: ["0", ...NINE] }), /ten numbers/],
  ["a negative probability", exampleAnswer({ probabilities: [-0.1, ...NINE] }), /ten numbers/],
  ["a probability of 97 for 97%", exampleAnswer({ probabilities: [97, ...NINE] }), /ten numbers/],
  ["probabilities that sum to 2", exampleAnswer({ probabilities: Array(10).fill(0.2) }), /sum to 1/],
  ["probabilities that sum to 0", exampleAnswer({ probabilities: Array(10).fill(0) }), /sum to 1/],
  ["confidence missing", exampleAnswer({ confidence: undefined }), /confidence/],
  ["confidence in per cent", exampleAnswer({ confidence: 97.3 }), /confidence/],
  ["model version missing", exampleAnswer({ model_version: undefined }), /model version/],
  ["model version a number", exampleAnswer({ model_version: 3 }), /model version/],
  ["prediction id missing", exampleAnswer({ prediction_id: undefined }), /prediction id/],
  ["input missing", exampleAnswer({ input: undefined }), /28 rows/],
  ["input null", exampleAnswer({ input: null }), /28 rows/],
  ["input of 784 numbers in one row", exampleAnswer({ input: Array(784).fill(0) }), /28 rows/],
  ["input of 27 rows", exampleAnswer({ input: rows(0, 27) }), /28 rows/],
  ["input of 29 columns", exampleAnswer({ input: rows(0, 28, 29) }), /28 rows/],
  ["input of bytes up to 255", exampleAnswer({ input: rows(255) }), /28 rows/],
]) {
  test(`refused: ${name}`, () => {
    assert.throws(() => parsePrediction(answer), (error) => error instanceof UnexpectedAnswerError && problem.test(error.message));
  });
}

test("refused: NaN itself", () => {
  const answer = { ...exampleAnswer(), confidence: NaN };
  assert.throws(() => parsePrediction(answer), UnexpectedAnswerError);
});
