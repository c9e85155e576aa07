// Snapshots: checks the measurements of the live model's training, and the predictions of each snapshot, before the page shows
// them.

import { parseTensor } from "./explanation.js";
import { check, parseAnswer } from "./prediction.js";

/** @import { SnapshotAnswer, SnapshotPredictionsAnswer, SnapshotsAnswer } from "./answers.js" */
/** @import { Snapshot, SnapshotPrediction, SnapshotPredictions, TrainingHistory } from "./results.js" */

/**
 * @param {SnapshotsAnswer} answer unchecked
 * @returns {TrainingHistory}
 * @throws {UnexpectedAnswerError}
 */
export function parseTrainingHistory(answer) {
  const { model_version, epochs, layers, mapped, moments } = answer ?? {};
  check(typeof model_version === "string", "the model version is missing");
  check(epochs === null || Number.isInteger(epochs), "the number of epochs is not a whole number");
  check(Array.isArray(layers) && layers.every((layer) => typeof layer === "string"), "the layers are missing");
  check(Array.isArray(mapped) && mapped.every(Number.isInteger), "the mapped digits are missing");
  check(Array.isArray(moments) && moments.length > 1, "the snapshots are missing");
  const snapshots = moments.map((snapshot) => parseSnapshot(snapshot, layers.length, mapped.length));
  return { modelVersion: model_version, epochs, layers, mapped, snapshots };
}

/** @param {SnapshotAnswer} snapshot @param {number} layers @param {number} mapped @returns {Snapshot} */
function parseSnapshot(snapshot, layers, mapped) {
  check(Number.isInteger(snapshot?.step), "a snapshot has no step");
  const single = [snapshot.learning_rate, snapshot.train_loss, snapshot.validation_loss];
  check(single.every(isMeasured), "a measurement is not a number");
  check(Number.isFinite(snapshot.validation_accuracy), "the accuracy is not a number");
  const byLayer = [snapshot.gradient_norm, snapshot.update_ratio, snapshot.dead_units];
  const isComplete = byLayer.every((values) => Array.isArray(values) && values.length === layers && values.every(isMeasured));
  check(isComplete, "a measurement of a layer is missing");
  const points = parseTensor(snapshot.points, "the points of a map");
  check(points.values.length === 2 * mapped, "a map does not have one point for each digit");
  return {
    step: snapshot.step,
    learningRate: single[0],
    trainLoss: single[1],
    validationLoss: single[2],
    validationAccuracy: snapshot.validation_accuracy,
    gradientNorm: byLayer[0],
    updateRatio: byLayer[1],
    deadUnits: byLayer[2],
    filters: parseTensor(snapshot.filters, "the filters"),
    points,
  };
}

/** @param {unknown} value */
function isMeasured(value) {
  return value === null || Number.isFinite(value);
}

/**
 * @param {SnapshotPredictionsAnswer} answer unchecked
 * @returns {SnapshotPredictions}
 * @throws {UnexpectedAnswerError}
 */
export function parseSnapshotPredictions(answer) {
  const { model_version, readings } = answer ?? {};
  check(typeof model_version === "string", "the model version is missing");
  check(Array.isArray(readings), "the predictions are missing");
  return { modelVersion: model_version, predictions: readings.map(parseSnapshotPrediction) };
}

/** @param {SnapshotPredictionsAnswer["readings"][number]} prediction @returns {SnapshotPrediction} */
function parseSnapshotPrediction(prediction) {
  const parsed = parseAnswer(prediction);
  const { place } = prediction;
  check(Array.isArray(place) && place.length === 2 && place.every(Number.isFinite), "a prediction has no place on the map");
  return { ...parsed, place: [place[0], place[1]] };
}

/** Return when a snapshot was taken, in words. @param {TrainingHistory} history @param {number} index */
export function snapshotInWords({ epochs, snapshots }, index) {
  const { step } = snapshots[index];
  const last = snapshots[snapshots.length - 1].step;
  if (step === 0) return "Before the first step: random weights";
  const epoch = epochs === null ? "" : `, epoch ${Number(((epochs * step) / last).toPrecision(2))} of ${epochs}`;
  return `After ${count(step)} of ${count(last)} steps${epoch}`;
}

/** Return a number with commas. @param {number} value */
function count(value) {
  return value.toLocaleString("en");
}
