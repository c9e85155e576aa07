import assert from "node:assert/strict";
import { test } from "node:test";

import { leadLost, parseExplanation, softmaxSteps, spokenFor } from "../../services/frontend/js/explanation.js";
import { UnexpectedAnswerError } from "../../services/frontend/js/prediction.js";
import { exampleAnswer, tensor } from "./example-answer.js";

const gradients = (logits, fill) => tensor([logits, 28, 28], Array.from({ length: logits * 784 }, (_, i) => fill(Math.floor(i / 784), i % 784)));

/** As the API sends it. */
function answer(changes = {}) {
  return exampleAnswer({
    layers: [
      { name: "conv2d", declaration: { conv2d: { filters: 2, kernel_size: 5 } }, activations: tensor([2, 1, 2], [0.1, -2, 3, 4]) },
      { name: "relu", declaration: "relu", activations: tensor([4], [0.1, 0, 3, 4]) },
    ],
    logits: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -3],
    temperature: 2,
    gradients: gradients(11, (logit, pixel) => logit + pixel / 1024),
    ...changes,
  });
}

test("layers come with their numbers as digitnet has them: 32-bit floats, not a digit lost", () => {
  const { layers, temperature } = parseExplanation(answer());
  assert.deepEqual(layers[0], {
    name: "conv2d",
    options: { filters: 2, kernel_size: 5 },
    activations: { shape: [2, 1, 2], values: new Float32Array([0.1, -2, 3, 4]) },
  });
  assert.deepEqual([layers[1].name, layers[1].options], ["relu", {}]);
  assert.equal(temperature, 2);
});

for (const [what, changes] of Object.entries({
  "no layers": { layers: undefined },
  "a layer without a name": { layers: [{ activations: tensor([1], [1]) }] },
  "activations that are fewer than their shape says": { layers: [{ name: "relu", declaration: "relu", activations: tensor([3], [1, 2]) }] },
  "activations that are no base64": { layers: [{ name: "relu", declaration: "relu", activations: { shape: [1], float32: "%" } }] },
  "logits with a null among them": { logits: [1, 2, 3, 4, 5, 6, 7, 8, 9, null] },
  "nine logits": { logits: [1, 2, 3, 4, 5, 6, 7, 8, 9] },
  "a temperature of zero": { temperature: 0 },
  "gradients of another number of logits": { gradients: gradients(10, () => 0) },
  "no prediction": { probabilities: [] },
})) {
  test(`an answer with ${what} is refused`, () => {
    assert.throws(() => parseExplanation(answer(changes)), UnexpectedAnswerError);
  });
}

test("softmax takes the ten digits' logits, divided by the temperature", () => {
  const steps = softmaxSteps(parseExplanation(answer()));
  assert.equal(steps.length, 10);
  assert.deepEqual([steps[9].logit, steps[9].power], [10, 1]);
  assert.equal(steps[7].power, Math.exp(-1));
  assert.ok(Math.abs(steps.reduce((sum, { probability }) => sum + probability, 0) - 1) < 1e-12);
});

test("logits too large for a power of e are no trouble", () => {
  const steps = softmaxSteps({ logits: [5000, 4999, ...Array(8).fill(0)], temperature: 1 });
  assert.ok(Math.abs(steps[0].probability - 1 / (1 + Math.exp(-1))) < 1e-12);
});

test("ink speaks with its gradient, and paper says nothing", () => {
  const input = Array.from({ length: 28 }, () => Array(28).fill(0));
  input[1][2] = 0.5;
  const values = spokenFor(parseExplanation(answer({ input })), 3);
  assert.equal(values[30], 0.5 * (3 + 30 / 1024));
  assert.equal(values.filter((value) => value !== 0).length, 1);
});

test("beside a rival it is what separates the two", () => {
  const input = Array.from({ length: 28 }, () => Array(28).fill(1));
  const values = spokenFor(parseExplanation(answer({ input })), 7, 2);
  assert.ok(values.every((value) => Math.abs(value - 5) < 1e-5));
});

test("occlusion comes where it was asked for, and says what of a lead is lost", () => {
  assert.equal(parseExplanation(answer()).occlusion, null);
  const { occlusion } = parseExplanation(answer({ occlusion: gradients(11, (logit, pixel) => 2 * logit * pixel) }));
  assert.deepEqual([...leadLost(occlusion, 5, 3).slice(0, 3)], [0, 4, 8]);
  assert.throws(() => parseExplanation(answer({ occlusion: gradients(10, () => 0) })), UnexpectedAnswerError);
});
