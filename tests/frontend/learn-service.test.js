// The stack of the learning path's last chapter: its rules are those of nginx.conf, the model store and the trainer's test.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ofOne, percent } from "../../services/frontend/learn/js/service-words.js";
import {
  MARGIN,
  MOMENTS,
  SIGNIFICANCE,
  TRIES,
  availability,
  compared,
  isGoodEnough,
  killed,
  liveModel,
  newStack,
  pEqual,
  published,
  rolledBack,
  scaled,
  sent,
  started,
  tested,
  versionOf,
} from "../../services/frontend/learn/js/service.js";

const PROJECT = new URL("../../", import.meta.url);
const [LIVE, BETTER, WORSE] = [31, 25, 213]; // of 10,000 digits misread

/** The stack after so many drawings, and the versions that answered them. */
function send(stack, times) {
  const versions = [];
  let now = stack;
  for (let i = 0; i < times; i += 1) {
    const { stack: after, version } = sent(now);
    now = after;
    versions.push(version);
  }
  return { stack: now, versions };
}

test("the limits are those of nginx.conf and params.yaml", () => {
  const nginx = readFileSync(new URL("services/frontend/nginx.conf", PROJECT), "utf8");
  assert.equal(Number(/proxy_next_upstream_tries (\d+);/.exec(nginx)[1]), TRIES);
  assert.match(nginx, /resolver .* valid=1s/); // MOMENTS to a second
  const parameters = readFileSync(new URL("params.yaml", PROJECT), "utf8");
  assert.equal(Number(/^ {2}margin: ([\d.]+)/m.exec(parameters)[1]), MARGIN);
  assert.equal(Number(/^ {2}significance: ([\d.]+)/m.exec(parameters)[1]), SIGNIFICANCE);
});

test("nobody notices that a replica is gone, and after a second nginx does not ask it any more", () => {
  const first = send(killed(newStack(3, LIVE), 0), MOMENTS);
  assert.deepEqual(first.stack.counts, { sent: 4, answered: 4, retried: 2, failed: 0 });
  const later = send(first.stack, 20);
  assert.deepEqual(later.stack.counts, { sent: 24, answered: 24, retried: 2, failed: 0 });
});

test("no more than three are asked, and where none is known none", () => {
  const dead = [0, 1, 2, 3].reduce(killed, newStack(4, LIVE));
  const { asked, version } = sent(dead);
  assert.deepEqual([asked, version], [[0, 1, 2], null]);
  const { stack } = send(dead, MOMENTS);
  assert.deepEqual(sent(stack).asked, []);
  assert.match(ofOne([], null, null, stack.replicas), /knows no replica. It says 502, and the page: “Connection Failed/);
  const back = sent(started(stack, 2));
  assert.deepEqual([back.asked, back.version], [[2], versionOf(LIVE)]);
});

test("a better candidate becomes live, and each replica follows within a second, one after the other", () => {
  const { stack, passes } = tested(published(newStack(4, LIVE), BETTER, true));
  assert.equal(passes, true);
  assert.deepEqual([stack.store.live, stack.store.candidate, stack.store.history], [versionOf(BETTER), null, [versionOf(LIVE)]]);
  let now = stack;
  const updated = () => now.replicas.filter(({ live }) => live === versionOf(BETTER)).length;
  const seen = [updated()];
  for (let i = 0; i < MOMENTS; i += 1) {
    now = sent(now).stack;
    seen.push(updated());
  }
  assert.deepEqual(seen, [0, 1, 2, 3, 4]);
  assert.equal(now.counts.failed, 0);
});

test("until it is tested a candidate is in every replica, and answers nobody", () => {
  const { stack, versions } = send(published(newStack(3, LIVE), WORSE, true), 2 * MOMENTS);
  assert.deepEqual(stack.replicas.map(({ candidate }) => candidate), Array(3).fill(versionOf(WORSE)));
  assert.deepEqual(new Set(versions), new Set([versionOf(LIVE)]));
});

test("a candidate that is refused, and one that is damaged, leave what is live as it was", () => {
  const before = newStack(3, LIVE);
  const { stack, passes } = tested(published(before, WORSE, true));
  assert.equal(passes, false);
  assert.deepEqual([stack.store.live, stack.store.candidate, stack.store.history], [versionOf(LIVE), null, []]);
  assert.equal(published(before, BETTER, false), before);
});

test("a rollback makes live what was live before, once more goes back one further, and then there is nothing left", () => {
  let stack = newStack(2, LIVE);
  for (const misreads of [81, 131]) ({ stack } = tested(published(stack, misreads, true)));
  assert.equal(stack.store.live, versionOf(131)); // ten times a little worse passes, too
  stack = rolledBack(stack);
  assert.deepEqual([stack.store.live, stack.store.history], [versionOf(81), [versionOf(LIVE)]]);
  stack = rolledBack(stack);
  assert.deepEqual([stack.store.live, stack.store.history], [versionOf(LIVE), []]);
  assert.equal(rolledBack(stack), stack);
});

test("a replica that dies during a change comes back with what is live by then", () => {
  const { stack } = tested(published(killed(newStack(2, LIVE), 0), BETTER, true));
  assert.equal(started(stack, 0).replicas[0].live, versionOf(BETTER));
  assert.deepEqual(scaled(stack, 3).replicas[2].live, versionOf(BETTER));
});

test("versions of all networks that can be made differ, and the same network has the same one", () => {
  const all = Array.from({ length: 201 }, (_, i) => versionOf(20 + i));
  assert.equal(new Set(all).size, all.length);
  assert.equal(versionOf(LIVE), versionOf(LIVE));
});

test("equal networks differ by chance alone, and a little worse is good enough", () => {
  assert.equal(pEqual(compared(LIVE, LIVE)), 1);
  assert.equal(pEqual({ digits: 100, onlyCandidate: 1, onlyLive: 4 }).toFixed(4), "0.3750"); // 2 (1 + 5) / 2^5
  assert.deepEqual([60, 104, 105].map((misreads) => isGoodEnough(compared(misreads, LIVE))), [true, true, false]);
});

test("three replicas that are each up 99% of the time fail together once in a million", () => {
  assert.equal((1 - availability(0.99, 3)).toExponential(4), "1.0000e-6");
  assert.deepEqual([0.9, 0.9969, 0.999999].map(percent), ["90%", "99.69%", "99.9999%"]);
});

test("what is really live is known where a stack answers, and otherwise nothing is said", async () => {
  const answers = (ok, content) => async () => ({ ok, json: async () => content });
  const card = { version: "568fd74b0612", test: { accuracy: 0.9969 } };
  assert.deepEqual(await liveModel(answers(true, card)), { version: "568fd74b0612", accuracy: 0.9969 });
  assert.equal(await liveModel(answers(false, { detail: "no model yet" })), null);
  assert.equal(await liveModel(answers(true, { version: "568fd74b0612" })), null);
  assert.equal(await liveModel(() => Promise.reject(new TypeError("no network"))), null);
});
