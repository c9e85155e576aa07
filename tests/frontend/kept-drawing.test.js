import assert from "node:assert/strict";
import { test } from "node:test";

import { KeptDrawing, STORAGE_KEY } from "../../services/frontend/js/kept-drawing.js";
import { MAX_POINTS } from "../../services/frontend/js/prediction-request.js";
import { countPoints } from "../../services/frontend/js/thinning.js";
import { FakeStorage, forbidden } from "./fake-browser.js";

test("restores a bounded drawing, and stores nothing for an empty canvas", () => {
  const storage = new FakeStorage();
  const kept = new KeptDrawing(() => storage);
  kept.write([[[1.26, 2], [640, 280]], [[5, 5]]]);
  assert.deepEqual(new KeptDrawing(() => storage).read(), [[[1.3, 2], [640, 280]], [[5, 5]]]);
  kept.write(Array.from({ length: 300 }, (_, i) => Array.from({ length: 100 }, (_, j) => [j, i % 280])));
  const points = countPoints(kept.read());
  assert.ok(points > 0 && points <= MAX_POINTS, String(points));
  kept.write([]);
  assert.equal(storage.items.size, 0);
  assert.deepEqual(kept.read(), []);
});

test("works without storage", () => {
  const kept = new KeptDrawing(forbidden);
  kept.write([[[1, 2]]]);
  assert.deepEqual(kept.read(), []);
  const full = new FakeStorage();
  full.broken.add("setItem");
  new KeptDrawing(() => full).write([[[1, 2]]]);
});

test("ignores other stored values", () => {
  const storage = new FakeStorage();
  const tooLong = JSON.stringify([Array(MAX_POINTS + 1).fill([1, 2])]);
  for (const text of ["", "no JSON", "7", "null", "[[]]", "[[[1]]]", '[[["1", 2]]]', "[[[1, 281]]]", "[[[641, 1]]]", "[[[1, -1]]]", '{"length": 1}', tooLong]) {
    storage.setItem(STORAGE_KEY, text);
    assert.deepEqual(new KeptDrawing(() => storage).read(), [], text.slice(0, 20));
  }
});
