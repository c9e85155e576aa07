// The two layers of the learning path's second chapter.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  CORNERS,
  asOneNeuron,
  biasFor,
  fold,
  freshLayers,
  isRight,
  normalFrom,
  outputSays,
  unitSays,
} from "../../services/frontend/learn/js/layer.js";

const OR = { weights: [1, 1], bias: -0.5, v: 1 };
const AND = { weights: [1, 1], bias: -1.5, v: -3 };
const LAYERS = { units: [OR, AND], bias: -0.2 };

/** @param {number} value */
const rounded = (value) => Number(value.toFixed(9));

test("or, minus three times and, is right at all four corners: with the bend", () => {
  const said = CORNERS.map((corner) => outputSays(LAYERS, corner, true));
  assert.deepEqual(said.map(rounded), [-0.2, 0.3, 0.3, -0.2]);
  assert.ok(CORNERS.every((corner, i) => isRight(corner, said[i])));
});

test("zero is right nowhere", () => {
  assert.ok(!CORNERS.some((corner) => isRight(corner, 0)));
});

test("without the bend the two layers are one neuron", () => {
  const one = asOneNeuron(LAYERS);
  assert.deepEqual([...one.weights, one.bias].map(rounded), [-2, -2, 3.8]);
  for (const x of /** @type {[number, number][]} */ ([[0, 0], [1, 0], [-0.3, 0.7], [2, 1]])) {
    assert.equal(rounded(outputSays(LAYERS, x, false)), rounded(unitSays({ ...one, v: 0 }, x, false)));
  }
});

test("a fold ends where it meets the square's edges", () => {
  const sorted = (/** @type {any} */ ends) => ends.map((/** @type {number[]} */ end) => end.map(rounded)).sort();
  assert.deepEqual(sorted(fold(OR, 0, 1)), [[0, 0.5], [0.5, 0]]);
  assert.deepEqual(sorted(fold({ weights: [2, 0], bias: -1, v: 1 }, 0, 1)), [[0.5, 0], [0.5, 1]]);
  assert.deepEqual(sorted(fold({ weights: [1, -1], bias: 0, v: 1 }, 0, 1)), [[0, 0], [1, 1]]); // from corner to corner
});

test("a unit that folds elsewhere, or nowhere, has no fold in the square", () => {
  assert.equal(fold({ weights: [1, 1], bias: -3, v: 1 }, 0, 1), null);
  assert.equal(fold({ weights: [0, 0], bias: 1, v: 1 }, 0, 1), null);
});

test("a fold goes through the place it is laid through", () => {
  assert.equal(unitSays({ ...OR, bias: biasFor(OR, [0.25, 0.5]) }, [0.25, 0.5], false), 0);
});

test("fresh weights have the variance that digitnet gives them, and no bias", () => {
  const { units, bias } = freshLayers(8, () => 1);
  assert.equal(bias, 0);
  assert.equal(units.length, 8);
  assert.deepEqual(units[0], { weights: [1, 1], bias: 0, v: 0.5 }); // the roots of 2 / 2 and of 2 / 8
});

test("normal draws have mean 0 and variance 1", () => {
  let state = 1;
  const uniform = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const draws = Array.from({ length: 20000 }, () => normalFrom(uniform));
  const mean = draws.reduce((sum, each) => sum + each, 0) / draws.length;
  const variance = draws.reduce((sum, each) => sum + each * each, 0) / draws.length;
  assert.ok(Math.abs(mean) < 0.03, String(mean));
  assert.ok(Math.abs(variance - 1) < 0.05, String(variance));
});
