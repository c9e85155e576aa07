import assert from "node:assert/strict";
import { test } from "node:test";

import { Sequence } from "../../services/frontend/js/sequence.js";

test("each change of the drawing gives it another number, and nothing else does", () => {
  const sequence = new Sequence();
  const drawings = [[[[1, 2]]], [[[1, 2], [3, 4]]], [[[1, 2], [3, 4]], [[5, 6]]], [[[1, 2], [3, 4]]], []];
  for (const [before, drawing] of drawings.entries()) {
    assert.equal(sequence.number, before);
    assert.equal(sequence.update(drawing), true);
    assert.equal(sequence.update(drawing), false); // the pen was only lifted
  }
  assert.equal(sequence.number, drawings.length);
});

test("an answer is accepted until one to a newer drawing was", () => {
  const sequence = new Sequence();
  assert.deepEqual([2, 2, 1, 3, 2, 3].map((number) => sequence.accept(number)), [true, true, false, true, false, true]);
});
