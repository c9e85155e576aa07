import assert from "node:assert/strict";
import { test } from "node:test";

import { MAX_POINTS, buildPredictionRequest } from "../../services/frontend/js/prediction-request.js";
import { countPoints } from "../../services/frontend/js/thinning.js";
import { contract } from "./example-answer.js";

test("makes the contract's request, with rounded and thinned points", () => {
  assert.deepEqual(buildPredictionRequest(contract.request.strokes), contract.request);
  assert.deepEqual(buildPredictionRequest([[[1.23456, 2], [1.2, 2], [9.99, 2]]]).strokes, [[[1.2, 2], [10, 2]]]);
  const scribble = Array.from({ length: 12_345 }, (_, i) => [i % 280, (i * 7) % 280]);
  assert.equal(countPoints(buildPredictionRequest([scribble]).strokes), MAX_POINTS);
  const still = Array.from({ length: 9000 }, () => [50, 50]); // repeated points do not count
  assert.deepEqual(buildPredictionRequest([still, [[1, 1], [2, 2]]]).strokes, [[[50, 50]], [[1, 1], [2, 2]]]);
});
