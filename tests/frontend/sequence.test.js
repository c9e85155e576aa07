import assert from "node:assert/strict";
import { test } from "node:test";

import { Sequence } from "../../services/frontend/js/sequence.js";

test("each change of the input increases its number", () => {
  const sequence = new Sequence();
  const versions = ["1 1", "1 2", "2 3", "1 2", "0 0"];
  for (const [before, version] of versions.entries()) {
    assert.equal(sequence.number, before);
    assert.equal(sequence.update(version), true);
    assert.equal(sequence.update(version), false); // the pen was only lifted
  }
  assert.equal(sequence.number, versions.length);
});

test("rejects answers to older inputs", () => {
  const sequence = new Sequence();
  assert.deepEqual([2, 2, 1, 3, 2, 3].map((number) => sequence.accept(number)), [true, true, false, true, false, true]);
});
