import assert from "node:assert/strict";
import { test } from "node:test";

import { largest, mosaic, signedRgba } from "../../services/frontend/js/maps.js";

const pixel = (rgba, i) => [...rgba.slice(4 * i, 4 * i + 4)];

test("above zero is yellow, below it blue, and zero is black", () => {
  const rgba = signedRgba([2, 0, -2], 2);
  assert.deepEqual([0, 1, 2].map((i) => pixel(rgba, i)), [[255, 212, 0, 255], [0, 0, 0, 255], [74, 158, 255, 255]]);
});

test("a quarter of the largest is half as bright, and what is beyond the scale is no brighter", () => {
  assert.deepEqual(pixel(signedRgba([0.5, 9], 2), 0), [128, 106, 0, 255]);
  assert.deepEqual(pixel(signedRgba([0.5, 9], 2), 1), [255, 212, 0, 255]);
});

test("the scale is the largest distance from zero, and never zero", () => {
  assert.equal(largest([1, -3, 2]), 3);
  assert.equal(largest(new Float32Array(4)), 1);
});

test("maps stand side by side with a line between them", () => {
  // Three maps of two rows and one column; two beside each other, the third below.
  const { width, height, rgba } = mosaic({ shape: [3, 2, 1], values: new Float32Array([1, 0, 0, -1, 1, 1]) }, 2);
  assert.deepEqual([width, height], [3, 5]);
  const [yellow, blue, black, gap] = [[255, 212, 0, 255], [74, 158, 255, 255], [0, 0, 0, 255], [35, 34, 30, 255]];
  const rows = [
    [yellow, gap, black],
    [black, gap, blue],
    [gap, gap, gap],
    [yellow, gap, gap],
    [yellow, gap, gap],
  ];
  assert.deepEqual(Array.from({ length: 15 }, (_, i) => pixel(rgba, i)), rows.flat());
});

test("each number of a vector is a square", () => {
  const { width, height, rgba } = mosaic({ shape: [2], values: new Float32Array([1, -1]) }, 64);
  assert.deepEqual([width, height], [7, 3]);
  assert.deepEqual([0, 2, 3, 4].map((x) => pixel(rgba, 7 + x)[0]), [255, 255, 35, 74]);
});
