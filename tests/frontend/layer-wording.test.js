import assert from "node:assert/strict";
import { test } from "node:test";

import { isWorthSeeing, layerSize, layerTitle, unitTitle } from "../../services/frontend/js/layer-wording.js";

const layer = (name, options, shape) => ({ name, options, activations: { shape, values: new Float32Array(0) } });

test("describes a layer and its output", () => {
  for (const [name, options, shape, figures, size] of [
    ["conv2d", { filters: 32, kernel_size: 5 }, [32, 24, 24], /32 .*5 × 5/, "32 maps of 24 × 24"],
    ["maxpool2d", { size: 2 }, [1, 12, 12], /2 × 2/, "1 map of 12 × 12"],
    ["dense", { units: 11 }, [11], /11/, "11 numbers"],
    ["attention", {}, [3], /^attention$/, "3 numbers"],
  ]) {
    assert.match(layerTitle(layer(name, options, shape)), figures);
    assert.equal(layerSize(layer(name, options, shape)), size);
  }
  assert.deepEqual(["flatten", "dropout", "relu", "dense"].filter((name) => isWorthSeeing(layer(name, {}, [1]))), ["relu", "dense"]);
});

test("names a unit by its layer", () => {
  assert.equal(unitTitle("relu", { layer: 0, place: [3, 1, 2] }), "ReLU of filter 3, at row 1, column 2");
  assert.equal(unitTitle("maxpool2d", { layer: 0, place: [0, 0, 0] }), "Pooling of filter 0, at row 0, column 0");
  assert.equal(unitTitle("dense", { layer: 0, place: [7] }), "Unit 7");
});
