import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { LessonSession, MOST_LESSONS } from "../../services/frontend/js/lesson-session.js";
import { Retry } from "../../services/frontend/js/retry.js";
import { Sequence } from "../../services/frontend/js/sequence.js";
import { FakeClock } from "./fake-browser.js";

const seven = [[[10, 10], [90, 10], [40, 120]]];
const lesson = { label: 7, learning_rate: 0.001 };

let requests;
let page;
let session;

beforeEach(() => {
  requests = [];
  page = { busy: false, said: "" };
  const view = {
    setBusy: (busy) => Object.assign(page, { busy }),
    reset: () => Object.assign(page, { said: "" }),
    showWord: (said) => Object.assign(page, { said }),
    showLearnt: ({ losses }) => Object.assign(page, { said: `${losses} lessons` }),
  };
  session = new LessonSession((body) => new Promise((answer) => requests.push({ body, answer })), view, {
    sequence: new Sequence(),
    retry: new Retry(new FakeClock()),
  });
});

async function taught(times, answer = { learnt: { losses: times } }) {
  const done = session.teach(seven, lesson, times);
  requests.at(-1)?.answer(answer);
  await done;
}

test("a step is the drawing and one lesson", async () => {
  await taught(1);
  assert.deepEqual(requests[0].body, { strokes: seven, width: 280, height: 280, brush: 20, lessons: [lesson] });
  assert.equal(page.said, "1 lessons");
});

test("each request repeats what was taught before", async () => {
  await taught(1);
  const other = { label: null, learning_rate: 0.1 };
  const done = session.teach(seven, other, 2);
  requests[1].answer({ learnt: { losses: 3 } });
  await done;
  assert.deepEqual(requests[1].body.lessons, [lesson, other, other]);
});

test("a lesson that failed was not given", async () => {
  await taught(1, { error: "Connection Failed: …" });
  assert.equal(page.said, "Connection Failed: …");
  await taught(1);
  assert.equal(requests[1].body.lessons.length, 1);
});

test("while one is given no other is asked for", async () => {
  const first = session.teach(seven, lesson, 1);
  assert.equal(page.busy, true);
  await session.teach(seven, lesson, 1);
  assert.equal(requests.length, 1);
  requests[0].answer({ learnt: { losses: 1 } });
  await first;
  assert.equal(page.busy, false);
});

test("what is forgotten meanwhile is not shown, and the pupil begins anew", async () => {
  const done = session.teach(seven, lesson, 5);
  session.forget();
  assert.equal(page.busy, false);
  requests[0].answer({ learnt: { losses: 5 } });
  await done;
  assert.equal(page.said, "");
  await taught(1);
  assert.equal(requests[1].body.lessons.length, 1);
});

test("without a drawing there is nothing to teach", async () => {
  await session.teach([], lesson, 1);
  assert.equal(requests.length, 0);
  assert.equal(page.said, "Draw something first.");
});

test("there are never more lessons than the API takes", async () => {
  await taught(45);
  await taught(10);
  assert.equal(requests[1].body.lessons.length, MOST_LESSONS);
  await session.teach(seven, lesson, 1);
  assert.equal(requests.length, 2);
  assert.match(page.said, /^It had 50 lessons/);
});
