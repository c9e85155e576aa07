import assert from "node:assert/strict";
import { test } from "node:test";

import { countPoints, pickEvenly, roundStroke, thinStrokes } from "../../services/frontend/js/thinning.js";

/** A stroke of `length` different points. */
const line = (length) => Array.from({ length }, (_, i) => [i / 100, 0]);

test("rounds coordinates and drops repeated points in a copy", () => {
  for (const [stroke, rounded] of [
    [[[1.04, 1.06], [139.96, 0]], [[1, 1.1], [140, 0]]],
    [[[1, 1], [1.01, 1.02], [1.04, 0.98], [2, 1]], [[1, 1], [2, 1]]],
    [[[7, 7], [7, 7], [7, 7]], [[7, 7]]], // a pen held still
    [[[1, 1], [2, 2], [1, 1]], [[1, 1], [2, 2], [1, 1]]],
    [[[1, 1], [1, 2], [2, 2]], [[1, 1], [1, 2], [2, 2]]],
  ]) {
    const before = JSON.stringify(stroke);
    assert.deepEqual(roundStroke(stroke), rounded);
    assert.equal(JSON.stringify(stroke), before);
  }
});

test("thins only drawings above the limit", () => {
  const strokes = [line(60), line(40)];
  assert.equal(thinStrokes(strokes, 100), strokes);
  assert.equal(countPoints(thinStrokes([line(101)], 100)), 100);
});

test("thins strokes evenly and keeps both ends", () => {
  const strokes = [line(8000), line(2000), [[9, 9]]];
  const thinned = thinStrokes(strokes, 1000);
  assert.ok(countPoints(thinned) <= 1000);
  [800, 200, 1].forEach((expected, i) => assert.ok(Math.abs(thinned[i].length - expected) <= 3, `${thinned[i].length}`));
  thinned.forEach((stroke, i) => assert.deepEqual([stroke[0], stroke.at(-1)], [strokes[i][0], strokes[i].at(-1)]));
  const kept = thinStrokes([line(10_000)], 1000)[0].map(([x]) => Math.round(x * 100));
  const gaps = kept.slice(1).map((index, i) => index - kept[i]);
  assert.ok(Math.min(...gaps) >= 10 && Math.max(...gaps) <= 11, `gaps ${Math.min(...gaps)}..${Math.max(...gaps)}`);
});

test("drops whole dots above the limit", () => {
  const thinned = thinStrokes(Array.from({ length: 6000 }, (_, i) => [[i, i]]), 5000);
  assert.ok(countPoints(thinned) <= 5000 && thinned.length > 1000);
  assert.deepEqual([thinned[0], thinned.at(-1)], [[[0, 0]], [[5999, 5999]]]);
});

test("picks the first, the last and even steps between", () => {
  assert.deepEqual(pickEvenly([0, 1, 2, 3, 4, 5, 6, 7, 8], 3), [0, 4, 8]);
  assert.deepEqual(pickEvenly([0, 1, 2], 3), [0, 1, 2]);
  assert.deepEqual(pickEvenly([0, 1, 2], 1), [0]);
});
