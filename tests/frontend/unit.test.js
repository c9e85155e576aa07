import assert from "node:assert/strict";
import { test } from "node:test";

import { UnexpectedAnswerError } from "../../services/frontend/js/prediction.js";
import { arithmetic, fieldRgba, parseUnit, products } from "../../services/frontend/js/unit.js";
import { tensor } from "./example-answer.js";

const field = { top: 1, left: 0, bottom: 3, right: 2 };
const answer = (changes = {}) => ({
  model_version: "m", value: 0.25, inputs: tensor([3], [1, 0, 0.5]), weights: tensor([3], [0.5, 9, -1]), bias: 0.25, field, ...changes,
});
const bare = (shape, inputs, value) => answer({ weights: null, bias: null, inputs: tensor(shape, inputs), value });

test("parses a unit with inputs, weights and receptive field", () => {
  const unit = parseUnit(answer());
  assert.deepEqual(unit, {
    value: 0.25,
    inputs: { shape: [3], values: new Float32Array([1, 0, 0.5]) },
    weights: { shape: [3], values: new Float32Array([0.5, 9, -1]) },
    bias: 0.25,
    field,
  });
  assert.deepEqual([...products(unit).values], [0.5, 0, -0.5]);
  assert.equal(parseUnit(bare([1], [1], 1)).weights, null);
});

for (const [what, changes] of Object.entries({
  "no value": { value: null },
  "no inputs": { inputs: undefined },
  "other weights than inputs": { weights: tensor([2], [1, 2]) },
  "weights and no bias": { bias: null },
  "a bias and no weights": { weights: null },
  "half a field": { field: { top: 1, left: 2 } },
})) {
  test(`rejects an answer with ${what}`, () => {
    assert.throws(() => parseUnit(answer(changes)), UnexpectedAnswerError);
  });
}

const many = { inputs: tensor([6], [1, 2, 3, 4, 5, 6]), weights: tensor([6], [1, 1, 1, -1, 1, 1]), bias: -1, value: 12 };
for (const [what, kind, given, text] of [
  ["zeros are left out", "dense", answer(), "1.000 · 0.500 + 0.500 · (−1.000) + bias 0.250 = 0.250"],
  ["the largest products come first, the others as a sum", "conv2d", answer(many),
    "6.000 · 1.000 + 5.000 · 1.000 + 4.000 · (−1.000) + 3.000 · 1.000 + 3.000 from 2 more + bias (−1.000) = 12.000"],
  ["pooling takes the largest", "maxpool2d", bare([1, 1, 2], [-1, 0.5], 0.5), "The largest of −1.000, 0.500 is 0.500."],
  ["ReLU takes the positive part", "relu", bare([1], [-1], 0), "max(0, −1.000) = 0.000"],
  ["other layers pass the value", "dropout", bare([1], [2], 2), "2.000, unchanged."],
  ["a unit that is off adds nothing", "dense", answer({ weights: tensor([3], [0, 0, 0]), bias: 0, value: 0 }), "It is off: its weights and its bias are zero."],
]) {
  test(`arithmetic: ${what}`, () => assert.equal(arithmetic(kind, parseUnit(given)), text));
}

test("darkens pixels outside the receptive field", () => {
  const rgba = fieldRgba(Array.from({ length: 4 }, () => [1, 0, 1, 0]), field);
  const pixel = (x, y) => [...rgba.slice(4 * (4 * y + x), 4 * (4 * y + x) + 3)];
  assert.deepEqual([pixel(0, 1), pixel(1, 1)], [[255, 255, 255], [70, 62, 10]]); // visible ink and paper
  assert.deepEqual([pixel(0, 0), pixel(1, 0)], [[115, 115, 115], [0, 0, 0]]); // and outside the field
  assert.deepEqual([pixel(2, 1), pixel(0, 3)], [[115, 115, 115], [115, 115, 115]]);
});
