import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Sequence } from "../../services/frontend/js/sequence.js";

/** @type {Sequence} */
let sequence;
beforeEach(() => (sequence = new Sequence()));

test("each change of the drawing gives it another number, and nothing else does", () => {
  const drawings = [[[[1, 2]]], [[[1, 2], [3, 4]]], [[[1, 2], [3, 4]], [[5, 6]]], [[[1, 2], [3, 4]]], []];
  for (const drawing of drawings) {
    const before = sequence.number;
    assert.equal(sequence.update(drawing), true);
    assert.notEqual(sequence.number, before);
    assert.equal(sequence.update(drawing), false); // the pen was only lifted
  }
  assert.equal(sequence.number, drawings.length);
});

test("an answer is accepted until one to a newer drawing was", () => {
  assert.deepEqual([2, 2, 1, 3, 2, 3].map((number) => sequence.accept(number)), [true, true, false, true, false, true]);
});
