import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { PredictionSession } from "../../services/frontend/js/prediction-session.js";
import { Retry } from "../../services/frontend/js/retry.js";
import { Sequence } from "../../services/frontend/js/sequence.js";
import { FakeClock, settled } from "./fake-browser.js";

const seven = { isEmpty: false, request: () => ({ strokes: "of a seven" }) };

/** Requests so far, which the test answers; the page's state; and the digit of the feedback question, or null. */
let requests, page, asked;
let session, clock, sequence;

beforeEach(() => {
  requests = [];
  page = { busy: false, result: "", error: "" };
  asked = null;
  const view = {
    setBusy: (busy) => Object.assign(page, { busy }),
    reset: () => Object.assign(page, { result: "", error: "" }),
    withdraw: () => Object.assign(page, { result: "", error: "" }),
    showHint: (text) => Object.assign(page, { result: text, error: "" }),
    showPrediction: ({ digit }) => Object.assign(page, { result: `Digit: ${digit}`, error: "" }),
    showError: (error) => Object.assign(page, { result: "", error }),
  };
  const request = (body, signal) => new Promise((answer) => requests.push({ body, signal, answer }));
  const feedback = { ask: ({ digit }) => (asked = digit), forget: () => (asked = null) };
  clock = new FakeClock();
  sequence = new Sequence();
  sequence.update("a seven");
  session = new PredictionSession(request, view, feedback, { sequence, retry: new Retry(clock) });
});

const assertShows = (result, { busy = false, error = "", about = null } = {}) =>
  assert.deepEqual([page, asked], [{ busy, result, error }, about]);

/** Answer a request with a digit or an error, and wait for the effect. */
async function answer(index, outcome) {
  requests[index].answer(typeof outcome === "number" ? { answer: { digit: outcome } } : outcome);
  await settled();
}

test("sends an input, shows its digit and asks for feedback", async () => {
  session.predict(seven);
  assert.deepEqual(requests[0].body, seven.request());
  assertShows("", { busy: true });
  await answer(0, 7);
  assertShows("Digit: 7", { about: 7 });
  assert.deepEqual([sequence.accept(0), sequence.accept(1)], [false, true]);
  session.clear();
  assertShows("");
  await session.predict({ ...seven, isEmpty: true });
  assertShows("Draw a digit first.");
  assert.equal(requests.length, 1);
});

test("shows an error, and the next try can succeed", async () => {
  session.predict(seven);
  await answer(0, 7);
  session.predict(seven);
  assert.equal(asked, null);
  await answer(1, { error: "Service Unavailable: no model yet" });
  assertShows("", { error: "Service Unavailable: no model yet" });
  session.predict(seven);
  await answer(2, 1);
  assertShows("Digit: 1", { about: 1 });
});

for (const [how, give] of [["Clear", () => session.clear()], ["another stroke", () => session.withdraw()]]) {
  test(`${how} removes the answer and aborts a running request`, async () => {
    session.predict(seven);
    await answer(0, 7);
    give();
    assertShows("");
    for (const [index, outcome] of [[1, 7], [2, { error: "Connection Failed: …" }]]) {
      session.predict(seven);
      give();
      assert.equal(requests[index].signal.aborted, true);
      await answer(index, outcome);
      assertShows("");
    }
  });
}

for (const [how, order] of [["last", [1, 0]], ["first", [0, 1]]]) {
  test(`shows only the newer of two requests if the older answers ${how}`, async () => {
    session.predict(seven);
    session.predict(seven);
    assert.deepEqual(requests.map(({ signal }) => signal.aborted), [true, false]);
    await answer(order[0], order[0] + 1);
    assertShows(...(how === "first" ? ["", { busy: true }] : ["Digit: 2", { about: 2 }]));
    await answer(order[1], order[1] + 1);
    assertShows("Digit: 2", { about: 2 });
  });
}

test("retries while the service is down", async () => {
  const away = { error: "Connection Failed: no.", mayPass: true, retryAfterMs: null };
  session.predict(seven);
  for (const [index, error] of ["", "Connection Failed: no. Trying again…"].entries()) { // a restart may be over in a moment
    await answer(index, away);
    assertShows("", { busy: true, error });
    await clock.advance(500);
  }
  await answer(2, 7);
  assertShows("Digit: 7", { about: 7 });
});
