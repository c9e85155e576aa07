// The convolution of the learning path's sixth chapter.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  cellsBetween,
  convolve,
  DRAWINGS,
  FILTERS,
  furthest,
  maxPool,
  moved,
  shortly,
  SIDE,
  windowAt,
} from "../../services/frontend/learn/js/convolution.js";
import { relu } from "../../services/frontend/learn/js/neuron.js";

const [verticalEdge] = FILTERS.map(({ weights }) => weights);
const sum = (/** @type {number[]} */ values) => values.reduce((a, b) => a + b, 0);

test("a window is three rows of three pixels, and each weight meets the pixel at its own place", () => {
  const picture = Array.from({ length: 16 }, (_, i) => i);
  assert.deepEqual(windowAt(picture, 4, 1, 1), [5, 6, 7, 9, 10, 11, 13, 14, 15]);
  assert.deepEqual(convolve(picture, 4, [0, 0, 0, 1, 0, 0, 0, 0, 0]), [4, 5, 8, 9]);
});

test("an upright bar has an edge at its left, and one with a minus at its right", () => {
  const bar = Array.from({ length: 36 }, (_, i) => (i % 6 === 2 || i % 6 === 3 ? 1 : 0));
  assert.deepEqual(convolve(bar, 6, verticalEdge).slice(0, 4), [3, 3, -3, -3]);
});

test("pooling keeps the largest of each square", () => {
  assert.deepEqual(maxPool([1, 2, -3, -4, 0, 5, -2, -1, 0, 0, 0, 9, 0, 0, 8, 0], 4), [5, -1, 0, 9]);
});

test("a drawing that moves takes its map along", () => {
  const places = SIDE - 2;
  for (const drawing of Object.values(DRAWINGS)) {
    const [before, after] = [drawing, moved(drawing, 1)].map((picture) => convolve(picture, SIDE, verticalEdge));
    assert.ok(before.some((value) => value !== 0));
    for (let i = 0; i < before.length; i += 1) if (i % places > 0) assert.equal(after[i], before[i - 1]);
  }
});

test("what leaves a drawing on one side does not come in on the other", () => {
  const full = new Array(SIDE * SIDE).fill(1);
  for (const by of [1, -1]) assert.equal(sum(moved(full, by)), SIDE * (SIDE - 1));
});

test("of the 7's vertical edges, pooled ones change about half as much when it moves by a pixel", () => {
  const maps = [DRAWINGS[7], moved(DRAWINGS[7], 1)].map((picture) => convolve(picture, SIDE, verticalEdge).map(relu));
  const change = (/** @type {number[][]} */ [a, b]) => sum(a.map((value, i) => Math.abs(value - b[i]))) / (sum(a) + sum(b));
  const ratio = change(maps.map((map) => maxPool(map, SIDE - 2))) / change(maps);
  assert.ok(ratio > 0.4 && ratio < 0.6, String(ratio));
});

test("full colour is as far as a filter gets", () => {
  assert.deepEqual(FILTERS.map(({ weights }) => furthest(weights)), [3, 3, 6, 1]);
  assert.equal(furthest(new Array(9).fill(0)), 1);
});

test("a fast hand leaves no cell out", () => {
  assert.deepEqual(cellsBetween({ row: 1, column: 1 }, { row: 2, column: 3 }).map(({ row, column }) => [row, column]), [
    [2, 2],
    [2, 3],
  ]);
  assert.deepEqual(cellsBetween({ row: 1, column: 1 }, { row: 1, column: 1 }), []);
});

test("numbers are said as shortly as can be, with a true minus and no negative zero", () => {
  assert.deepEqual([2, -1, 0.125, -0.00001, 0.1 + 0.2].map(shortly), ["2", "−1", "0.125", "0", "0.3"]);
});
