import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { FeedbackSession } from "../../services/frontend/js/feedback-session.js";

const five = { digit: 5, isDigit: true, predictionId: "id-of-five" };
const scribble = { digit: 8, isDigit: false, predictionId: "id-of-scribble" };

/** Requests made so far; each is answered by the test when it likes. */
let requests;

/** What the page shows. */
let page;

/** @type {FeedbackSession} */
let session;

beforeEach(() => {
  requests = [];
  page = { choice: null, busy: false, status: "" };
  const display = {
    ask: (choice) => Object.assign(page, { choice, status: "" }),
    hide: () => Object.assign(page, { choice: null, status: "" }),
    setBusy: (busy) => Object.assign(page, { busy }),
    thank: () => Object.assign(page, { choice: null, status: "thanks" }),
    showKept: (place) => Object.assign(page, { choice: null, status: `kept ${place}` }),
    showError: (status) => Object.assign(page, { status }),
  };
  session = new FeedbackSession((body) => new Promise((answer) => requests.push({ body, answer })), display);
});

test("the answer's own digit is chosen beforehand: to say that it was right takes one click", () => {
  session.ask(five);
  assert.equal(page.choice, "5");
  session.ask(scribble);
  assert.equal(page.choice, "none");
});

test("what the person says is sent with the prediction's id, and thanked for once it is received", async () => {
  session.ask(five);
  const done = session.send("3");
  assert.deepEqual(requests[0].body, { prediction_id: "id-of-five", actual_digit: 3 });
  assert.deepEqual(page, { choice: "5", busy: true, status: "" });
  requests[0].answer({ received: true });
  await done;
  assert.deepEqual(page, { choice: null, busy: false, status: "thanks" });
});

test("a drawing may be no digit", () => {
  session.ask(five);
  session.send("none");
  assert.deepEqual(requests[0].body, { prediction_id: "id-of-five", actual_digit: null });
});

test("an error is shown, and the same can be sent again", async () => {
  session.ask(five);
  const first = session.send("3");
  requests[0].answer({ error: "Connection Failed: …" });
  await first;
  assert.deepEqual(page, { choice: "5", busy: false, status: "Connection Failed: …" });

  const second = session.send("3");
  requests[1].answer({ received: true });
  await second;
  assert.equal(page.status, "thanks");
});

test("a second click while the first is on its way sends nothing more, nor one after the thanks", async () => {
  session.ask(five);
  const done = session.send("3");
  await session.send("3");
  assert.equal(requests.length, 1);
  requests[0].answer({ received: true });
  await done;
  await session.send("3");
  assert.equal(requests.length, 1);
});

test("nothing is sent while nothing is asked", async () => {
  await session.send("3");
  assert.equal(requests.length, 0);
});

test("what becomes of feedback to an earlier answer is not shown beside the next one", async () => {
  session.ask(five);
  const done = session.send("3");
  session.ask(scribble);
  assert.equal(page.busy, false);
  requests[0].answer({ error: "Connection Failed: …" });
  await done;
  assert.deepEqual(page, { choice: "none", busy: false, status: "" });

  session.send("none");
  assert.equal(requests[1].body.prediction_id, "id-of-scribble");
});

test("after Clear nothing of it is left", async () => {
  session.ask(five);
  const done = session.send("3");
  session.forget();
  requests[0].answer({ received: true });
  await done;
  assert.deepEqual(page, { choice: null, busy: false, status: "" });
});

for (const place of ["on the device", "on the page"]) {
  test(`what is kept ${place} is said to be there, and is not sent again by another click`, async () => {
    session.ask(five);
    const done = session.send("3");
    requests[0].answer({ kept: place });
    await done;
    assert.deepEqual(page, { choice: null, busy: false, status: `kept ${place}` });
    await session.send("3");
    assert.equal(requests.length, 1);
  });
}

/** A five on the page, of which the feedback is kept. */
async function keepFive() {
  session.ask(five);
  const done = session.send("3");
  requests[0].answer({ kept: "on the device" });
  await done;
}

test("once what was kept is received the person is thanked", async () => {
  await keepFive();
  session.settle("id-of-five", { received: true });
  assert.deepEqual(page, { choice: null, busy: false, status: "thanks" });
});

test("if what was kept is refused in the end, the person is told why; the question does not come back", async () => {
  await keepFive();
  session.settle("id-of-five", { error: "Not Found: …" });
  assert.deepEqual(page, { choice: null, busy: false, status: "Not Found: …" });
  await session.send("3");
  assert.equal(requests.length, 1);
});

test("what becomes of kept feedback to an earlier answer is not shown beside the next one, nor after Clear", async () => {
  await keepFive();
  session.ask(scribble);
  session.settle("id-of-five", { received: true });
  assert.deepEqual(page, { choice: "none", busy: false, status: "" });

  session.forget();
  session.settle("id-of-five", { error: "Not Found: …" });
  session.settle("id-of-scribble", { received: true });
  assert.deepEqual(page, { choice: null, busy: false, status: "" });
});

test("what is kept by the time that the person has gone on is kept without a word", async () => {
  session.ask(five);
  const done = session.send("3");
  session.ask(scribble);
  requests[0].answer({ kept: "on the device" });
  await done;
  session.settle("id-of-five", { received: true });
  assert.deepEqual(page, { choice: "none", busy: false, status: "" });
});
