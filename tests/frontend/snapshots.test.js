import assert from "node:assert/strict";
import { test } from "node:test";

import { UnexpectedAnswerError, parseAnswer } from "../../services/frontend/js/prediction.js";
import { snapshotInWords, parseSnapshotPredictions, parseTrainingHistory } from "../../services/frontend/js/snapshots.js";
import { exampleAnswer, tensor } from "./example-answer.js";

const snapshot = (changes = {}) => ({
  ...{ step: 0, learning_rate: null, train_loss: null, validation_loss: 2.5, validation_accuracy: 0.1 },
  ...{ gradient_norm: [null, null], update_ratio: [null, null], dead_units: [null, 0.25] },
  ...{ filters: tensor([1, 1, 2], [0.5, -0.5]), points: tensor([2, 2], [1, 2, 3, 4]) },
  ...changes,
});
const second = { step: 100, learning_rate: 0.5, train_loss: 2, gradient_norm: [1, null], update_ratio: [0.001, null] };
const about = { model_version: "m", epochs: 4, layers: ["dense", "relu"], mapped: [7, 3] };
const answer = (changes = {}) => ({ ...about, moments: [snapshot(), snapshot(second), snapshot({ step: 2000 })], ...changes });

test("parses snapshots with their measurements or null", () => {
  const { modelVersion, epochs, layers, mapped, snapshots } = parseTrainingHistory(answer());
  assert.deepEqual({ model_version: modelVersion, epochs, layers, mapped }, about);
  assert.deepEqual(snapshots[1], {
    ...{ step: 100, learningRate: 0.5, trainLoss: 2, validationLoss: 2.5, validationAccuracy: 0.1 },
    ...{ gradientNorm: [1, null], updateRatio: [0.001, null], deadUnits: [null, 0.25] },
    filters: { shape: [1, 1, 2], values: new Float32Array([0.5, -0.5]) },
    points: { shape: [2, 2], values: new Float32Array([1, 2, 3, 4]) },
  });
});

for (const [what, changes] of Object.entries({
  "no snapshots": { moments: [] },
  "no layers": { layers: undefined },
  "half an epoch": { epochs: 1.5 },
  "no version": { model_version: 3 },
  "a snapshot without its step": { moments: [snapshot(), snapshot({ step: undefined })] },
  "a loss in words": { moments: [snapshot(), snapshot({ train_loss: "low" })] },
  "no accuracy": { moments: [snapshot(), snapshot({ validation_accuracy: null })] },
  "a layer too few": { moments: [snapshot(), snapshot({ update_ratio: [null] })] },
  "no mapped digits": { mapped: null },
  "a digit without a place on the map": { mapped: [7, 3, 1] },
  "no filters": { moments: [snapshot(), snapshot({ filters: null })] },
})) {
  test(`rejects an answer with ${what}`, () => {
    assert.throws(() => parseTrainingHistory(answer(changes)), UnexpectedAnswerError);
  });
}

test("parses one prediction per snapshot", () => {
  const { input, ...answer } = exampleAnswer();
  const prediction = { ...answer, place: [0.5, -1] };
  assert.deepEqual(parseSnapshotPredictions({ model_version: "m", readings: [prediction] }), {
    modelVersion: "m",
    predictions: [{ ...parseAnswer(answer), place: [0.5, -1] }],
  });
  const nowhere = { ...prediction, place: [1] };
  const bad = [null, {}, { model_version: "m", readings: [null] }, { model_version: "m", readings: [nowhere] }];
  for (const each of bad) assert.throws(() => parseSnapshotPredictions(each), UnexpectedAnswerError);
});

test("describes a snapshot by step and epoch", () => {
  const history = parseTrainingHistory(answer());
  assert.deepEqual([0, 1, 2].map((index) => snapshotInWords(history, index)), [
    "Before the first step: random weights",
    "After 100 of 2,000 steps, epoch 0.2 of 4",
    "After 2,000 of 2,000 steps, epoch 4 of 4",
  ]);
  assert.equal(snapshotInWords({ ...history, epochs: null }, 1), "After 100 of 2,000 steps");
});
