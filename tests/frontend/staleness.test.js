import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Staleness } from "../../services/frontend/js/staleness.js";

let panel;
let staleness;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  panel = { setAttribute: (name, value) => (panel[name] = value) };
  staleness = new Staleness(panel);
  staleness.show();
});

const isDimmed = () => panel["aria-busy"] === "true";

test("a panel that follows the pen is not dimmed, and one that does not soon is", () => {
  for (let points = 0; points < 100; points += 1) {
    staleness.waitForAnswer();
    mock.timers.tick(20);
    staleness.show(false); // the answer to the point before
    assert.equal(isDimmed(), false);
  }
  mock.timers.tick(400);
  assert.equal(isDimmed(), true);
  staleness.show();
  assert.equal(isDimmed(), false);
});

test("further points do not put it off", () => {
  for (let points = 0; points < 30; points += 1) {
    staleness.waitForAnswer();
    mock.timers.tick(16);
  }
  assert.equal(isDimmed(), true);
});

test("an answer that came in time leaves no timer behind", () => {
  staleness.waitForAnswer();
  staleness.show();
  mock.timers.tick(1000);
  assert.equal(isDimmed(), false);
});
