// The simulated stack of the last chapter follows nginx.conf, the model store and the trainer's test.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ofOne, percent } from "../../services/frontend/learn/js/service-words.js";
import * as service from "../../services/frontend/learn/js/service.js";

const { TICKS_PER_SECOND, compared, killed, liveModel, newStack, pEqual, published, rolledBack, sent, started, tested, versionOf } = service;
const PROJECT = new URL("../../", import.meta.url);
const [LIVE, BETTER, WORSE] = [31, 25, 213]; // of 10,000 digits misread

/** Send `times` drawings; return the stack and the versions that answered. */
function send(stack, times) {
  const versions = [];
  for (let i = 0; i < times; i += 1) {
    const { stack: after, version } = sent(stack);
    stack = after;
    versions.push(version);
  }
  return { stack, versions };
}

/** Assert the store's live version, candidate and history. */
const assertStore = ({ store }, ...expected) => assert.deepEqual([store.live, store.candidate, store.history], expected);

test("the limits are those of nginx.conf and params.yaml", () => {
  const nginx = readFileSync(new URL("services/frontend/nginx.conf", PROJECT), "utf8");
  assert.equal(Number(/proxy_next_upstream_tries (\d+);/.exec(nginx)[1]), service.MAX_ATTEMPTS);
  assert.match(nginx, /resolver .* valid=1s/); // the lifetime of an address
  const parameters = readFileSync(new URL("params.yaml", PROJECT), "utf8");
  assert.equal(Number(/^ {2}margin: ([\d.]+)/m.exec(parameters)[1]), service.MARGIN);
  assert.equal(Number(/^ {2}significance: ([\d.]+)/m.exec(parameters)[1]), service.SIGNIFICANCE);
});

test("nginx retries on another replica, and drops a killed one after a second", () => {
  const first = send(killed(newStack(3, LIVE), 0), TICKS_PER_SECOND);
  assert.deepEqual(first.stack.counts, { sent: 4, answered: 4, retried: 2, failed: 0 });
  const later = send(first.stack, 20);
  assert.deepEqual(later.stack.counts, { sent: 24, answered: 24, retried: 2, failed: 0 });
});

test("nginx tries at most three replicas", () => {
  const dead = [0, 1, 2, 3].reduce(killed, newStack(4, LIVE));
  const { asked, version } = sent(dead);
  assert.deepEqual([asked, version], [[0, 1, 2], null]);
  const { stack } = send(dead, TICKS_PER_SECOND);
  assert.deepEqual(sent(stack).asked, []);
  assert.match(ofOne([], null, null, stack.replicas), /no replica.*502/);
  const back = sent(started(stack, 2));
  assert.deepEqual([back.asked, back.version], [[2], versionOf(LIVE)]);
});

test("a candidate answers only after it passes, and replicas follow one by one", () => {
  const waiting = send(published(newStack(4, LIVE), BETTER, true), 2 * TICKS_PER_SECOND);
  assert.deepEqual(waiting.stack.replicas.map(({ candidate }) => candidate), Array(4).fill(versionOf(BETTER)));
  assert.deepEqual(new Set(waiting.versions), new Set([versionOf(LIVE)]));
  let { stack } = tested(waiting.stack);
  assertStore(stack, versionOf(BETTER), null, [versionOf(LIVE)]);
  for (let updated = 0; updated <= TICKS_PER_SECOND; updated += 1) {
    assert.equal(stack.replicas.filter(({ live }) => live === versionOf(BETTER)).length, updated);
    stack = sent(stack).stack;
  }
  assert.equal(stack.counts.failed, 0);
});

test("rejected and damaged models change nothing, and rollback restores the previous one", () => {
  const before = newStack(2, LIVE);
  const refused = tested(published(before, WORSE, true));
  assert.equal(refused.passes, false);
  assertStore(refused.stack, versionOf(LIVE), null, []);
  assert.equal(published(before, BETTER, false), before);
  let stack = before;
  for (const misreads of [81, 131]) ({ stack } = tested(published(stack, misreads, true)));
  assertStore(stack, versionOf(131), null, [versionOf(LIVE), versionOf(81)]); // a little worse passes, twice
  stack = rolledBack(rolledBack(stack));
  assertStore(stack, versionOf(LIVE), null, []);
  assert.equal(rolledBack(stack), stack);
});

test("a new replica serves the live version", () => {
  const { stack } = tested(published(killed(newStack(2, LIVE), 0), BETTER, true));
  assert.equal(started(stack, 0).replicas[0].live, versionOf(BETTER));
  assert.equal(service.scaled(stack, 3).replicas[2].live, versionOf(BETTER));
});

test("versions are distinct, equal models have p = 1, and percentages have enough decimals", () => {
  assert.equal(new Set(Array.from({ length: 402 }, (_, i) => versionOf(20 + (i % 201)))).size, 201);
  assert.equal(pEqual(compared(LIVE, LIVE)), 1);
  assert.equal(pEqual({ digits: 100, onlyCandidate: 1, onlyLive: 4 }).toFixed(4), "0.3750"); // 2 (1 + 5) / 2^5
  assert.deepEqual([0.9, 0.9969, 0.999999].map(percent), ["90%", "99.69%", "99.9999%"]);
});

test("reports no live model without a stack", async () => {
  const card = { version: "5871b5287b83", test: { accuracy: 0.9968 } };
  const answers = (ok, content) => async () => ({ ok, json: async () => content });
  for (const fetch of [answers(false, card), answers(true, { version: "5871b5287b83" }), () => Promise.reject(new TypeError("no network"))]) {
    assert.equal(await liveModel(fetch), null);
  }
});
