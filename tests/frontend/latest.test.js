import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { LatestOnly } from "../../services/frontend/js/latest.js";
import { Retry } from "../../services/frontend/js/retry.js";
import { Sequence } from "../../services/frontend/js/sequence.js";
import { FakeClock, settled } from "./fake-browser.js";

const AWAY = { error: "no.", mayPass: true, retryAfterMs: null };

/** Questions on their way; each is answered by the test when it likes. */
let questions;
let shown;
let failures;
let sequence;
let clock;
let latest;

beforeEach(() => {
  [questions, shown, failures] = [[], [], []];
  sequence = new Sequence();
  clock = new FakeClock();
  latest = new LatestOnly(
    (question) => new Promise((answer) => questions.push({ question, answer })),
    ({ answer }) => shown.push(answer),
    (error) => failures.push(error),
    { sequence, retry: new Retry(clock) },
  );
});

const asked = () => questions.map(({ question }) => question);

async function answer(index, outcome = { answer: `answer to ${questions[index].question}` }) {
  questions[index].answer(outcome);
  await settled();
}

/** Puts a number of strokes on the canvas. */
const draw = (strokes) => sequence.update(Array(strokes).fill([[0, 0]]));

test("the first question is asked at once, and its answer shown", async () => {
  latest.ask(1);
  assert.deepEqual(asked(), [1]);
  await answer(0);
  assert.deepEqual(shown, ["answer to 1"]);
});

test("while one is on its way none is asked, and then only the newest", async () => {
  for (const question of [1, 2, 3, 4]) latest.ask(question);
  assert.deepEqual(asked(), [1]);
  await answer(0);
  assert.deepEqual(asked(), [1, 4]);
  await answer(1);
  assert.deepEqual(asked(), [1, 4]);
  assert.deepEqual(shown, ["answer to 1", "answer to 4"]);
});

test("answers to forgotten questions are dropped", async () => {
  latest.ask(1);
  latest.ask(2);
  latest.forget();
  await answer(0);
  assert.deepEqual(asked(), [1]);
  assert.deepEqual(shown, []);
});

test("after that it goes on, still with one question at a time", async () => {
  latest.ask(1);
  latest.forget();
  latest.ask(2);
  assert.deepEqual(asked(), [1]);
  await answer(0);
  assert.deepEqual(asked(), [1, 2]);
  await answer(1);
  assert.deepEqual(shown, ["answer to 2"]);
});

test("an answer to an older drawing than one that was answered already is dropped", async () => {
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

test("a failure that may pass is retried with the newest question, and reported from the second on", async () => {
  latest.ask(1);
  await answer(0, AWAY);
  assert.deepEqual(failures, []);
  latest.ask(2);
  assert.deepEqual(asked(), [1]); // a pen asks sixty times a second, and the pause holds all the same
  await clock.advance(250);
  assert.deepEqual(asked(), [1, 2]);
  await answer(1, AWAY);
  assert.deepEqual(failures, ["no. Trying again…"]);
  await clock.advance(500);
  await answer(2);
  assert.deepEqual(shown, ["answer to 2"]);
});

test("a forgotten question is not retried", async () => {
  latest.ask(1);
  await answer(0, AWAY);
  latest.forget();
  await clock.advance(60_000);
  assert.deepEqual(asked(), [1]);
});

test("a failure that does not pass is reported at once, and not retried", async () => {
  latest.ask(1);
  await answer(0, { error: "Not Found" });
  assert.deepEqual(failures, ["Not Found"]);
  await clock.advance(60_000);
  assert.deepEqual(asked(), [1]);
});
