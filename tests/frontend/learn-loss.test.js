// Softmax and the loss of the learning path's third chapter.

import assert from "node:assert/strict";
import { test } from "node:test";

import { crossEntropy, gradient, softmax, stepDownhill } from "../../services/frontend/learn/js/loss.js";

const LOGITS = [0.5, -1, 2.5, 1, -0.5];

/** @param {number[]} values */
const sum = (values) => values.reduce((total, each) => total + each, 0);

test("probabilities add up to one, and one more in a logit is e times the odds", () => {
  const [first, second] = softmax([1, 0]);
  assert.ok(Math.abs(first + second - 1) < 1e-12);
  assert.ok(Math.abs(first / second - Math.E) < 1e-12);
});

test("large logits overflow nothing, and only differences count", () => {
  assert.deepEqual(softmax([1001, 1000]), softmax([1, 0]));
  assert.equal(crossEntropy([2000, 0], 1), 2000); // though its probability rounds to zero
});

test("the loss is the surprise at the truth", () => {
  assert.ok(Math.abs(crossEntropy([0, 0, 0, 0], 2) - Math.log(4)) < 1e-12);
  assert.ok(Math.abs(crossEntropy(LOGITS, 3) + Math.log(softmax(LOGITS)[3])) < 1e-12);
});

test("the gradient is how fast the loss grows with each logit, and adds up to nothing", () => {
  const found = gradient(LOGITS, 3);
  for (const [i, each] of found.entries()) {
    const [more, less] = [1e-5, -1e-5].map((by) => crossEntropy(LOGITS.with(i, LOGITS[i] + by), 3));
    assert.ok(Math.abs((more - less) / 2e-5 - each) < 1e-8, `logit ${i}`);
  }
  assert.ok(Math.abs(sum(found)) < 1e-12);
});

test("a step downhill lowers the loss, and lifts the truth alone", () => {
  const next = stepDownhill(LOGITS, 3, 1);
  assert.ok(crossEntropy(next, 3) < crossEntropy(LOGITS, 3));
  assert.deepEqual(next.map((each, i) => Math.sign(each - LOGITS[i])), [-1, -1, -1, 1, -1]);
});
