import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { KeptFeedback } from "../../services/frontend/js/kept-feedback.js";
import { FIRST_WAIT_MS, RetryQueue, MAX_RETRY_AFTER_MS, MIN_RETRY_AFTER_MS, UNKNOWN_MS } from "../../services/frontend/js/retry-queue.js";
import { FakeClock, FakeStorage, forbidden, settled } from "./fake-browser.js";

const RECEIVED = { received: true };
const GONE = { error: "Input Not Accepted: …" };
const UNKNOWN = { error: "Not Found: …", isUnknown: true };
const down = (retryAfterMs = null) => ({ error: "Service Unavailable: …", mayPass: true, retryAfterMs });
const request = (id, digit = 3) => ({ prediction_id: id, actual_digit: digit });

let storage, clock;

/** `sent`: requests of all tabs as "id digit". `answers`: the service's answer by id, or `all`. */
let sent, answers;

/** Open a tab. `sent`: its requests; `news`: outcomes of stored feedback. */
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

/** Open a tab that stored feedback on `ids` during an outage. `now` has the service's answers after it. */
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

test("stores neither received nor rejected feedback", async () => {
  const { retryQueue, news } = openTab();
  for (const outcome of [RECEIVED, GONE]) {
    answers.all = outcome;
    assert.deepEqual(await retryQueue.send(request("a")), outcome);
    await settled();
    assert.deepEqual(news, []);
    assertNothingWaits();
  }
});

test("stores feedback after a temporary failure and retries until it is received", async () => {
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

test("doubles the wait up to a minute, and resets it after a success", async () => {
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

test("follows Retry-After within bounds", async () => {
  const { retryQueue } = openTab();
  for (const [retryAfter, wait] of [[5000, 5000], [5000, 5000], [0, MIN_RETRY_AFTER_MS], [1e12, MAX_RETRY_AFTER_MS]]) {
    answers.all = down(retryAfter);
    await (clock.waits.length > 0 ? clock.advance(clock.waits[0]) : retryQueue.send(request("a")));
    assert.deepEqual(clock.waits, [wait]);
  }
  assert.equal(sent.length, 4);
});

test("sends at once after a reload or when the network returns", async () => {
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

test("sends stored feedback one by one in order, and stops at a failure", async () => {
  await openTabThatKept(["a", "b", "c"]);
  const inFlight = [];
  let reply;
  const tab = openTab({ send: ({ prediction_id }) => new Promise((answer) => { inFlight.push(prediction_id); reply = answer; }) });
  const round = tab.retryQueue.sendKept();
  await tab.retryQueue.sendKept(); // no second round at the same time
  await settled();
  assert.deepEqual(inFlight, ["a"]);
  reply(RECEIVED);
  await settled();
  assert.deepEqual(inFlight, ["a", "b"]);
  reply(down());
  await round;
  assert.deepEqual(inFlight, ["a", "b"]);
  assert.deepEqual(tab.news, [["a", RECEIVED]]);
});

test("a success sends stored feedback, and a rejected entry does not block others", async () => {
  const { retryQueue, news } = await openTabThatKept(["a", "b"], { a: GONE, all: RECEIVED });
  assert.deepEqual(await retryQueue.send(request("c")), RECEIVED);
  await settled();
  assert.deepEqual(sent, ["c 3", "a 3", "b 3"]);
  assert.deepEqual(news, [["a", GONE], ["b", RECEIVED]]);
  assertNothingWaits();
});

test("retries an unknown prediction once, because another replica may still log it", async () => {
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

test("sends only the last feedback on a prediction", async () => {
  for (const outcome of [down(), RECEIVED]) {
    const { retryQueue } = await openTabThatKept(["a"], { all: outcome });
    await retryQueue.send(request("a", 5));
    answers.all = RECEIVED;
    await retryQueue.sendKept();
    assert.deepEqual(sent, outcome === RECEIVED ? ["a 5"] : ["a 5", "a 5"]);
  }
});

test("without storage, feedback waits on the page", async () => {
  answers.all = down();
  const { retryQueue, news } = openTab({ localStorage: forbidden });
  assert.deepEqual(await retryQueue.send(request("a")), { kept: "on the page" });
  answers.all = RECEIVED;
  await clock.advance(FIRST_WAIT_MS);
  assert.deepEqual([sent, news], [["a 3", "a 3"], [["a", RECEIVED]]]);
});

test("a tab tries later while another tab sends", async () => {
  const locks = { request: async (_, { ifAvailable }, work) => work(ifAvailable ? null : {}) };
  const { retryQueue } = await openTabThatKept(["a"], { all: RECEIVED }, { locks });
  await retryQueue.sendKept();
  assert.deepEqual([sent, clock.waits], [[], [2 * FIRST_WAIT_MS]]);
});

test("another tab sends the rest after a tab closes, even without locks", async () => {
  await openTabThatKept(["a"]);
  openTab({ send: () => new Promise(() => {}) }).retryQueue.sendKept(); // never answered
  await settled();
  const next = openTab({ locks: { request: async () => forbidden() } });
  await next.retryQueue.sendKept();
  assert.deepEqual(next.sent, ["a 3"]);
});
