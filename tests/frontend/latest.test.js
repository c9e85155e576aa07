import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { LatestOnly } from "../../services/frontend/js/latest.js";
import { Retry } from "../../services/frontend/js/retry.js";
import { Sequence } from "../../services/frontend/js/sequence.js";
import { FakeClock, settled } from "./fake-browser.js";

const AWAY = { error: "no.", mayPass: true, retryAfterMs: null };

/** Requests in flight, which the test answers. */
let questions, shown, failures;
let sequence, clock, latest;

beforeEach(() => {
  [questions, shown, failures] = [[], [], []];
  sequence = new Sequence();
  clock = new FakeClock();
  latest = new LatestOnly(
    (question) => new Promise((answer) => questions.push({ question, answer })),
    (answer) => shown.push(answer),
    (error) => failures.push(error),
    { sequence, retry: new Retry(clock) },
  );
});

const assertAsked = (...expected) => assert.deepEqual(questions.map(({ question }) => question), expected);

async function answer(index, outcome = { answer: `answer to ${questions[index].question}` }) {
  questions[index].answer(outcome);
  await settled();
}

/** Put a number of strokes on the canvas. */
const draw = (strokes) => sequence.update(Array(strokes).fill([[0, 0]]));

test("keeps one request in flight, then sends only the newest", async () => {
  for (const question of [1, 2, 3, 4]) latest.ask(question);
  assertAsked(1);
  await answer(0);
  assert.deepEqual(shown, ["answer to 1"]);
  await answer(1);
  assertAsked(1, 4);
  assert.deepEqual(shown, ["answer to 1", "answer to 4"]);
});

test("drops forgotten requests with their answers", async () => {
  latest.ask(1);
  latest.ask(2);
  latest.forget();
  latest.ask(3);
  assertAsked(1);
  await answer(0);
  assertAsked(1, 3);
  latest.forget();
  await answer(1);
  assertAsked(1, 3);
  assert.deepEqual(shown, []);
});

test("drops an answer to an older drawing", async () => {
  draw(1);
  latest.ask(1);
  draw(2);
  sequence.accept(sequence.number); // by another request
  await answer(0);
  assert.deepEqual(shown, []);
  latest.ask(2);
  await answer(1);
  assert.deepEqual(shown, ["answer to 2"]);
});

test("retries a temporary failure with the newest request, and reports the second", async () => {
  latest.ask(1);
  await answer(0, AWAY);
  assert.deepEqual(failures, []);
  latest.ask(2);
  assertAsked(1); // the pause also holds during fast drawing
  await clock.advance(250);
  assertAsked(1, 2);
  await answer(1, AWAY);
  assert.deepEqual(failures, ["no. Trying again…"]);
  await clock.advance(500);
  await answer(2);
  assert.deepEqual(shown, ["answer to 2"]);
});

test("does not retry forgotten requests or permanent failures", async () => {
  latest.ask(1);
  await answer(0, AWAY);
  latest.forget();
  await clock.advance(60_000);
  assertAsked(1);
  latest.ask(2);
  await answer(1, { error: "Not Found" });
  assert.deepEqual(failures, ["Not Found"]);
  await clock.advance(60_000);
  assertAsked(1, 2);
});
