import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { KeptFeedback } from "../../services/frontend/js/kept-feedback.js";
import { FIRST_WAIT_MS, RetryQueue, MAX_RETRY_AFTER_MS, MIN_RETRY_AFTER_MS, UNKNOWN_MS } from "../../services/frontend/js/retry-queue.js";
import { FakeClock, FakeStorage, forbidden, settled } from "./fake-browser.js";

const RECEIVED = { received: true };
const GONE = { error: "Drawing Not Accepted: …" };
const UNKNOWN = { error: "Not Found: …", isUnknown: true };
const down = (retryAfterMs = null) => ({ error: "Service Unavailable: …", mayPass: true, retryAfterMs });
const request = (id, digit = 3) => ({ prediction_id: id, actual_digit: digit });

let storage, clock;

/** What the service was sent, by all tabs: "id digit". And what it answers: to all, or to the id. */
let sent, answers;

/** A tab with the page. `sent`: what this one sent; `news`: what it was told of what was kept. */
function openTab({ locks, localStorage = () => storage, send } = {}) {
  const tab = { sent: [], news: [] };
  const answer = async ({ prediction_id, actual_digit }) => {
    for (const list of [sent, tab.sent]) list.push(`${prediction_id} ${actual_digit}`);
    return answers[prediction_id] ?? answers.all;
  };
  tab.retryQueue = new RetryQueue(send ?? answer, {
    kept: new KeptFeedback(localStorage, () => clock.now),
    timer: clock,
    locks,
    onSettled: (id, outcome) => tab.news.push([id, outcome]),
  });
  return tab;
}

/** A tab that has kept the feedback to these, since the service was down; now it answers so, and nothing counts as sent. */
async function openTabThatKept(ids, now = { all: RECEIVED }, options = {}) {
  answers = { all: down() };
  const tab = openTab(options);
  for (const id of ids) assert.deepEqual(await tab.retryQueue.send(request(id)), { kept: "on the device" });
  answers = now;
  sent.length = 0;
  return tab;
}

function assertNothingWaits() {
  assert.equal(storage.items.size, 0);
  assert.deepEqual(clock.waits, []);
}

beforeEach(() => {
  storage = new FakeStorage();
  clock = new FakeClock();
  sent = [];
  answers = { all: RECEIVED };
});

test("what is received at once, or refused for good, is not kept", async () => {
  const { retryQueue, news } = openTab();
  for (const outcome of [RECEIVED, GONE]) {
    answers.all = outcome;
    assert.deepEqual(await retryQueue.send(request("a")), outcome);
    await settled();
    assert.deepEqual(news, []);
    assertNothingWaits();
  }
});

test("what may pass later is kept and sent again until it is received, once", async () => {
  const { news } = await openTabThatKept(["a"], { all: down() });
  assert.deepEqual(clock.waits, [FIRST_WAIT_MS]);
  await clock.advance(FIRST_WAIT_MS - 1);
  assert.equal(sent.length, 0);
  await clock.advance(1);
  assert.deepEqual([sent, news], [["a 3"], []]);
  answers.all = RECEIVED;
  await clock.advance(clock.waits[0]);
  assert.deepEqual([sent, news], [["a 3", "a 3"], [["a", RECEIVED]]]);
  assertNothingWaits();
});

test("the wait doubles with each failure, to a minute, and begins anew after a success", async () => {
  const { retryQueue } = await openTabThatKept(["a"], { all: down() });
  const waits = [];
  for (let i = 0; i < 8; i++) {
    waits.push(...clock.waits);
    await clock.advance(clock.waits[0]);
  }
  assert.deepEqual(waits, [2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => 1000 * seconds));
  answers.all = RECEIVED;
  await clock.advance(clock.waits[0]);
  answers.all = down();
  await retryQueue.send(request("b"));
  assert.deepEqual(clock.waits, [FIRST_WAIT_MS]);
});

test("where the service says when to come again it is asked then, but not without a pause, nor after days", async () => {
  const { retryQueue } = openTab();
  for (const [retryAfter, wait] of [[5000, 5000], [5000, 5000], [0, MIN_RETRY_AFTER_MS], [1e12, MAX_RETRY_AFTER_MS]]) {
    answers.all = down(retryAfter);
    await (clock.waits.length > 0 ? clock.advance(clock.waits[0]) : retryQueue.send(request("a")));
    assert.deepEqual(clock.waits, [wait]);
  }
  assert.equal(sent.length, 4);
});

