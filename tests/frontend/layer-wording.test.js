import assert from "node:assert/strict";
import { test } from "node:test";

import { isWorthSeeing, layerSize, layerTitle, unitTitle } from "../../services/frontend/js/layer-wording.js";

const layer = (name, options, shape) => ({ name, options, activations: { shape, values: new Float32Array(0) } });

test("a layer says what it does and how much comes of it", () => {
  const said = [
    layer("conv2d", { filters: 32, kernel_size: 5 }, [32, 24, 24]),
    layer("maxpool2d", { size: 2 }, [32, 12, 12]),
    layer("relu", {}, [1, 12, 12]),
    layer("dense", { units: 11 }, [11]),
  ].map((each) => [layerTitle(each), layerSize(each)]);
  assert.deepEqual(said, [
    ["Convolution: 32 filters of 5 × 5", "32 maps of 24 × 24"],
    ["Pooling: the largest of each 2 × 2", "32 maps of 12 × 12"],
    ["ReLU: only what is above zero", "1 map of 12 × 12"],
    ["Dense: 11 units, each a weighted sum of all before", "11 numbers"],
  ]);
});

test("a layer that is not known here is called by its name", () => {
  assert.equal(layerTitle(layer("attention", {}, [3])), "attention");
});

test("flatten and dropout change nothing that could be seen", () => {
  assert.deepEqual(["flatten", "dropout", "relu", "dense"].filter((name) => isWorthSeeing(layer(name, {}, [1]))), ["relu", "dense"]);
});

test("a unit is called by what it is a part of", () => {
  const said = [["conv2d", [3, 1, 2]], ["relu", [3, 1, 2]], ["maxpool2d", [0, 0, 0]], ["dense", [7]], ["relu", [7]]];
  assert.deepEqual(said.map(([name, place]) => unitTitle(name, { layer: 0, place })), [
    "Filter 3, at row 1, column 2",
    "ReLU of filter 3, at row 1, column 2",
    "Pooling of filter 0, at row 0, column 0",
    "Unit 7",
    "ReLU of unit 7",
  ]);
});
