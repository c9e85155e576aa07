import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { KeptFeedback, MOST_AGE_MS, MOST_ENTRIES, STORAGE_KEY } from "../../services/frontend/js/kept-feedback.js";
import { FakeStorage } from "./fake-browser.js";

/** @type {FakeStorage} */
let storage;
let now;

/** The list as one page has it; another one is another tab, or the page after a reload. */
const open = () => new KeptFeedback(() => storage, () => now);
const request = (id, digit = 3) => ({ prediction_id: String(id), actual_digit: digit });

/** Takes out all that waits: [id, digit] of each. */
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

test("what is kept outlives the page, in order, under one key", () => {
  assert.equal(open().put(request("a")), true);
  assert.equal(open().put(request("b", null)), true);
  assert.deepEqual([...storage.items.keys()], [STORAGE_KEY]);
  assert.deepEqual(takeAll(open()), [["a", 3], ["b", null]]);
  assert.equal(storage.items.size, 0);
});

test("what is said later of the same prediction takes the place of what waits", () => {
  const kept = open();
  kept.put(request("a", 3));
  kept.put(request("b", 4));
  kept.put(request("a", 5));
  assert.deepEqual(takeAll(kept), [["b", 4], ["a", 5]]);
});

test("an entry whose place another one has taken does not take that one along", () => {
  const kept = open();
  kept.put(request("a", 3));
  const onItsWay = kept.first();
  kept.put(request("a", 5));
  assert.equal(kept.remove(onItsWay), false);
  assert.deepEqual(takeAll(kept), [["a", 5]]);
});

test("what another tab has taken out is out", () => {
  const [one, other] = [open(), open()];
  one.put(request("a"));
  const entry = other.first();
  other.remove(entry);
  assert.equal(one.first(), undefined);
  assert.equal(one.remove(entry), false);
});

test("of too many the oldest go", () => {
  const kept = open();
  for (let i = 0; i <= MOST_ENTRIES; i++) kept.put(request(i));
  const ids = takeAll(kept).map(([id]) => Number(id));
  assert.deepEqual(ids, Array.from({ length: MOST_ENTRIES }, (_, i) => i + 1));
});

test("after a day nobody sends it any more", () => {
  const kept = open();
  kept.put(request("a"));
  now += MOST_AGE_MS;
  kept.put(request("b"));
  assert.equal(kept.first().request.prediction_id, "a");
  now += 1;
  assert.equal(kept.first().request.prediction_id, "b");
  kept.put(request("c"));
  assert.equal(JSON.parse(storage.items.get(STORAGE_KEY)).length, 2); // the old one is not only passed over
});

for (const [name, text] of [
  ["no JSON", "{[oops"],
  ["an empty text", ""],
  ["null", "null"],
  ["a number", "5"],
  ["an object", '{"time": 1}'],
  ["a list of other things", '[null, 3, "a", {}, {"time": 1}, {"request": {}}]'],
  ["entries without a time", '[{"request": {"prediction_id": "x", "actual_digit": 3}}]'],
  ["entries without an id", '[{"time": 1800000000000, "request": {"actual_digit": 3}}]'],
  ["entries without a digit", '[{"time": 1800000000000, "request": {"prediction_id": "x"}}]'],
  ["a digit that is none", '[{"time": 1800000000000, "request": {"prediction_id": "x", "actual_digit": 10}}]'],
  ["a digit that is text", '[{"time": 1800000000000, "request": {"prediction_id": "x", "actual_digit": "3"}}]'],
]) {
  test(`a storage that holds ${name} counts as empty, and is replaced`, () => {
    storage.items.set(STORAGE_KEY, text);
    const kept = open();
    assert.equal(kept.first(), undefined);
    assert.equal(kept.put(request("a")), true);
    assert.equal(JSON.parse(storage.items.get(STORAGE_KEY)).length, 1);
    assert.deepEqual(takeAll(open()), [["a", 3]]);
  });
}

test("what is whole among damaged entries stays", () => {
  open().put(request("a"));
  const [entry] = JSON.parse(storage.items.get(STORAGE_KEY));
  storage.items.set(STORAGE_KEY, JSON.stringify([{}, entry, 7]));
  assert.deepEqual(takeAll(open()), [["a", 3]]);
});

for (const [name, absent] of [
  ["is absent", () => undefined],
  ["is forbidden", () => { throw new DOMException("no", "SecurityError"); }],
]) {
  test(`where the storage ${name} the page's memory does, and says so`, () => {
    const kept = new KeptFeedback(absent, () => now);
    assert.equal(kept.put(request("a", 3)), false);
    assert.equal(kept.put(request("b")), false);
    assert.equal(kept.put(request("a", 5)), false);
    assert.deepEqual(takeAll(kept), [["b", 3], ["a", 5]]);
    for (let i = 0; i <= MOST_ENTRIES; i++) kept.put(request(i));
    assert.equal(takeAll(kept).length, MOST_ENTRIES);
    kept.put(request("a"));
    now += MOST_AGE_MS + 1;
    assert.equal(kept.first(), undefined);
  });
}

test("a full storage keeps what it has; what came after waits in the page's memory", () => {
  const kept = open();
  kept.put(request("a"));
  storage.broken.add("setItem");
  assert.equal(kept.put(request("b")), false);
  assert.deepEqual(takeAll(kept), [["a", 3], ["b", 3]]);
});

test("what a storage does not let go of is taken out once all the same", () => {
  const kept = open();
  kept.put(request("a"));
  kept.put(request("b"));
  storage.broken.add("setItem").add("removeItem");
  assert.deepEqual(takeAll(kept), [["a", 3], ["b", 3]]);
});

test("a storage that throws at everything is no error", () => {
  storage.broken.add("getItem").add("setItem").add("removeItem");
  const kept = open();
  assert.equal(kept.put(request("a")), false);
  kept.forget("b");
  assert.deepEqual(takeAll(kept), [["a", 3]]);
});
