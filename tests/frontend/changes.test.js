import assert from "node:assert/strict";
import { test } from "node:test";

import { Changes, changesInWords } from "../../services/frontend/js/changes.js";

test("a unit can be switched off and on, and stays off during edits", () => {
  const changes = new Changes();
  changes.toggle(2, 7);
  assert.deepEqual(changes.list, [{ layer: 2, unit: 7 }]);
  assert.deepEqual([changes.isOff(2, 7), changes.isOff(2, 8), changes.isOff(1, 7)], [true, false, false]);
  changes.edit(2, 7, 12, 0.5);
  assert.deepEqual(changes.list.at(-1), { layer: 2, unit: 7 }); // the last change counts
  changes.toggle(2, 7);
  assert.deepEqual(changes.list, [{ layer: 2, unit: 7, weight: 12, value: 0.5 }]);
});

test("a weight keeps its last value, and all changes can be undone", () => {
  const changes = new Changes();
  changes.edit(0, 3, 12, 0.5);
  changes.edit(0, 3, "bias", 1);
  changes.edit(0, 3, 12, -0.5);
  assert.deepEqual(changes.list, [{ layer: 0, unit: 3, weight: 12, value: -0.5 }, { layer: 0, unit: 3, weight: "bias", value: 1 }]);
  changes.undo();
  assert.deepEqual(changes.list, []);
});

test("describes the number of changes", () => {
  const [off, edited] = [{ layer: 0, unit: 0 }, { layer: 0, unit: 0, weight: 1, value: 1 }];
  assert.equal(changesInWords([]), "");
  assert.match(changesInWords([off]), /1 unit is off\.$/);
  assert.match(changesInWords([off, off, edited]), /2 units are off, and 1 weight is edited\.$/);
});
