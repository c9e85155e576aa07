// The tiny network of the learning path's fourth chapter, forward and back.

import assert from "node:assert/strict";
import { test } from "node:test";

import { GIVEN, backward, forward, steps, written } from "../../services/frontend/learn/js/backpropagation.js";

const SETTABLE = Object.keys(GIVEN);
const SILENT = { ...GIVEN, x: 4 };

test("forward and back are what the chapter computes by hand", () => {
  assert.deepEqual(forward(GIVEN), { z1: 1.5, h1: 1.5, z2: 0.5, h2: 0.5, y: 1, L: 0.5 });
  const { y, w1, b1, w2, b2, v1, v2, c, x } = backward(GIVEN);
  assert.deepEqual([y, w1, b1, w2, b2, v1, v2, c, x], [-1, -2, -1, 4, 2, -1.5, -0.5, -1, -1.5]);
});

for (const given of [GIVEN, SILENT, { ...GIVEN, x: -3, v1: 1.7, t: 0.4 }]) {
  test(`each gradient is how fast the loss changes, at x = ${given.x}`, () => {
    const gradients = backward(given);
    for (const name of SETTABLE) {
      const loss = (nudge) => forward({ ...given, [name]: given[name] + nudge }).L;
      const slope = (loss(1e-5) - loss(-1e-5)) / 2e-5;
      assert.ok(Math.abs(slope - gradients[name]) < 1e-6, `${name}: ${gradients[name]}, not ${slope}`);
    }
  });
}

test("no blame passes a silent unit, but others are blamed still", () => {
  const { h2, z2, w2, b2, w1, x } = backward(SILENT);
  assert.deepEqual([h2, z2, w2, b2, w1, x].map((value) => value + 0), [-2, 0, 0, 0, 4, 0.5]);
  assert.match(steps(SILENT).find(({ node, isBack }) => node === "z2" && isBack).rule, /no blame passes/);
  assert.match(steps(GIVEN).find(({ node, isBack }) => node === "z2" && isBack).rule, /all of it passes/);
});

test("nothing is used before it is known, and at the end everything is", () => {
  const needs = { z1: ["x"], z2: ["x"], h1: ["z1"], h2: ["z2"], y: ["h1", "h2"], L: ["y"] };
  const all = steps(GIVEN);
  const isBack = all.map((step) => step.isBack);
  assert.deepEqual(isBack, [...isBack].sort()); // first forward, then back
  const forwards = all.filter((step) => !step.isBack).map(({ node }) => node);
  const backwards = all.filter((step) => step.isBack).flatMap(({ shows }) => shows);
  for (const [node, sources] of Object.entries(needs)) {
    for (const source of sources) {
      assert.ok(forwards.indexOf(source) < forwards.indexOf(node), `${source} before ${node}`);
      const isLater = backwards.indexOf(source) > backwards.indexOf(node);
      assert.ok(isLater || node === "L", `${node} before ${source} on the way back`);
    }
  }
  assert.deepEqual([...backwards].sort(), Object.keys(backward(GIVEN)).sort());
});

test("a rule says its numbers", () => {
  const rules = steps(GIVEN).map(({ rule }) => rule);
  assert.equal(rules[1], "z₁ = w₁ · x + b₁ = 0.50 · 2.00 + 0.50 = 1.50.");
  assert.equal(rules.at(-2), "dL/dw₁ = x · dL/dz₁ = 2.00 · −1.00 = −2.00, and dL/dw₂ = x · dL/dz₂ = 2.00 · 2.00 = 4.00.");
  assert.equal(written("w2"), "w₂");
});
