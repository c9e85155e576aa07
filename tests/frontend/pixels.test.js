import assert from "node:assert/strict";
import { test } from "node:test";

import { toRgba } from "../../services/frontend/js/pixels.js";

const blank = () => Array.from({ length: 28 }, () => Array(28).fill(0));

test("a 28 x 28 picture takes four bytes a pixel", () => {
  const rgba = toRgba(blank());
  assert.ok(rgba instanceof Uint8ClampedArray);
  assert.equal(rgba.length, 28 * 28 * 4);
});

test("paper is opaque black", () => {
  assert.deepEqual([...toRgba(blank()).slice(0, 4)], [0, 0, 0, 255]);
});

test("ink is white, and half ink is grey", () => {
  assert.deepEqual([...toRgba([[1, 0.5]])], [255, 255, 255, 255, 128, 128, 128, 255]);
});

test("rows run from the top and columns from the left", () => {
  const rows = blank();
  rows[2][5] = 1;
  const rgba = toRgba(rows);
  const lit = [...rgba.keys()].filter((i) => i % 4 === 0 && rgba[i] === 255);
  assert.deepEqual(lit, [(2 * 28 + 5) * 4]);
});

test("a value a little over 1 is white, not wrapped round to black", () => {
  assert.equal(toRgba([[1.0000001]])[0], 255);
});
