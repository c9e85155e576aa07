import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import * as module from "../../services/frontend/js/feedback-outbox.js";
import { KeptFeedback } from "../../services/frontend/js/kept-feedback.js";
import { FakeClock, FakeLocks, FakeStorage, settled } from "./fake-browser.js";

const { FIRST_WAIT_MS, FeedbackOutbox, LONGEST_TOLD_MS, LONGEST_WAIT_MS, SHORTEST_TOLD_MS, UNKNOWN_MS } = module;
const RECEIVED = { received: true };
const GONE = { error: "Drawing Not Accepted: …" };
const UNKNOWN = { error: "Not Found: …", isUnknown: true };
const down = (retryAfterMs = null) => ({ error: "Service Unavailable: …", mayPass: true, retryAfterMs });
const request = (id, digit = 3) => ({ prediction_id: id, actual_digit: digit });

/** @type {FakeStorage} */
let storage;
/** @type {FakeClock} */
let clock;

/** What the service was sent, by all tabs: "id digit". */
let sent;

/** What it answers: to all, or to the id. */
let answers;

/** A tab with the page. `sent`: what this one sent; `news`: what it was told of what was kept. */
function openTab({ locks, localStorage = () => storage, send } = {}) {
  const tab = { sent: [], news: [] };
  const answer = async ({ prediction_id, actual_digit }) => {
    for (const list of [sent, tab.sent]) list.push(`${prediction_id} ${actual_digit}`);
    return answers[prediction_id] ?? answers.all;
  };
  tab.outbox = new FeedbackOutbox(send ?? answer, {
    kept: new KeptFeedback(localStorage, () => clock.now),
    timer: clock,
    locks,
    onSettled: (id, outcome) => tab.news.push([id, outcome]),
  });
  return tab;
}

beforeEach(() => {
  storage = new FakeStorage();
  clock = new FakeClock();
  sent = [];
  answers = { all: RECEIVED };
});

test("what is received at once is not kept", async () => {
  const { outbox, news } = openTab();
  assert.deepEqual(await outbox.send(request("a")), RECEIVED);
  assert.equal(storage.items.size, 0);
  await settled();
  assert.deepEqual([clock.waits, news], [[], []]);
});

test("what is refused for good is not kept, and the reason is passed on", async () => {
  answers.all = GONE;
  const { outbox } = openTab();
  assert.deepEqual(await outbox.send(request("a")), GONE);
  assert.equal(storage.items.size, 0);
  assert.deepEqual(clock.waits, []);
});

test("what may pass later is kept and sent again until it is received, once", async () => {
  answers.all = down();
  const { outbox, news } = openTab();
  assert.deepEqual(await outbox.send(request("a")), { kept: "on the device" });
  assert.deepEqual(clock.waits, [FIRST_WAIT_MS]);
  await clock.advance(FIRST_WAIT_MS - 1);
  assert.equal(sent.length, 1);
  await clock.advance(1);
  assert.equal(sent.length, 2);
  assert.deepEqual(news, []);

  answers.all = RECEIVED;
  await clock.advance(clock.waits[0]);
  assert.deepEqual(sent, ["a 3", "a 3", "a 3"]);
  assert.deepEqual(news, [["a", RECEIVED]]);
  assert.equal(storage.items.size, 0);
  assert.deepEqual(clock.waits, []);
});

test("the wait doubles with each failure, to a minute, and begins anew after a success", async () => {
  answers.all = down();
  const { outbox } = openTab();
  await outbox.send(request("a"));
  const waits = [];
  for (let i = 0; i < 8; i++) {
    waits.push(...clock.waits);
    await clock.advance(clock.waits[0]);
  }
  assert.deepEqual(waits, [2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => 1000 * seconds));
  assert.equal(LONGEST_WAIT_MS, 60_000);

  answers.all = RECEIVED;
  await clock.advance(clock.waits[0]);
  answers.all = down();
  await outbox.send(request("b"));
  assert.deepEqual(clock.waits, [FIRST_WAIT_MS]);
});

