import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { KeptFeedback, MOST_AGE_MS, MOST_ENTRIES, STORAGE_KEY } from "../../services/frontend/js/kept-feedback.js";
import { FakeStorage, forbidden } from "./fake-browser.js";

/** @type {FakeStorage} */
let storage;
let now;

/** Open the list, as a tab or a reloaded page does. */
const open = (localStorage = () => storage) => new KeptFeedback(localStorage, () => now);
const request = (id, digit = 3) => ({ prediction_id: String(id), actual_digit: digit });

/** Remove all entries; return [id, digit] of each. */
function takeAll(kept) {
  const taken = [];
  for (let entry = kept.first(); entry; entry = kept.first()) {
    taken.push([entry.request.prediction_id, entry.request.actual_digit]);
    assert.equal(kept.remove(entry), true);
  }
  return taken;
}

beforeEach(() => {
  storage = new FakeStorage();
  now = 1_800_000_000_000;
});

test("keeps entries in order across pages and tabs", () => {
  assert.equal(open().put(request("a")), true);
  assert.equal(open().put(request("b", null)), true);
  assert.deepEqual([...storage.items.keys()], [STORAGE_KEY]);
  const [one, other] = [open(), open()];
  const entry = one.first();
  assert.deepEqual(takeAll(other), [["a", 3], ["b", null]]);
  assert.equal(storage.items.size, 0);
  assert.equal(one.first(), undefined);
  assert.equal(one.remove(entry), false);
});

test("later feedback replaces waiting feedback on the same prediction", () => {
  const kept = open();
  kept.put(request("a", 3));
  const inFlight = kept.first();
  kept.put(request("b", 4));
  kept.put(request("a", 5));
  assert.equal(kept.remove(inFlight), false);
  assert.deepEqual(takeAll(kept), [["b", 4], ["a", 5]]);
});

test("drops the oldest entries beyond the limit, and all after a day", () => {
  const kept = open();
  for (let i = 0; i <= MOST_ENTRIES; i++) kept.put(request(i));
  assert.deepEqual(takeAll(kept).map(([id]) => Number(id)), Array.from({ length: MOST_ENTRIES }, (_, i) => i + 1));
  kept.put(request("a"));
  now += MOST_AGE_MS;
  kept.put(request("b"));
  assert.equal(kept.first().request.prediction_id, "a");
  now += 1;
  assert.equal(kept.first().request.prediction_id, "b");
  kept.put(request("c"));
  assert.equal(JSON.parse(storage.items.get(STORAGE_KEY)).length, 2); // the old entry is removed, not skipped
});

const DAMAGED = [
  ...[null, 7, {}, { time: 1_800_000_000_000 }, { request: { prediction_id: "x", actual_digit: 3 } }],
  ...[{ actual_digit: 3 }, { prediction_id: "x" }].map((request) => ({ time: 1_800_000_000_000, request })),
  ...[10, "3"].map((digit) => ({ time: 1_800_000_000_000, request: request("x", digit) })),
];
for (const text of ["{[oops", "5", '{"time": 1}', JSON.stringify(DAMAGED)]) {
  test(`a storage that holds ${text} counts as empty`, () => {
    storage.items.set(STORAGE_KEY, text);
    assert.equal(open().first(), undefined);
    assert.equal(open().put(request("a")), true);
    const [entry, ...others] = JSON.parse(storage.items.get(STORAGE_KEY));
    assert.deepEqual(others, []);
    storage.items.set(STORAGE_KEY, JSON.stringify([{}, entry, 7]));
    assert.deepEqual(takeAll(open()), [["a", 3]]); // valid entries stay
  });
}

for (const [name, absent] of [["absent", () => undefined], ["forbidden", forbidden]]) {
  test(`if the storage is ${name}, entries stay in memory within the same bounds`, () => {
    const kept = open(absent);
    kept.forget("b");
    for (const [id, digit] of [["a", 3], ["b", 3], ["a", 5]]) assert.equal(kept.put(request(id, digit)), false);
    assert.deepEqual(takeAll(kept), [["b", 3], ["a", 5]]);
    for (let i = 0; i <= MOST_ENTRIES; i++) kept.put(request(i));
    assert.equal(takeAll(kept).length, MOST_ENTRIES);
    kept.put(request("a"));
    now += MOST_AGE_MS + 1;
    assert.equal(kept.first(), undefined);
  });
}

test("if the storage is full, later entries stay in memory", () => {
  const kept = open();
  kept.put(request("a"));
  storage.broken.add("setItem");
  assert.equal(kept.put(request("b")), false);
  storage.broken.add("removeItem");
  assert.deepEqual(takeAll(kept), [["a", 3], ["b", 3]]);
});
