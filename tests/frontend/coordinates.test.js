import assert from "node:assert/strict";
import { test } from "node:test";

import { keepOnCanvas, toLogical } from "../../services/frontend/js/coordinates.js";

const asDrawn = { left: 0, top: 0, width: 280, height: 280 };

test("a canvas shown at its logical size maps one to one", () => {
  assert.deepEqual(toLogical({ clientX: 12.5, clientY: 200 }, asDrawn), [12.5, 200]);
});

test("a large canvas in the middle of the page maps its centre to the logical centre", () => {
  const rectangle = { left: 100, top: 50, width: 560, height: 560 };
  assert.deepEqual(toLogical({ clientX: 380, clientY: 330 }, rectangle), [140, 140]);
});

test("a small canvas maps its far corner to the logical far corner", () => {
  const rectangle = { left: 16, top: 80, width: 210, height: 210 };
  assert.deepEqual(toLogical({ clientX: 226, clientY: 290 }, rectangle), [280, 280]);
});

test("a canvas scrolled partly out of the window still maps correctly", () => {
  const rectangle = { left: 0, top: -140, width: 280, height: 280 };
  assert.deepEqual(toLogical({ clientX: 10, clientY: 10 }, rectangle), [10, 150]);
});

test("a pointer beyond an edge is kept on that edge and moves along it", () => {
  assert.deepEqual(toLogical({ clientX: -40, clientY: 100 }, asDrawn), [0, 100]);
  assert.deepEqual(toLogical({ clientX: 400, clientY: 120 }, asDrawn), [280, 120]);
  assert.deepEqual(keepOnCanvas([-1, 281]), [0, 280]);
});