test("where the service says when to come again it is asked then", async () => {
  answers.all = down(5000);
  const { outbox } = openTab();
  await outbox.send(request("a"));
  for (let i = 0; i < 4; i++) {
    assert.deepEqual(clock.waits, [5000]);
    await clock.advance(5000);
  }
  assert.equal(sent.length, 5);
});

test("but not without a pause, nor after days", async () => {
  const { outbox } = openTab();
  answers.all = down(0);
  await outbox.send(request("a"));
  assert.deepEqual(clock.waits, [SHORTEST_TOLD_MS]);
  answers.all = down(1e12);
  await clock.advance(SHORTEST_TOLD_MS);
  assert.deepEqual(clock.waits, [LONGEST_TOLD_MS]);
});

test("when the network is back it is sent at once, and the appointment is off", async () => {
  answers.all = down();
  const { outbox } = openTab();
  await outbox.send(request("a"));
  answers.all = RECEIVED;
  await outbox.sendKept();
  assert.deepEqual(sent, ["a 3", "a 3"]);
  assert.deepEqual(clock.waits, []);
});

test("a page that is loaded again sends what the one before it kept", async () => {
  answers.all = down();
  await openTab().outbox.send(request("a"));
  answers.all = RECEIVED;
  const reloaded = openTab();
  await reloaded.outbox.sendKept();
  assert.deepEqual(reloaded.sent, ["a 3"]);
  assert.equal(storage.items.size, 0);
});

