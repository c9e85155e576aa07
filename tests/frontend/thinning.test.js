import assert from "node:assert/strict";
import { test } from "node:test";

import { countPoints, pickEvenly, roundStroke, thinStrokes } from "../../services/frontend/js/thinning.js";

/** A stroke of `length` different points. */
const line = (length) => Array.from({ length }, (_, i) => [i / 100, 0]);

test("coordinates are rounded to one decimal", () => {
  assert.deepEqual(roundStroke([[1.04, 1.06], [139.96, 0]]), [[1, 1.1], [140, 0]]);
});

test("points that are equal after rounding are kept once", () => {
  assert.deepEqual(roundStroke([[1, 1], [1.01, 1.02], [1.04, 0.98], [2, 1]]), [[1, 1], [2, 1]]);
});

test("a pen held still becomes a dot, not nothing", () => {
  assert.deepEqual(roundStroke([[7, 7], [7, 7], [7, 7]]), [[7, 7]]);
});

test("a pen that comes back to a point keeps both visits", () => {
  assert.deepEqual(roundStroke([[1, 1], [2, 2], [1, 1]]), [[1, 1], [2, 2], [1, 1]]);
});

test("points that differ in one coordinate only are all kept", () => {
  assert.deepEqual(roundStroke([[1, 1], [1, 2], [2, 2]]), [[1, 1], [1, 2], [2, 2]]);
});

test("rounding leaves the recorded drawing as it was", () => {
  const stroke = [[1.23, 4.56]];
  roundStroke(stroke);
  assert.deepEqual(stroke, [[1.23, 4.56]]);
});

test("a drawing exactly at the limit is not thinned", () => {
  const strokes = [line(60), line(40)];
  assert.equal(thinStrokes(strokes, 100), strokes);
});

test("one point too many brings the drawing within the limit", () => {
  const thinned = thinStrokes([line(101)], 100);
  assert.equal(countPoints(thinned), 100);
});

test("every stroke keeps both ends", () => {
  const strokes = [line(3000), line(10), line(5000)];
  const thinned = thinStrokes(strokes, 500);
  assert.ok(countPoints(thinned) <= 500);
  thinned.forEach((stroke, i) => {
    assert.deepEqual(stroke[0], strokes[i][0]);
    assert.deepEqual(stroke.at(-1), strokes[i].at(-1));
  });
});

test("points are dropped evenly along a stroke", () => {
  const kept = thinStrokes([line(10_000)], 1000)[0].map(([x]) => Math.round(x * 100));
  const gaps = kept.slice(1).map((index, i) => index - kept[i]);
  assert.ok(Math.min(...gaps) >= 10 && Math.max(...gaps) <= 11, `gaps ${Math.min(...gaps)}..${Math.max(...gaps)}`);
});

test("strokes lose points in proportion to their length", () => {
  const [long, short] = thinStrokes([line(8000), line(2000)], 1000);
  assert.ok(Math.abs(long.length - 800) <= 3, `${long.length}`);
  assert.ok(Math.abs(short.length - 200) <= 3, `${short.length}`);
});

test("a dot survives beside a stroke that is far too long", () => {
  const thinned = thinStrokes([[[9, 9]], line(9000)], 100);
  assert.deepEqual(thinned[0], [[9, 9]]);
});

test("more dots than the limit are thinned to whole dots within it", () => {
  const dots = Array.from({ length: 6000 }, (_, i) => [[i, i]]);
  const thinned = thinStrokes(dots, 5000);
  assert.ok(countPoints(thinned) <= 5000);
  assert.ok(thinned.length > 1000);
  assert.deepEqual(thinned[0], [[0, 0]]);
  assert.deepEqual(thinned.at(-1), [[5999, 5999]]);
});

test("picking evenly takes the first, the last and equal steps between", () => {
  assert.deepEqual(pickEvenly([0, 1, 2, 3, 4, 5, 6, 7, 8], 3), [0, 4, 8]);
  assert.deepEqual(pickEvenly([0, 1, 2], 3), [0, 1, 2]);
  assert.deepEqual(pickEvenly([0, 1, 2], 1), [0]);
});
