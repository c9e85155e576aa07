// The gradient descent of the learning path's fifth chapter.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  LANDSCAPES,
  OPTIMIZERS,
  SCHEDULES,
  adam,
  average,
  contour,
  descend,
  gaussians,
  isFlown,
  oneCycle,
  sgd,
} from "../../services/frontend/learn/js/gradient-descent.js";

const [RAVINE, VALLEYS] = LANDSCAPES;
const [PLAIN, MOMENTUM, ADAM] = OPTIMIZERS;
const [CONSTANT] = SCHEDULES;

/** Where a run of so many steps ends. */
function end({ landscape = RAVINE, optimizer = PLAIN, rate, start = [-1.8, 1.2], taken = 1000, noise = 0 }) {
  return descend({ landscape, update: optimizer.create(), schedule: CONSTANT.rate, rate, start, steps: taken, taken, noise }).at(-1);
}

for (const landscape of LANDSCAPES) {
  test(`the gradient is the slope of ${landscape.name}, and there is none at its lowest point`, () => {
    for (const w of [[0.3, -1.2], [-1.7, 0.4]]) {
      for (const axis of [0, 1]) {
        const loss = (nudge) => landscape.loss(w.map((each, i) => each + (i === axis ? nudge : 0)));
        assert.ok(Math.abs((loss(1e-5) - loss(-1e-5)) / 2e-5 - landscape.gradient(w)[axis]) < 1e-6);
      }
    }
    assert.ok(Math.hypot(...landscape.gradient(landscape.lowest)) < 1e-8);
  });
}

test("a plain step settles below 2 / curvature, and flies off above", () => {
  assert.ok(Math.abs(end({ rate: 0.0799 })[1]) < 0.1);
  assert.ok(Math.abs(end({ rate: 0.0801 })[1]) > 10);
});

test("momentum may take larger steps, up to 2 (1 + beta) / curvature", () => {
  assert.ok(Math.hypot(...end({ optimizer: MOMENTUM, rate: 0.151 })) < 0.01);
  assert.ok(isFlown(end({ optimizer: MOMENTUM, rate: 0.153 })));
});

test("on an even slope momentum's steps become ten times as long", () => {
  const update = sgd(0.9);
  let [w, before] = [[0, 0], [0, 0]];
  for (let step = 0; step < 200; step += 1) [before, w] = [w, update(w, [1, -2], 0.1)];
  assert.deepEqual(w.map((each, i) => (each - before[i]).toFixed(6)), ["-1.000000", "2.000000"]);
});

test("Adam's first step is as long as the rate, however steep it is", () => {
  assert.deepEqual(adam()([0, 0], [1000, -0.001], 0.1).map((each) => each.toFixed(4)), ["-0.1000", "0.1000"]);
});

test("over the hill into the deeper valley rolls only momentum", () => {
  const run = { landscape: VALLEYS, rate: 0.02, start: [1.8, 1.2], taken: 100 };
  const ends = [PLAIN, MOMENTUM, ADAM].map((optimizer) => end({ ...run, optimizer }));
  assert.deepEqual(ends.map(([a]) => Math.sign(a)), [1, -1, 1]);
});

test("one cycle rises from a 25th to its peak, and falls to almost nothing", () => {
  const rates = Array.from({ length: 100 }, (_, step) => oneCycle(step, 100, 0.5));
  assert.equal(rates[0].toFixed(6), "0.020000");
  assert.equal(Math.max(...rates), rates[15]);
  assert.equal(rates[15], 0.5);
  assert.ok(rates[99] < 0.001);
});

test("a run that flies off ends, and has no weight that is no number", () => {
  const path = descend({
    landscape: VALLEYS, update: sgd(0), schedule: CONSTANT.rate, rate: 1, start: [2, 2], steps: 100, taken: 100,
  });
  assert.ok(path.length < 20);
  assert.ok(isFlown(path.at(-1)));
  assert.ok(path.flat().every(Number.isFinite));
});

test("the noise is the same each time, and none on average", () => {
  assert.deepEqual(end({ rate: 0.05, noise: 2 }), end({ rate: 0.05, noise: 2 }));
  const [random, count] = [gaussians(3), 20000];
  const drawn = Array.from({ length: count }, random);
  const mean = drawn.reduce((sum, each) => sum + each) / count;
  const variance = drawn.reduce((sum, each) => sum + each * each) / count;
  assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05, `${mean}, ${variance}`);
});

test("the average is the mean at first, and forgets from then on", () => {
  assert.deepEqual(average([[1, 0], [2, 0], [6, 3]], 3).map((each) => each.toFixed(6)), ["3.000000", "1.000000"]);
  assert.deepEqual(average([[1, 1], [5, 7]], 1), [5, 7]);
});

test("a contour of a circle lies on it, all the way round", () => {
  const pieces = contour(([a, b]) => Math.hypot(a, b), 1, 40);
  for (const [a, b] of pieces.flat()) assert.ok(Math.abs(Math.hypot(a, b) - 1) < 0.01);
  const length = pieces.reduce((sum, [one, other]) => sum + Math.hypot(one[0] - other[0], one[1] - other[1]), 0);
  assert.ok(Math.abs(length - 2 * Math.PI) < 0.05, String(length));
});
