import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Retry } from "../../services/frontend/js/retry.js";
import { Sequence } from "../../services/frontend/js/sequence.js";
import { TrainingSession, MAX_TRAINING_STEPS } from "../../services/frontend/js/training-session.js";
import { FakeClock } from "./fake-browser.js";

const seven = { isEmpty: false, request: () => ({ strokes: "of a seven" }) };
const step = { label: 7, learning_rate: 0.001 };

let requests, page, session;

beforeEach(() => {
  requests = [];
  page = { busy: false, message: "" };
  const view = {
    setBusy: (busy) => Object.assign(page, { busy }),
    reset: () => Object.assign(page, { message: "" }),
    showMessage: (message) => Object.assign(page, { message }),
    showResult: ({ losses }) => Object.assign(page, { message: `${losses} steps` }),
  };
  session = new TrainingSession((body) => new Promise((answer) => requests.push({ body, answer })), view, {
    sequence: new Sequence(),
    retry: new Retry(new FakeClock()),
  });
});

async function train(times, { given = step, answer = { answer: { losses: times } } } = {}) {
  const done = session.train(seven, given, times);
  requests.at(-1)?.answer(answer);
  await done;
}

test("sends the input and every successful training step", async () => {
  await session.train({ ...seven, isEmpty: true }, step, 1);
  assert.deepEqual([requests.length, page.message], [0, "Draw something first."]);
  await train(1);
  assert.deepEqual(requests[0].body, { ...seven.request(), lessons: [step] });
  assert.equal(page.message, "1 steps");
  await train(1, { answer: { error: "Connection Failed: …" } });
  assert.equal(page.message, "Connection Failed: …");
  const other = { label: null, learning_rate: 0.1 };
  await train(2, { given: other });
  assert.deepEqual(requests[2].body.lessons, [step, other, other]);
});

test("keeps one request in flight and drops forgotten results", async () => {
  const done = session.train(seven, step, 5);
  assert.equal(page.busy, true);
  await session.train(seven, step, 1);
  assert.equal(requests.length, 1);
  session.forget();
  assert.equal(page.busy, false);
  requests[0].answer({ answer: { losses: 5 } });
  await done;
  assert.deepEqual(page, { busy: false, message: "" });
  await train(1);
  assert.equal(requests[1].body.lessons.length, 1); // a new copy
  assert.equal(page.busy, false);
});

test("limits training steps to the API's maximum", async () => {
  await train(45);
  await train(10);
  assert.equal(requests[1].body.lessons.length, MAX_TRAINING_STEPS);
  await session.train(seven, step, 1);
  assert.equal(requests.length, 2);
  assert.match(page.message, /50/);
});
