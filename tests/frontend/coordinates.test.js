import assert from "node:assert/strict";
import { test } from "node:test";

import { keepOnCanvas, toLogical } from "../../services/frontend/js/coordinates.js";

const asDrawn = { left: 0, top: 0, width: 280, height: 280 };

for (const [what, [clientX, clientY], rectangle, expected] of [
  ["at its logical size", [12.5, 200], asDrawn, [12.5, 200]],
  ["that is larger", [380, 330], { left: 100, top: 50, width: 560, height: 560 }, [140, 140]],
  ["that is smaller", [226, 290], { left: 16, top: 80, width: 210, height: 210 }, [280, 280]],
  ["scrolled partly out of the window", [10, 10], { left: 0, top: -140, width: 280, height: 280 }, [10, 150]],
  ["that is wide", [320, 100], { left: 0, top: 30, width: 320, height: 140 }, [640, 140]],
  ["whose left edge the pointer left", [-40, 100], asDrawn, [0, 100]],
  ["whose right edge the pointer left", [400, 120], asDrawn, [280, 120]],
]) {
  test(`a pointer on a canvas ${what}`, () => assert.deepEqual(toLogical({ clientX, clientY }, rectangle), expected));
}

test("a point beyond two edges moves to the corner", () => assert.deepEqual(keepOnCanvas([-1, 281]), [0, 280]));
