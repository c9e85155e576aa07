import assert from "node:assert/strict";
import { test } from "node:test";

import { Changes, changesInWords } from "../../services/frontend/js/changes.js";

test("a unit is switched off, and on again", () => {
  const changes = new Changes();
  changes.toggle(2, 7);
  assert.deepEqual(changes.list, [{ layer: 2, unit: 7 }]);
  assert.deepEqual([changes.isOff(2, 7), changes.isOff(2, 8), changes.isOff(1, 7)], [true, false, false]);
  changes.toggle(2, 7);
  assert.deepEqual(changes.list, []);
});

test("a weight has the value that it was given last", () => {
  const changes = new Changes();
  changes.edit(0, 3, 12, 0.5);
  changes.edit(0, 3, 13, 1);
  changes.edit(0, 3, 12, -0.5);
  assert.deepEqual(changes.list, [{ layer: 0, unit: 3, weight: 12, value: -0.5 }, { layer: 0, unit: 3, weight: 13, value: 1 }]);
});

test("a unit that is off stays off when it is edited, and has its edits when it is on again", () => {
  const changes = new Changes();
  changes.toggle(0, 3);
  changes.edit(0, 3, 12, 0.5);
  assert.deepEqual(changes.list.at(-1), { layer: 0, unit: 3 }); // the last one counts
  changes.toggle(0, 3);
  assert.deepEqual(changes.list, [{ layer: 0, unit: 3, weight: 12, value: 0.5 }]);
});

test("all of it can be undone", () => {
  const changes = new Changes();
  changes.toggle(0, 3);
  changes.edit(1, 1, "bias", 2);
  changes.undo();
  assert.deepEqual(changes.list, []);
});

test("it is said how many there are, and nothing where there are none", () => {
  assert.equal(changesInWords([]), "");
  const off = { layer: 0, unit: 0 };
  const edited = { layer: 0, unit: 0, weight: 1, value: 1 };
  assert.match(changesInWords([off]), /1 unit is off\.$/);
  assert.match(changesInWords([off, off, edited]), /2 units are off, and 1 weight is edited\.$/);
  assert.match(changesInWords([edited, edited]), /2 weights are edited\.$/);
});
