import assert from "node:assert/strict";
import { test } from "node:test";

import { UnexpectedAnswerError, parseAnswer } from "../../services/frontend/js/prediction.js";
import { curvePoints, isStillKnown, parseTrainingResult } from "../../services/frontend/js/training-result.js";
import { exampleAnswer, tensor } from "./example-answer.js";

const prediction = (digit) => exampleAnswer({ digit, best_guess: digit });
const noDigit = exampleAnswer({ digit: null, is_digit: false });

const known = (changes = {}) => ({ input: tensor([28, 28], Array(784).fill(0.5)), before: prediction(7), after: prediction(1), ...changes });

function answer(changes = {}) {
  const gradient = tensor([2], [0.25, -1]);
  const layer = { name: "dense", declaration: { dense: { units: 2 } }, gradient, parameters_norm: 3, gradient_norm: 2, update_norm: 0.02 };
  return { model_version: "m", losses: [2.5, 1], before: prediction(5), after: prediction(3), diverged: false, layers: [layer], known: [known()], ...changes };
}

test("parses an answer", () => {
  assert.equal(parseTrainingResult(answer({ after: null, diverged: true })).after, null);
  const { losses, before, after, layers } = parseTrainingResult(answer());
  assert.deepEqual(losses, [2.5, 1]);
  assert.deepEqual([before, after], [prediction(5), prediction(3)].map(parseAnswer));
  assert.deepEqual(layers, [
    {
      name: "dense",
      options: { units: 2 },
      activations: { shape: [2], values: new Float32Array([0.25, -1]) },
      parametersNorm: 3,
      gradientNorm: 2,
      updateNorm: 0.02,
    },
  ]);
});

for (const [what, changes] of Object.entries({
  "a loss that is null": { losses: [null] },
  "no losses": { losses: undefined },
  "no prediction before": { before: undefined },
  "an eleventh digit": { after: prediction(10) },
  "no known digits": { known: undefined },
  "a known digit of a wrong size": { known: [known({ input: tensor([2, 2], [0, 0, 0, 0]) })] },
  "a known digit without a prediction": { known: [known({ before: null })] },
  "no layers": { layers: null },
  "a layer without its norms": { layers: [{ name: "relu", declaration: "relu" }] },
})) {
  test(`rejects an answer with ${what}`, () => {
    for (const bad of [answer(changes), null, 5, "text", []]) assert.throws(() => parseTrainingResult(bad), UnexpectedAnswerError);
  });
}

test("a digit is known if copy and model agree", () => {
  const digits = [known(), known({ after: prediction(7) }), known({ after: noDigit }), known({ after: null })];
  assert.deepEqual(parseTrainingResult(answer({ known: digits })).known.map(isStillKnown), [false, true, false, false]);
});

test("the curve runs left to right, with the largest loss at the top", () => {
  for (const [losses, size, points] of [
    [[4, 2, 0], [300, 100], "0.0,0.0 150.0,50.0 300.0,100.0"],
    [[3], [300, 100], "0.0,0.0"],
    [[0], [300, 100], "0.0,100.0"],
    [[null, 2, 1], [100, 10], "50.0,0.0 100.0,5.0"], // nothing was measured at first
    [[2, 1], [100, 10, 4], "0.0,5.0 100.0,7.5"], // on the scale of another curve
  ]) {
    assert.equal(curvePoints(losses, ...size), points);
  }
});
