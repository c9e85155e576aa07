import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { FeedbackSession } from "../../services/frontend/js/feedback-session.js";

const five = { digit: 5, isDigit: true, predictionId: "id-of-five" };
const scribble = { digit: 8, isDigit: false, predictionId: "id-of-scribble" };
const ERROR = "Connection Failed: …";

/** Requests made so far, each answered by the test when it likes; and what the page shows. */
let requests, page, session;

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

const assertShows = (choice, status, busy = false) => assert.deepEqual(page, { choice, busy, status });

/** Sends it, with this outcome. */
async function send(choice, outcome) {
  const done = session.send(choice);
  requests.at(-1)?.answer(outcome);
  await done;
}

test("the answer's own digit is chosen beforehand; what the person says is sent with the prediction's id, once", async () => {
  await session.send("3"); // nothing is asked yet
  assert.equal(requests.length, 0);
  session.ask(scribble);
  assertShows("none", "");
  session.ask(five);
  assertShows("5", "");
  const done = session.send("3");
  assert.deepEqual(requests[0].body, { prediction_id: "id-of-five", actual_digit: 3 });
  assertShows("5", "", true);
  await session.send("3"); // on its way already
  requests[0].answer({ received: true });
  await done;
  assertShows(null, "thanks");
  await session.send("3"); // received already
  assert.equal(requests.length, 1);
  session.ask(five);
  session.send("none");
  assert.deepEqual(requests[1].body, { prediction_id: "id-of-five", actual_digit: null });
});

test("an error is shown, and the same can be sent again", async () => {
  session.ask(five);
  await send("3", { error: ERROR });
  assertShows("5", ERROR);
  await send("3", { received: true });
  assertShows(null, "thanks");
});

test("what becomes of feedback is not shown beside the next answer, nor after Clear", async () => {
  session.ask(five);
  const first = session.send("3");
  session.ask(scribble);
  assertShows("none", "");
  requests[0].answer({ error: ERROR });
  await first;
  assertShows("none", "");
  const second = session.send("none");
  assert.equal(requests[1].body.prediction_id, "id-of-scribble");
  session.forget();
  requests[1].answer({ received: true });
  await second;
  assertShows(null, "");
});

for (const place of ["on the device", "on the page"]) {
  test(`what is kept ${place} is said to be there, and is not sent again by another click`, async () => {
    session.ask(five);
    await send("3", { kept: place });
    assertShows(null, `kept ${place}`);
    await session.send("3");
    assert.equal(requests.length, 1);
  });
}

test("once what was kept is received or refused the person is told, and the question does not come back", async () => {
  for (const [outcome, status] of [[{ received: true }, "thanks"], [{ error: "Not Found: …" }, "Not Found: …"]]) {
    session.ask(five);
    await send("3", { kept: "on the device" });
    session.settle("id-of-five", outcome);
    assertShows(null, status);
    const sent = requests.length;
    await session.send("3");
    assert.equal(requests.length, sent);
  }
});

test("what becomes of kept feedback is not shown beside the next answer, nor after Clear", async () => {
  session.ask(five);
  const done = session.send("3");
  session.ask(scribble);
  requests[0].answer({ kept: "on the device" }); // without a word: the person has gone on
  await done;
  session.settle("id-of-five", { received: true });
  assertShows("none", "");
  session.forget();
  session.settle("id-of-five", { error: "Not Found: …" });
  session.settle("id-of-scribble", { received: true });
  assertShows(null, "");
});
