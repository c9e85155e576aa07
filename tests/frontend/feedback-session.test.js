import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { FeedbackSession } from "../../services/frontend/js/feedback-session.js";

const five = { digit: 5, isDigit: true, predictionId: "id-of-five" };
const scribble = { digit: 8, isDigit: false, predictionId: "id-of-scribble" };
const ERROR = "Connection Failed: …";

/** Requests so far, which the test answers, and the page's state. */
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

/** Send feedback with this outcome. */
async function send(choice, outcome) {
  const done = session.send(choice);
  requests.at(-1)?.answer(outcome);
  await done;
}

test("preselects the predicted digit and sends the choice once with the prediction's id", async () => {
  await session.send("3"); // no question yet
  assert.equal(requests.length, 0);
  session.ask(scribble);
  assertShows("none", "");
  session.ask(five);
  assertShows("5", "");
  const done = session.send("3");
  assert.deepEqual(requests[0].body, { prediction_id: "id-of-five", actual_digit: 3 });
  assertShows("5", "", true);
  await session.send("3"); // already in flight
  requests[0].answer({ received: true });
  await done;
  assertShows(null, "thanks");
  await session.send("3"); // already received
  assert.equal(requests.length, 1);
  session.ask(five);
  session.send("none");
  assert.deepEqual(requests[1].body, { prediction_id: "id-of-five", actual_digit: null });
});

test("shows an error and can send again", async () => {
  session.ask(five);
  await send("3", { error: ERROR });
  assertShows("5", ERROR);
  await send("3", { received: true });
  assertShows(null, "thanks");
});

test("drops outcomes of earlier feedback after the next answer or Clear", async () => {
  for (const outcome of [{ error: ERROR }, { received: true }, { kept: "on the device" }]) {
    session.ask(five);
    const first = session.send("3");
    session.ask(scribble);
    requests.at(-1).answer(outcome);
    await first;
    session.settle("id-of-five", { received: true });
    assertShows("none", "");
    const second = session.send("none");
    assert.equal(requests.at(-1).body.prediction_id, "id-of-scribble");
    session.forget();
    requests.at(-1).answer(outcome);
    await second;
    session.settle("id-of-scribble", { error: ERROR });
    assertShows(null, "");
  }
});

test("shows stored, received and rejected feedback, and sends it once", async () => {
  for (const [place, outcome, status] of [["on the device", { received: true }, "thanks"], ["on the page", { error: ERROR }, ERROR]]) {
    session.ask(five);
    await send("3", { kept: place });
    assertShows(null, `kept ${place}`);
    const sent = requests.length;
    await session.send("3");
    session.settle("id-of-five", outcome);
    assertShows(null, status);
    await session.send("3");
    assert.equal(requests.length, sent);
  }
});
