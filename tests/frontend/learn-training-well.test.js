// The polynomials of the learning path's seventh chapter.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  curve,
  draw,
  errorOn,
  fit,
  fits,
  generator,
  HIGHEST,
  leastSquares,
  NOISE,
  normal,
  valueAt,
} from "../../services/frontend/learn/js/training-well.js";

const close = (/** @type {number} */ a, /** @type {number} */ b, within = 1e-9) => assert.ok(Math.abs(a - b) < within, `${a} is not ${b}`);

test("the same seed draws the same points, another one others, and more points are the same ones and some besides", () => {
  assert.deepEqual(draw(7, 20), draw(7, 20));
  assert.notDeepEqual(draw(8, 20), draw(7, 20));
  assert.deepEqual(draw(7, 120).slice(0, 20), draw(7, 20));
});

test("the noise is as wide as it says, and points lie from -1 to 1", () => {
  const random = generator(1);
  const values = Array.from({ length: 20_000 }, () => normal(random));
  close(values.reduce((sum, value) => sum + value, 0) / values.length, 0, 0.03);
  close(Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length), 1, 0.03);
  const points = draw(7, 5000);
  close(Math.sqrt(points.reduce((sum, { x, y }) => sum + (y - curve(x)) ** 2, 0) / points.length), NOISE, 0.01);
  assert.ok(points.every(({ x }) => x >= -1 && x < 1));
});

test("least squares: the mean, where the only column is of ones; the line nearest to three points", () => {
  close(leastSquares([[1], [1], [1]], [1, 2, 6])[0], 3);
  const [offset, slope] = leastSquares([[1, 0], [1, 1], [1, 2]], [0, 0, 3]);
  close(offset, -0.5);
  close(slope, 1.5);
});

test("a polynomial without noise is found again", () => {
  const points = [-1, -0.6, -0.1, 0.3, 0.7, 0.9].map((x) => ({ x, y: 2 - x + 3 * x ** 3 }));
  const weights = fit(points, 3, 0);
  [2, -1, 0, 3].forEach((expected, k) => close(weights[k], expected));
  close(valueAt(weights, 0.5), 1.875);
  close(errorOn(weights, points), 0);
});

test("fifteen weights know fifteen points by heart", () => {
  close(errorOn(fit(draw(8, 15), HIGHEST, 0), draw(8, 15)), 0, 1e-6);
});

test("weight decay: one weight and one point, by hand", () => {
  close(fit([{ x: 0, y: 3 }], 0, 0.5)[0], 2); // (3 - w)² + w² / 2 is least at 2
});

test("the training error falls with each degree; the validation error turns round, and more points or weight decay mend it", () => {
  const validation = draw(1_000_008, 40);
  const errorsOf = (/** @type {number} */ count, /** @type {number} */ decay, points = validation) =>
    fits(draw(8, count), decay).map((weights) => errorOn(weights, points));
  const training = errorsOf(18, 0, draw(8, 18));
  for (let degree = 1; degree <= HIGHEST; degree += 1) assert.ok(training[degree] <= training[degree - 1] + 1e-9);
  const few = errorsOf(18, 0);
  const best = few.indexOf(Math.min(...few));
  assert.ok(best > 2 && best < 12, String(best));
  assert.ok(few[HIGHEST] > 10 * few[best]);
  assert.ok(errorsOf(120, 0)[HIGHEST] < few[best]);
  assert.ok(errorsOf(18, 0.00001)[HIGHEST] < 1.2 * few[best]);
});
