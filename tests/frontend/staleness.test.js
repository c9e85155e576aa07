import assert from "node:assert/strict";
import { test } from "node:test";

import { Staleness } from "../../services/frontend/js/staleness.js";

test("dims a panel that has not followed the pen for a while", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const panel = { setAttribute: (name, value) => (panel[name] = value) };
  const staleness = new Staleness(panel);
  const isDimmed = () => panel["aria-busy"] === "true";
  staleness.show();
  for (let points = 0; points < 100; points += 1) {
    staleness.waitForAnswer();
    t.mock.timers.tick(20);
    staleness.show(false); // the answer to the point before
    assert.equal(isDimmed(), false);
  }
  t.mock.timers.tick(400);
  assert.equal(isDimmed(), true);
  staleness.show();
  assert.equal(isDimmed(), false);
  staleness.waitForAnswer();
  staleness.show(); // in time: no timer is left
  t.mock.timers.tick(1000);
  assert.equal(isDimmed(), false);
  for (let points = 0; points < 30; points += 1) {
    staleness.waitForAnswer();
    t.mock.timers.tick(16);
  }
  assert.equal(isDimmed(), true);
});
