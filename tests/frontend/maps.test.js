import assert from "node:assert/strict";
import { test } from "node:test";

import { largest, mosaic, placeAt, placeBeside, signedRgba } from "../../services/frontend/js/maps.js";

const pixel = (rgba, i) => [...rgba.slice(4 * i, 4 * i + 4)];

const [YELLOW, BLUE, BLACK, WHITE, GAP] = [[255, 212, 0], [74, 158, 255], [0, 0, 0], [255, 255, 255], [35, 34, 30]].map((color) => [...color, 255]);

test("positive values are yellow, negative blue, zero black", () => {
  const rgba = signedRgba([2, 0, -2, 0.5, 9], 2);
  assert.deepEqual([0, 1, 2, 3, 4].map((i) => pixel(rgba, i)), [YELLOW, BLACK, BLUE, [128, 106, 0, 255], YELLOW]);
  assert.equal(largest([1, -3, 2]), 3);
  assert.equal(largest(new Float32Array(4)), 1); // never zero
});

test("puts maps side by side with a line between them", () => {
  // Three maps of two rows and one column: two side by side, the third below.
  const { width, height, rgba } = mosaic({ shape: [3, 2, 1], values: new Float32Array([1, 0, 0, -1, 1, 1]) }, 2);
  assert.deepEqual([width, height], [3, 5]);
  const first = [YELLOW, GAP, BLACK, BLACK, GAP, BLUE, GAP, GAP, GAP];
  assert.deepEqual(Array.from({ length: 15 }, (_, i) => pixel(rgba, i)), [...first, YELLOW, GAP, GAP, YELLOW, GAP, GAP]);
});

test("draws each number of a vector as a square, white if marked", () => {
  const vector = { shape: [2], values: new Float32Array([1, -1]) };
  const { width, height, rgba } = mosaic(vector, 64);
  assert.deepEqual([width, height], [7, 3]);
  assert.deepEqual([0, 2, 3, 4].map((x) => pixel(rgba, 7 + x)[0]), [255, 255, 35, 74]);
  assert.deepEqual(pixel(mosaic(vector, 64, [1]).rgba, 4), WHITE);
});

test("maps every pixel of the mosaic to its number", () => {
  const shape = [5, 2, 3];
  const values = Float32Array.from({ length: 30 }, (_, i) => i + 1);
  for (const place of values.keys()) {
    const at = [Math.floor(place / 6), Math.floor(place / 3) % 2, place % 3];
    const { width, height, rgba } = mosaic({ shape, values }, 2, at);
    const found = [];
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) if (String(pixel(rgba, y * width + x)) === String(WHITE)) found.push(placeAt(shape, 2, x, y));
    }
    assert.deepEqual(found, [at]);
  }
});

test("finds nothing between and outside the maps", () => {
  for (const [x, y] of [[3, 0], [0, 2], [-1, 0], [0, -1], [7, 0], [4, 6], [0, 9]]) assert.equal(placeAt([5, 2, 3], 2, x, y), null, `${x}, ${y}`);
  assert.deepEqual(placeAt([5, 2, 3], 2, 0, 6), [4, 0, 0]);
  assert.deepEqual(placeAt([70], 64, 4, 4), [65]);
  assert.equal(placeAt([70], 64, 3, 4), null);
});

test("moves to the next map, and stays at the edge", () => {
  for (const [shape, place, direction, next] of [
    [[5, 2, 3], [0, 0, 0], [1, 0], [0, 0, 1]],
    [[5, 2, 3], [0, 0, 2], [1, 0], [1, 0, 0]],
    [[5, 2, 3], [1, 0, 0], [-1, 0], [0, 0, 2]],
    [[5, 2, 3], [0, 1, 1], [0, 1], [2, 0, 1]],
    [[5, 2, 3], [1, 0, 2], [1, 0], [1, 0, 2]],
    [[5, 2, 3], [3, 1, 0], [0, 1], [3, 1, 0]],
    [[70], [3], [1, 0], [4]],
    [[70], [3], [0, 1], [67]],
    [[70], [9], [0, 1], [9]],
  ]) {
    assert.deepEqual(placeBeside(shape, shape.length === 1 ? 64 : 2, place, direction), next);
  }
});
