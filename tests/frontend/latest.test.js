import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { LatestOnly } from "../../services/frontend/js/latest.js";

/** Questions on their way; each is answered by the test when it likes. */
let questions;
let shown;
let latest;

beforeEach(() => {
  questions = [];
  shown = [];
  latest = new LatestOnly((question) => new Promise((answer) => questions.push({ question, answer })), (answer) => shown.push(answer));
});

const asked = () => questions.map(({ question }) => question);
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function answer(index) {
  questions[index].answer(`answer to ${questions[index].question}`);
  await settled();
}

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

test("what was asked before it was forgotten is shown to nobody", async () => {
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
