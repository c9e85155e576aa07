// The neuron of the learning path's first chapter.

import assert from "node:assert/strict";
import { test } from "node:test";

import { field, relu, weightedSum } from "../../services/frontend/learn/js/neuron.js";

test("it adds up its inputs, each times its weight, and its bias", () => {
  assert.equal(weightedSum([0.5, -1, 2], 0.1, [1, 0.5, 0.25]).toFixed(6), "0.600000");
  assert.equal(weightedSum([], 0.25, []), 0.25);
});

test("it says nothing below zero", () => {
  assert.deepEqual([-1, 0, 2.5].map(relu), [0, 0, 2.5]);
});

test("the field begins at the top left: x1 is -1 there, and x2 is 1", () => {
  assert.deepEqual([...field(([x1]) => x1, 3)], [-1, 0, 1, -1, 0, 1, -1, 0, 1]);
  assert.deepEqual([...field(([, x2]) => x2, 3)].map((value) => value + 0), [1, 1, 1, 0, 0, 0, -1, -1, -1]);
});
