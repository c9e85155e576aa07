import assert from "node:assert/strict";
import { test } from "node:test";

import { answerInWords, bestGuessText, confidenceText, formatPercentage, resultText } from "../../services/frontend/js/wording.js";

const sure = { digit: 5, isDigit: true, confidence: 0.973 };
const unsure = { digit: null, isDigit: false, bestGuess: 3, confidence: 0.812 };

for (const [name, probability, text] of [
  ["nothing at all", 0, "0.0%"],
  ["next to nothing", 1e-9, "0.0%"],
  ["just under half a tenth", 0.00049, "0.0%"],
  ["just over half a tenth", 0.00051, "0.1%"],
  ["a tenth of one per cent", 0.001, "0.1%"],
  ["an even share", 0.1, "10.0%"],
  ["a value that binary floats cannot hold", 0.57, "57.0%"],
  ["a usual winner", 0.973, "97.3%"],
  ["a confident winner", 0.9949, "99.5%"],
  ["just under what would round to certainty", 0.99949, "99.9%"],
  ["what would round to certainty", 0.9996, ">99.9%"],
  ["the largest 32-bit float below 1", 0.99999994, ">99.9%"],
  ["what 32-bit floats cannot tell from certainty", 1, ">99.9%"],
  ["that, with a rounding error", 1.0000001, ">99.9%"],
]) {
  test(`percentage: ${name}`, () => assert.equal(formatPercentage(probability), text));
}

test("a digit is announced as the page promises", () => {
  assert.equal(resultText(sure), "Digit: 5");
  assert.equal(resultText({ ...sure, digit: 0 }), "Digit: 0");
  assert.equal(confidenceText(sure), "97.3% confident");
  assert.equal(bestGuessText(sure), "");
});

test("a drawing that is no digit gets a best guess, in a text of its own", () => {
  assert.equal(resultText(unsure), "Not sure that is a digit");
  assert.equal(bestGuessText(unsure), "Best guess: 3");
  assert.equal(confidenceText(unsure), "");
  assert.equal(bestGuessText({ ...unsure, bestGuess: null }), "");
});

test("in a sentence, an answer has its own confidence", () => {
  assert.equal(answerInWords(sure), "a 5 (97.3%)");
  assert.equal(answerInWords(unsure), "no digit (81.2%)");
});