test("when the network is back, or the page loaded again, it is sent at once, and the timer is off", async () => {
  const first = await openTabThatKept(["a"]);
  await first.retryQueue.sendKept();
  assert.deepEqual(sent, ["a 3"]);
  assertNothingWaits();
  await openTabThatKept(["a"]);
  const reloaded = openTab();
  await reloaded.retryQueue.sendKept();
  assert.deepEqual(reloaded.sent, ["a 3"]);
  assert.equal(storage.items.size, 0);
});

test("all that waits is sent one at a time and in order, and a failure ends the round", async () => {
  await openTabThatKept(["a", "b", "c"]);
  const under = [];
  let reply;
  const tab = openTab({ send: ({ prediction_id }) => new Promise((answer) => { under.push(prediction_id); reply = answer; }) });
  const round = tab.retryQueue.sendKept();
  await tab.retryQueue.sendKept(); // no second round beside the first
  await settled();
  assert.deepEqual(under, ["a"]);
  reply(RECEIVED);
  await settled();
  assert.deepEqual(under, ["a", "b"]);
  reply(down());
  await round;
  assert.deepEqual(under, ["a", "b"]);
  assert.deepEqual(tab.news, [["a", RECEIVED]]);
});

test("once one is received what waits follows at once, and what is refused for good is told and holds up nobody", async () => {
  const { retryQueue, news } = await openTabThatKept(["a", "b"], { a: GONE, all: RECEIVED });
  assert.deepEqual(await retryQueue.send(request("c")), RECEIVED);
  await settled();
  assert.deepEqual(sent, ["c 3", "a 3", "b 3"]);
  assert.deepEqual(news, [["a", GONE], ["b", RECEIVED]]);
  assertNothingWaits();
});

test("a prediction that is unknown may still be on its way to other replicas: it counts as unknown the second time", async () => {
  const { retryQueue, news } = await openTabThatKept(["a", "b"], { a: UNKNOWN, all: RECEIVED });
  await retryQueue.sendKept();
  assert.deepEqual([news, clock.waits], [[], [UNKNOWN_MS]]);
  answers.a = RECEIVED;
  await clock.advance(UNKNOWN_MS);
  assert.deepEqual(news, [["a", RECEIVED], ["b", RECEIVED]]);

  const next = await openTabThatKept(["c"], { all: UNKNOWN });
  await next.retryQueue.sendKept();
  await clock.advance(UNKNOWN_MS);
  assert.deepEqual(next.news, [["c", UNKNOWN]]);
  assertNothingWaits();
});

test("of two words on one prediction the last is sent, and the first never after it", async () => {
  for (const outcome of [down(), RECEIVED]) {
    const { retryQueue } = await openTabThatKept(["a"], { all: outcome });
    await retryQueue.send(request("a", 5));
    answers.all = RECEIVED;
    await retryQueue.sendKept();
    assert.deepEqual(sent, outcome === RECEIVED ? ["a 5"] : ["a 5", "a 5"]);
  }
});

test("without a storage it waits on the page, and that is said", async () => {
  answers.all = down();
  const { retryQueue, news } = openTab({ localStorage: forbidden });
  assert.deepEqual(await retryQueue.send(request("a")), { kept: "on the page" });
  answers.all = RECEIVED;
  await clock.advance(FIRST_WAIT_MS);
  assert.deepEqual([sent, news], [["a 3", "a 3"], [["a", RECEIVED]]]);
});

test("a tab looks again later while another one sends", async () => {
  const locks = { request: async (_, { ifAvailable }, work) => work(ifAvailable ? null : {}) };
  const { retryQueue } = await openTabThatKept(["a"], { all: RECEIVED }, { locks });
  await retryQueue.sendKept();
  assert.deepEqual([sent, clock.waits], [[], [2 * FIRST_WAIT_MS]]);
});

test("a tab that is closed while it sends leaves the rest to the next, also where locks are refused", async () => {
  await openTabThatKept(["a"]);
  openTab({ send: () => new Promise(() => {}) }).retryQueue.sendKept(); // for ever
  await settled();
  const next = openTab({ locks: { request: async () => forbidden() } });
  await next.retryQueue.sendKept();
  assert.deepEqual(next.sent, ["a 3"]);
});