test("all that waits is sent one at a time and in order, and a failure ends the round", async () => {
  answers.all = down();
  const first = openTab();
  for (const id of ["a", "b", "c"]) await first.outbox.send(request(id));

  const under = [];
  let reply;
  const tab = openTab({ send: ({ prediction_id }) => new Promise((answer) => { under.push(prediction_id); reply = answer; }) });
  const round = tab.outbox.sendKept();
  await tab.outbox.sendKept(); // no second round beside the first
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

test("once one is received what waits follows at once", async () => {
  answers.all = down();
  const { outbox, news } = openTab();
  await outbox.send(request("a"));
  await outbox.send(request("b"));
  answers.all = RECEIVED;
  sent.length = 0;
  assert.deepEqual(await outbox.send(request("c")), RECEIVED);
  await settled();
  assert.deepEqual(sent, ["c 3", "a 3", "b 3"]);
  assert.deepEqual(news, [["a", RECEIVED], ["b", RECEIVED]]);
});

test("what is refused for good in the end goes, is told, and holds up nobody", async () => {
  answers.all = down();
  const { outbox, news } = openTab();
  await outbox.send(request("a"));
  await outbox.send(request("b"));
  answers = { a: GONE, all: RECEIVED };
  await outbox.sendKept();
  assert.deepEqual(news, [["a", GONE], ["b", RECEIVED]]);
  assert.equal(storage.items.size, 0);
  assert.deepEqual(clock.waits, []);
});

test("a prediction that is unknown may still be on its way to the others: that is believed the second time", async () => {
  answers.all = down();
  const { outbox, news } = openTab();
  await outbox.send(request("a"));
  await outbox.send(request("b"));
  answers = { a: UNKNOWN, all: RECEIVED };
  await outbox.sendKept();
  assert.deepEqual([news, clock.waits], [[], [UNKNOWN_MS]]);
  answers.a = RECEIVED;
  await clock.advance(UNKNOWN_MS);
  assert.deepEqual(news, [["a", RECEIVED], ["b", RECEIVED]]);
});

test("one that is unknown the second time too goes, and is told", async () => {
  answers.all = down();
  const { outbox, news } = openTab();
  await outbox.send(request("a"));
  answers.all = UNKNOWN;
  await outbox.sendKept();
  await clock.advance(UNKNOWN_MS);
  assert.deepEqual(news, [["a", UNKNOWN]]);
  assert.equal(storage.items.size, 0);
  assert.deepEqual(clock.waits, []);
});

test("who changes his mind is asked for the last word alone", async () => {
  answers.all = down();
  const { outbox } = openTab();
  await outbox.send(request("a", 3));
  await outbox.send(request("a", 5));
  answers.all = RECEIVED;
  sent.length = 0;
  await outbox.sendKept();
  assert.deepEqual(sent, ["a 5"]);
});

test("nor does the first word arrive after a last one that was received at once", async () => {
  answers.all = down();
  const { outbox } = openTab();
  await outbox.send(request("a", 3));
  answers.all = RECEIVED;
  await outbox.send(request("a", 5));
  await settled();
  assert.deepEqual(sent, ["a 3", "a 5"]);
});

test("the first word, received while the last one is kept, is no news of the last one", async () => {
  answers.all = down();
  await openTab().outbox.send(request("a", 3));
  const replies = [];
  const tab = openTab({ send: () => new Promise((answer) => replies.push(answer)) });
  tab.outbox.sendKept();
  await settled();
  const last = tab.outbox.send(request("a", 5));
  replies[1](down());
  assert.deepEqual(await last, { kept: "on the device" });
  replies[0](RECEIVED);
  await settled();
  assert.deepEqual(tab.news, []);
  replies[2](RECEIVED); // the round goes on with it
  await settled();
  assert.deepEqual(tab.news, [["a", RECEIVED]]);
  assert.equal(storage.items.size, 0);
});

test("without a storage it waits on the page, and that is said", async () => {
  const forbidden = () => {
    throw new DOMException("no", "SecurityError");
  };
  answers.all = down();
  const { outbox, news } = openTab({ localStorage: forbidden });
  assert.deepEqual(await outbox.send(request("a")), { kept: "on the page" });
  answers.all = RECEIVED;
  await clock.advance(FIRST_WAIT_MS);
  assert.deepEqual(sent, ["a 3", "a 3"]);
  assert.deepEqual(news, [["a", RECEIVED]]);
});

test("of a storage that can be read alone nothing is sent twice", async () => {
  answers.all = down();
  await openTab().outbox.send(request("a"));
  storage.broken.add("setItem").add("removeItem");
  answers.all = RECEIVED;
  const tab = openTab();
  await tab.outbox.sendKept();
  await tab.outbox.sendKept();
  assert.deepEqual(tab.sent, ["a 3"]);
});

test("what one tab has sent the other does not, though its turn comes", async () => {
  answers.all = down();
  const [one, other] = [openTab(), openTab()];
  await one.outbox.send(request("a"));
  await other.outbox.send(request("b"));
  answers.all = RECEIVED;
  sent.length = 0;
  await one.outbox.sendKept();
  await clock.advance(LONGEST_WAIT_MS);
  assert.deepEqual(sent, ["a 3", "b 3"]);
});

test("of two tabs that hear at once that the network is back one sends, and the other looks again later", async () => {
  answers.all = down();
  const locks = new FakeLocks();
  const [one, other] = [openTab({ locks }), openTab({ locks })];
  await one.outbox.send(request("a"));
  answers.all = RECEIVED;
  await Promise.all([one.outbox.sendKept(), other.outbox.sendKept()]);
  assert.deepEqual(sent, ["a 3", "a 3"]); // the attempt that failed, and this one
  assert.deepEqual(one.news, [["a", RECEIVED]]);
  assert.deepEqual(clock.waits, [FIRST_WAIT_MS]);
  await clock.advance(FIRST_WAIT_MS);
  assert.equal(sent.length, 2);
  assert.deepEqual(clock.waits, []);
});

test("a tab that is closed while it sends leaves the rest to the next", async () => {
  answers.all = down();
  await openTab().outbox.send(request("a"));
  const closed = openTab({ send: () => new Promise(() => {}) });
  closed.outbox.sendKept(); // for ever
  await settled();
  const next = openTab();
  answers.all = RECEIVED;
  await next.outbox.sendKept();
  assert.deepEqual(next.sent, ["a 3"]);
});

test("where asking for a lock is refused it is sent without", async () => {
  answers.all = down();
  await openTab().outbox.send(request("a"));
  answers.all = RECEIVED;
  const tab = openTab({ locks: { request: async () => { throw new DOMException("no", "SecurityError"); } } });
  await tab.outbox.sendKept();
  assert.deepEqual(tab.sent, ["a 3"]);
});
