import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { PredictionSession } from "../../services/frontend/js/prediction-session.js";
import { Retry } from "../../services/frontend/js/retry.js";
import { Sequence } from "../../services/frontend/js/sequence.js";
import { FakeClock, settled } from "./fake-browser.js";

const seven = [[[10, 10], [90, 10], [40, 120]]];
const prediction = (digit) => ({ prediction: { digit } });

/** Requests made so far; each is answered by the test when it likes. */
let requests;

/** What the page shows. */
let page;

/** Whose answer is asked about: the digit, or null. */
let asked;

/** @type {PredictionSession} */
let session;

let clock;
let sequence;

beforeEach(() => {
  requests = [];
  page = { busy: false, result: "", error: "" };
  const view = {
    setBusy: (busy) => Object.assign(page, { busy }),
    reset: () => Object.assign(page, { result: "", error: "" }),
    withdraw: () => Object.assign(page, { result: "", error: "" }),
    showHint: (text) => Object.assign(page, { result: text, error: "" }),
    showPrediction: ({ digit }) => Object.assign(page, { result: `Digit: ${digit}`, error: "" }),
    showError: (error) => Object.assign(page, { result: "", error }),
  };
  const request = (body, signal) => new Promise((answer) => requests.push({ body, signal, answer }));
  asked = null;
  const feedback = { ask: ({ digit }) => (asked = digit), forget: () => (asked = null) };
  clock = new FakeClock();
  sequence = new Sequence();
  sequence.update(seven);
  session = new PredictionSession(request, view, feedback, { sequence, retry: new Retry(clock) });
});

test("an empty canvas makes no request and asks kindly for a drawing", async () => {
  await session.predict([]);
  assert.equal(requests.length, 0);
  assert.deepEqual(page, { busy: false, result: "Draw a digit first.", error: "" });
});

test("the drawing is sent and its digit shown", async () => {
  const done = session.predict(seven);
  assert.deepEqual(requests[0].body, { strokes: seven, width: 280, height: 280, brush: 20 });
  requests[0].answer(prediction(7));
  await done;
  assert.equal(page.result, "Digit: 7");
});

test("the page is busy exactly while a request runs", async () => {
  const done = session.predict(seven);
  assert.equal(page.busy, true);
  requests[0].answer(prediction(7));
  await done;
  assert.equal(page.busy, false);
});

test("an error is shown, and the next try can succeed", async () => {
  const first = session.predict(seven);
  requests[0].answer({ error: "Service Unavailable: no model yet" });
  await first;
  assert.deepEqual(page, { busy: false, result: "", error: "Service Unavailable: no model yet" });

  const second = session.predict(seven);
  requests[1].answer(prediction(7));
  await second;
  assert.deepEqual(page, { busy: false, result: "Digit: 7", error: "" });
});

test("an answer that arrives after Clear is ignored", async () => {
  const done = session.predict(seven);
  session.clear();
  requests[0].answer(prediction(7));
  await done;
  assert.deepEqual(page, { busy: false, result: "", error: "" });
});

test("an error that arrives after Clear is ignored", async () => {
  const done = session.predict(seven);
  session.clear();
  requests[0].answer({ error: "Connection Failed: …" });
  await done;
  assert.equal(page.error, "");
});

test("Clear gives the running request up", () => {
  session.predict(seven);
  session.clear();
  assert.equal(requests[0].signal.aborted, true);
});

test("of two requests, only the newer is shown when the older answers last", async () => {
  const older = session.predict(seven);
  const newer = session.predict(seven);
  requests[1].answer(prediction(2));
  await newer;
  requests[0].answer(prediction(1));
  await older;
  assert.equal(page.result, "Digit: 2");
});

test("of two requests, the older answering first neither shows nor ends the waiting", async () => {
  const older = session.predict(seven);
  const newer = session.predict(seven);
  assert.equal(requests[0].signal.aborted, true);
  assert.equal(requests[1].signal.aborted, false);
  requests[0].answer(prediction(1));
  await older;
  assert.deepEqual(page, { busy: true, result: "", error: "" });
  requests[1].answer(prediction(2));
  await newer;
  assert.deepEqual(page, { busy: false, result: "Digit: 2", error: "" });
});

test("after Clear, a late answer does not disturb the next drawing's request", async () => {
  const first = session.predict(seven);
  session.clear();
  const second = session.predict(seven);
  requests[0].answer(prediction(1));
  await first;
  assert.equal(page.busy, true);
  requests[1].answer(prediction(2));
  await second;
  assert.equal(page.result, "Digit: 2");
});

test("Clear removes a result that is already shown", async () => {
  const done = session.predict(seven);
  requests[0].answer(prediction(7));
  await done;
  session.clear();
  assert.equal(page.result, "");
});

test("the answer that is shown is asked about, until there is another question or none", async () => {
  const first = session.predict(seven);
  assert.equal(asked, null);
  requests[0].answer(prediction(7));
  await first;
  assert.equal(asked, 7);

  const second = session.predict(seven);
  assert.equal(asked, null);
  requests[1].answer({ error: "Connection Failed: …" });
  await second;
  assert.equal(asked, null);

  const third = session.predict(seven);
  requests[2].answer(prediction(1));
  await third;
  assert.equal(asked, 1);
  session.clear();
  assert.equal(asked, null);
});

test("another stroke withdraws the answer and the question about it, and drops an answer on its way", async () => {
  const first = session.predict(seven);
  requests[0].answer(prediction(7));
  await first;
  session.withdraw();
  assert.deepEqual([page.result, asked], ["", null]);

  const second = session.predict(seven);
  session.withdraw();
  assert.equal(requests[1].signal.aborted, true);
  requests[1].answer(prediction(7));
  await second;
  assert.deepEqual([page, asked], [{ busy: false, result: "", error: "" }, null]);
});

test("once an answer is shown, answers to older drawings are not", async () => {
  const done = session.predict(seven);
  requests[0].answer(prediction(7));
  await done;
  assert.equal(sequence.accept(0), false);
  assert.equal(sequence.accept(1), true);
});

test("while the service is away it is asked again, until the drawing has its answer", async () => {
  const away = { error: "Connection Failed: no.", mayPass: true, retryAfterMs: null };
  const done = session.predict(seven);
  requests[0].answer(away);
  await settled();
  assert.deepEqual(page, { busy: true, result: "", error: "" }); // a restart may be over in a moment
  await clock.advance(250);
  requests[1].answer(away);
  await settled();
  assert.deepEqual(page, { busy: true, result: "", error: "Connection Failed: no. Trying again…" });
  await clock.advance(500);
  requests[2].answer(prediction(7));
  await done;
  assert.deepEqual(page, { busy: false, result: "Digit: 7", error: "" });
});
