import assert from "node:assert/strict";
import { test } from "node:test";

import { toRgba } from "../../services/frontend/js/pixels.js";

test("converts ink to opaque pixels: ink is white, paper black", () => {
  const rgba = toRgba([[1, 0.5], [0, 1.0000001]]);
  assert.ok(rgba instanceof Uint8ClampedArray);
  assert.deepEqual([...rgba], [255, 128, 0, 255].flatMap((gray) => [gray, gray, gray, 255]));
});
