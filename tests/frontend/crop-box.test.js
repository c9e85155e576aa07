import assert from "node:assert/strict";
import { test } from "node:test";

import { boxBetween, dragBox, fitInto, gripAt, roundBox, wholeBox } from "../../services/frontend/js/crop-box.js";

const size = { width: 400, height: 100 };
const box = { left: 100, top: 20, width: 60, height: 40 };

test("an image fits into the canvas and is centered", () => {
  assert.deepEqual(fitInto(size, { width: 280, height: 280 }), { left: 0, top: 105, scale: 0.7 });
  assert.deepEqual(fitInto({ width: 28, height: 28 }, { width: 640, height: 280 }), { left: 180, top: 0, scale: 10 });
});

test("a pointer holds the near sides, or the whole box", () => {
  const places = [[101, 21], [130, 40], [159, 40], [130, 66], [94, 40], [90, 40], [130, 80]];
  assert.deepEqual(places.map((place) => gripAt(box, place, 8)), [[-1, -1], [0, 0], [1, 0], [0, 1], [-1, 0], null, null]);
  assert.deepEqual(gripAt({ ...box, width: 8, height: 8 }, [104, 24], 8), [0, 0]); // a small box can still be moved
});

test("a dragged side stays in the image and apart from the other side", () => {
  for (const [grip, distance, expected] of [
    [[1, 1], [10, 5], [100, 20, 70, 45]],
    [[1, 1], [999, 999], [100, 20, 300, 80]],
    [[1, 1], [-999, -999], [100, 20, 10, 10]],
    [[-1, 0], [-999, 7], [0, 20, 160, 40]],
    [[-1, -1], [999, 999], [150, 50, 10, 10]],
    [[0, 0], [999, -999], [340, 0, 60, 40]],
  ]) {
    assert.deepEqual(Object.values(dragBox(box, grip, distance, size, 10)), expected, String([grip, distance]));
  }
});

test("a new box lies between two corners, and in the image", () => {
  for (const [one, other, expected] of [
    [[50, 80], [20, 10], [20, 10, 30, 70]],
    [[-30, -5], [20, 500], [0, 0, 20, 100]],
    [[399, 99], [400, 100], [390, 90, 10, 10]],
    [[500, 50], [600, 60], [390, 50, 10, 10]],
  ]) {
    assert.deepEqual(Object.values(boxBetween(one, other, size, 10)), expected, String([one, other]));
  }
  const tiny = { width: 3, height: 3 };
  assert.deepEqual(boxBetween([1, 1], [2, 2], tiny, 10), wholeBox(tiny));
});

test("a box is sent in whole pixels", () => {
  assert.deepEqual(Object.values(roundBox({ left: 1.4, top: 2.6, width: 3.4, height: 3.2 }, size)), [1, 3, 4, 3]);
  assert.deepEqual(Object.values(roundBox({ left: 399.7, top: 0.2, width: 0.3, height: 0.1 }, size)), [399, 0, 1, 1]);
});
