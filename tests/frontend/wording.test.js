import assert from "node:assert/strict";
import { test } from "node:test";

import {
  answerInWords,
  bestGuessText,
  confidenceText,
  formatPercentage,
  formatScore,
  resultText,
} from "../../services/frontend/js/wording.js";

test("a percentage has one decimal and never reaches 100%", () => {
  for (const [probability, text] of [
    ...[[0, "0.0%"], [1e-9, "0.0%"], [0.00049, "0.0%"], [0.00051, "0.1%"], [0.001, "0.1%"], [0.1, "10.0%"]],
    ...[[0.57, "57.0%"], [0.973, "97.3%"], [0.9949, "99.5%"], [0.99949, "99.9%"], [0.9996, ">99.9%"]],
    ...[[0.99999994, ">99.9%"], [1, ">99.9%"], [1.0000001, ">99.9%"]], // 32-bit floats
  ]) {
    assert.equal(formatPercentage(probability), text, String(probability));
  }
});

test("a score has two decimals, and zero has no sign", () => {
  assert.deepEqual([-1.234, -0.006, -0.004, -0, 0].map(formatScore), ["−1.23", "−0.01", "0.00", "0.00", "0.00"]);
});

test("describes a digit with its confidence, and no digit with a best guess", () => {
  const sure = { digit: 5, isDigit: true, confidence: 0.973 };
  const unsure = { digit: null, isDigit: false, bestGuess: 3, confidence: 0.812 };
  const texts = (answer) => [resultText(answer), confidenceText(answer), bestGuessText(answer), answerInWords(answer)];
  assert.deepEqual(texts(sure), ["Digit: 5", "97.3% confident", "", "a 5 (97.3%)"]);
  assert.equal(resultText({ ...sure, digit: 0 }), "Digit: 0");
  assert.deepEqual(texts(unsure), ["Not sure that is a digit", "", "Best guess: 3", "no digit (81.2%)"]);
  assert.equal(bestGuessText({ ...unsure, bestGuess: null }), "");
});
