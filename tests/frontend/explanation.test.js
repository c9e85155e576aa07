import assert from "node:assert/strict";
import { test } from "node:test";

import { attribution, leadLost, parseExplanation, softmaxSteps } from "../../services/frontend/js/explanation.js";
import { UnexpectedAnswerError } from "../../services/frontend/js/prediction.js";
import { exampleAnswer, tensor } from "./example-answer.js";

const gradients = (logits, fill) => tensor([logits, 28, 28], Array.from({ length: logits * 784 }, (_, i) => fill(Math.floor(i / 784), i % 784)));

const relu = (activations) => ({ name: "relu", declaration: "relu", activations });
const conv2d = { name: "conv2d", declaration: { conv2d: { filters: 2, kernel_size: 5 } }, activations: tensor([2, 1, 2], [0.1, -2, 3, 4]) };
const inked = (ink) => Array.from({ length: 28 }, (_, row) => Array.from({ length: 28 }, (_, column) => ink(row, column)));
const answer = (changes = {}) => exampleAnswer({
  layers: [conv2d, relu(tensor([4], [0.1, 0, 3, 4]))],
  logits: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -3],
  temperature: 2,
  gradients: gradients(11, (logit, pixel) => logit + pixel / 1024),
  ...changes,
});

test("parses layers with exact 32-bit floats", () => {
  const { layers, temperature, occlusion } = parseExplanation(answer());
  const activations = { shape: [2, 1, 2], values: new Float32Array([0.1, -2, 3, 4]) };
  assert.deepEqual(layers[0], { name: "conv2d", options: { filters: 2, kernel_size: 5 }, activations });
  assert.deepEqual([layers[1].name, layers[1].options, temperature, occlusion], ["relu", {}, 2, null]);
});

for (const [what, changes] of Object.entries({
  "no layers": { layers: undefined },
  "a layer without a name": { layers: [{ activations: tensor([1], [1]) }] },
  "fewer activations than in its shape": { layers: [relu(tensor([3], [1, 2]))] },
  "activations that are not base64": { layers: [relu({ shape: [1], float32: "%" })] },
  "logits with a null among them": { logits: [1, 2, 3, 4, 5, 6, 7, 8, 9, null] },
  "nine logits": { logits: [1, 2, 3, 4, 5, 6, 7, 8, 9] },
  "a temperature of zero": { temperature: 0 },
  "gradients of another number of logits": { gradients: gradients(10, () => 0) },
  "an occlusion of another number of logits": { occlusion: gradients(10, () => 0) },
  "no prediction": { probabilities: [] },
})) {
  test(`rejects an answer with ${what}`, () => {
    assert.throws(() => parseExplanation(answer(changes)), UnexpectedAnswerError);
  });
}

test("softmax divides the ten digits' logits by the temperature, without overflow", () => {
  const steps = softmaxSteps(parseExplanation(answer()));
  assert.deepEqual([steps.length, steps[9].logit, steps[9].power, steps[7].power], [10, 10, 1, Math.exp(-1)]);
  assert.ok(Math.abs(steps.reduce((sum, { probability }) => sum + probability, 0) - 1) < 1e-12);
  const [first] = softmaxSteps({ logits: [5000, 4999, ...Array(8).fill(0)], temperature: 1 });
  assert.ok(Math.abs(first.probability - 1 / (1 + Math.exp(-1))) < 1e-12);
});

test("saliency is ink times gradient, and against a rival the difference of both", () => {
  const values = attribution(parseExplanation(answer({ input: inked((row, column) => (row === 1 && column === 2 ? 0.5 : 0)) })), 3);
  assert.equal(values[30], 0.5 * (3 + 30 / 1024));
  assert.equal(values.filter((value) => value !== 0).length, 1);
  const apart = attribution(parseExplanation(answer({ input: inked(() => 1) })), 7, 2);
  assert.ok(apart.every((value) => Math.abs(value - 5) < 1e-5));
});

test("occlusion gives the loss of the lead", () => {
  const { occlusion } = parseExplanation(answer({ occlusion: gradients(11, (logit, pixel) => 2 * logit * pixel) }));
  assert.deepEqual([...leadLost(occlusion, 5, 3).slice(0, 3)], [0, 4, 8]);
});
