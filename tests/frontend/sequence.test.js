import assert from "node:assert/strict";
import { test } from "node:test";

import { Sequence } from "../../services/frontend/js/sequence.js";

test("each change of the drawing increases its number", () => {
  const sequence = new Sequence();
  const drawings = [[[[1, 2]]], [[[1, 2], [3, 4]]], [[[1, 2], [3, 4]], [[5, 6]]], [[[1, 2], [3, 4]]], []];
  for (const [before, drawing] of drawings.entries()) {
    assert.equal(sequence.number, before);
    assert.equal(sequence.update(drawing), true);
    assert.equal(sequence.update(drawing), false); // the pen was only lifted
  }
  assert.equal(sequence.number, drawings.length);
});

test("rejects answers to older drawings", () => {
  const sequence = new Sequence();
  assert.deepEqual([2, 2, 1, 3, 2, 3].map((number) => sequence.accept(number)), [true, true, false, true, false, true]);
});
