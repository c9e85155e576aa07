// The figures of chapters 1 to 7, where tests/learn does not compare them with digitnet.

import assert from "node:assert/strict";
import { test } from "node:test";

import { GIVEN, backward, forward, steps, written } from "../../services/frontend/learn/js/backpropagation.js";
import { DRAWINGS, FILTERS, SIDE, convolve, furthest, maxPool, moved, shortly } from "../../services/frontend/learn/js/convolution.js";
import { LANDSCAPES, OPTIMIZERS, SCHEDULES, contour, descend, isFlown } from "../../services/frontend/learn/js/gradient-descent.js";
import { biasFor, fold, freshLayers, unitSays } from "../../services/frontend/learn/js/layer.js";
import { crossEntropy, softmax } from "../../services/frontend/learn/js/loss.js";
import { field, relu } from "../../services/frontend/learn/js/neuron.js";
import { NOISE, curve, draw } from "../../services/frontend/learn/js/training-well.js";

const sum = (/** @type {number[]} */ values) => values.reduce((a, b) => a + b, 0);
const rounded = (/** @type {number} */ value) => Number(value.toFixed(9));
const close = (/** @type {number} */ a, /** @type {number} */ b, within = 1e-9) => assert.ok(Math.abs(a - b) < within, `${a} is not ${b}`);

test("layer: a fold ends at the square's edges and passes through its point", () => {
  const ends = (/** @type {number[]} */ weights, /** @type {number} */ bias) =>
    fold({ weights, bias, v: 1 }, 0, 1)?.map((end) => end.map(rounded)).sort() ?? null;
  assert.deepEqual(ends([1, 1], -0.5), [[0, 0.5], [0.5, 0]]);
  assert.deepEqual(ends([2, 0], -1), [[0.5, 0], [0.5, 1]]);
  assert.deepEqual(ends([1, -1], 0), [[0, 0], [1, 1]]); // from corner to corner
  assert.deepEqual([ends([1, 1], -3), ends([0, 0], 1)], [null, null]); // outside, or undefined
  const unit = { weights: [1, 1], bias: -0.5, v: 1 };
  assert.equal(unitSays({ ...unit, bias: biasFor(unit, [0.25, 0.5]) }, [0.25, 0.5], false), 0);
});

test("neuron, layer and loss: order of a field, spread of fresh weights, no overflow", () => {
  assert.deepEqual([...field(([x1, x2]) => x1 + 10 * x2, 2)], [9, 11, -11, -9]);
  const { units, bias } = freshLayers(8, () => 1);
  assert.deepEqual([bias, units.length, units[0]], [0, 8, { weights: [1, 1], bias: 0, v: 0.5 }]); // the roots of 2 / 2 and of 2 / 8
  assert.deepEqual(softmax([1001, 1000]), softmax([1, 0]));
  assert.equal(crossEntropy([2000, 0], 1), 2000); // though its probability rounds to zero
});

test("backpropagation: steps go forward, then backward to every gradient", () => {
  const all = steps(GIVEN);
  assert.equal(all.map(({ node, isBack }) => `${node}${isBack ? "'" : ""}`).join(" "), "x z1 h1 z2 h2 y L y' h1' z1' h2' z2' w1' x'");
  assert.deepEqual(all.flatMap(({ isBack, shows }) => (isBack ? shows : [])).sort(), Object.keys(backward(GIVEN)).sort());
});

test("backpropagation: a rule shows its numbers and whether ReLU passes the gradient", () => {
  assert.deepEqual(forward(GIVEN), { z1: 1.5, h1: 1.5, z2: 0.5, h2: 0.5, y: 1, L: 0.5 });
  const rules = steps(GIVEN).map(({ rule }) => rule);
  assert.equal(rules[1], "z₁ = w₁ · x + b₁ = 0.50 · 2.00 + 0.50 = 1.50.");
  assert.equal(rules.at(-2), "dL/dw₁ = x · dL/dz₁ = 2.00 · −1.00 = −2.00, and dL/dw₂ = x · dL/dz₂ = 2.00 · 2.00 = 4.00.");
  assert.equal(written("w2"), "w₂");
  for (const [given, passes] of [[GIVEN, /the gradient passes/], [{ ...GIVEN, x: 4 }, /no gradient passes/]]) {
    assert.match(steps(given).find(({ node, isBack }) => node === "z2" && isBack).rule, passes);
  }
});

test("gradient descent: the gradient is the loss's slope, and zero at its minimum", () => {
  for (const { name, loss, gradient: slope, lowest } of LANDSCAPES) {
    for (const [a, b] of [[0.3, -1.2], [-1.7, 0.4]]) {
      const [along, across] = [[1e-5, 0], [0, 1e-5]].map(([x, y]) => (loss([a + x, b + y]) - loss([a - x, b - y])) / 2e-5);
      close(along, slope([a, b])[0], 1e-6);
      close(across, slope([a, b])[1], 1e-6);
    }
    assert.ok(Math.hypot(...slope(lowest)) < 1e-8, name);
  }
});

test("gradient descent: only momentum passes the hill, a diverging run ends, noise repeats", () => {
  const run = (/** @type {object} */ changes) =>
    descend({ landscape: LANDSCAPES[1], update: OPTIMIZERS[0].create(), schedule: SCHEDULES[0].rate, rate: 0.02, start: [1.8, 1.2], steps: 100, taken: 100, noise: 0, ...changes });
  assert.deepEqual(OPTIMIZERS.map(({ create }) => Math.sign(run({ update: create() }).at(-1)[0])), [1, -1, 1]);
  const path = run({ rate: 1, start: [2, 2] });
  assert.ok(path.length < 20 && isFlown(path.at(-1)) && path.flat().every(Number.isFinite));
  assert.deepEqual(run({ noise: 2 }), run({ noise: 2 }));
});

test("gradient descent: the contour of a cone is a circle", () => {
  const pieces = contour(([a, b]) => Math.hypot(a, b), 1, 40);
  for (const [a, b] of pieces.flat()) close(Math.hypot(a, b), 1, 0.01);
  close(sum(pieces.map(([one, other]) => Math.hypot(one[0] - other[0], one[1] - other[1]))), 2 * Math.PI, 0.05);
});

test("convolution: a shift drops pixels, and halves the change of pooled maps", () => {
  for (const by of [1, -1]) assert.equal(sum(moved(new Array(SIDE * SIDE).fill(1), by)), SIDE * (SIDE - 1));
  const maps = [DRAWINGS[7], moved(DRAWINGS[7], 1)].map((drawing) => convolve(drawing, SIDE, FILTERS[0].weights).map(relu));
  const change = (/** @type {number[][]} */ [a, b]) => sum(a.map((value, i) => Math.abs(value - b[i]))) / (sum(a) + sum(b));
  const ratio = change(maps.map((map) => maxPool(map, SIDE - 2))) / change(maps);
  assert.ok(ratio > 0.4 && ratio < 0.6, String(ratio));
});

test("convolution: the color scale ends at a filter's maximum, and numbers are short", () => {
  assert.deepEqual(FILTERS.map(({ weights }) => furthest(weights)), [3, 3, 6, 1]);
  assert.deepEqual([2, -1, 0.125, -0.00001, 0.1 + 0.2].map(shortly), ["2", "−1", "0.125", "0", "0.3"]);
});

test("training well: points lie from -1 to 1 with the stated noise", () => {
  const points = draw(7, 5000);
  close(Math.sqrt(sum(points.map(({ x, y }) => (y - curve(x)) ** 2)) / points.length), NOISE, 0.01);
  assert.ok(points.every(({ x }) => x >= -1 && x < 1));
});
