import assert from "node:assert/strict";
import { test } from "node:test";

import { MAX_POINTS, buildPredictionRequest } from "../../services/frontend/js/prediction-request.js";
import { countPoints } from "../../services/frontend/js/thinning.js";
import { contract } from "./example-answer.js";

test("the request is the one that the contract has", () => {
  assert.deepEqual(buildPredictionRequest(contract.request.strokes), contract.request);
});

test("coordinates are rounded and repeated points dropped", () => {
  const { strokes } = buildPredictionRequest([[[1.23456, 2], [1.2, 2], [9.99, 2]]]);
  assert.deepEqual(strokes, [[[1.2, 2], [10, 2]]]);
});

test("a drawing of many points is thinned to the limit", () => {
  const scribble = Array.from({ length: 12_345 }, (_, i) => [i % 280, (i * 7) % 280]);
  const { strokes } = buildPredictionRequest([scribble]);
  assert.equal(countPoints(strokes), MAX_POINTS);
});

test("repeated points do not count towards the limit", () => {
  const still = Array.from({ length: 9000 }, () => [50, 50]);
  assert.deepEqual(buildPredictionRequest([still, [[1, 1], [2, 2]]]).strokes, [[[50, 50]], [[1, 1], [2, 2]]]);
});
