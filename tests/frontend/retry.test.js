import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Retry } from "../../services/frontend/js/retry.js";
import { FakeClock, settled } from "./fake-browser.js";

const failing = (retryAfterMs = null) => ({ error: "no.", mayPass: true, retryAfterMs });

let clock, retry, failures, requests;

beforeEach(() => {
  clock = new FakeClock();
  retry = new Retry(clock);
  [failures, requests] = [[], 0];
});

/** Give these outcomes in turn; repeat the last. */
function ask(outcomes, isWanted = () => true) {
  const request = async () => outcomes[Math.min(requests++, outcomes.length - 1)];
  return retry.ask(request, isWanted, (error) => failures.push(error));
}

test("pauses grow to a maximum until the answer is not wanted", async () => {
  let isWanted = true;
  const done = ask([failing()], () => isWanted);
  await settled();
  const pauses = [];
  for (let i = 0; i < 7; i += 1) {
    pauses.push(clock.waits[0]);
    await clock.advance(clock.waits[0]);
  }
  assert.deepEqual(pauses, [250, 500, 1000, 2000, 4000, 4000, 4000]);
  assert.equal(requests, 8);
  isWanted = false;
  await clock.advance(4000);
  assert.equal("error" in (await done), true);
  assert.equal(requests, 8);
});

test("follows the service's pause and reports the failure at once", async () => {
  const done = ask([failing(5000), { answer: 1 }]);
  await settled();
  assert.deepEqual([clock.waits, failures], [[5000], ["no. Trying again…"]]);
  await clock.advance(5000);
  assert.deepEqual(await done, { answer: 1 });
});

test("wake ends every pause", async () => {
  const done = [ask([failing(), failing(), { answer: 1 }]), ask([failing(60_000)])];
  await settled();
  retry.wake();
  await settled();
  retry.wake();
  assert.deepEqual(await done[0], { answer: 1 });
});
