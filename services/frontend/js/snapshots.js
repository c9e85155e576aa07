// Snapshots: how the live model learned, and its answers to a drawing then; checked before anything of it reaches the page.

import { parseTensor } from "./explanation.js";
import { check, parseAnswer } from "./prediction.js";

/** @import { SnapshotReading as ApiReading, SnapshotMoment, SnapshotReadingsAnswer, SnapshotsAnswer } from "./answers.js" */
/** @import { Tensor } from "./explanation.js" */
/** @import { Answer } from "./prediction.js" */

/**
 * @typedef {object} Moment
 * @property {number} step so many steps were taken
 * @property {number | null} learningRate
 * @property {number | null} trainLoss
 * @property {number | null} validationLoss
 * @property {number} validationAccuracy from 0 to 1
 * @property {(number | null)[]} gradientNorm of each layer; null where it has no parameters, or before the first step
 * @property {(number | null)[]} updateRatio
 * @property {(number | null)[]} deadUnits from 0 to 1; null where the layer is no ReLU
 * @property {Tensor} filters
 * @property {Tensor} points (digits, 2): where they are on this moment's map
 */

/**
 * @typedef {object} Snapshots
 * @property {string} modelVersion
 * @property {number | null} epochs
 * @property {string[]} layers
 * @property {number[]} mapped the labels of the digits on the maps
 * @property {Moment[]} moments
 */

/** @typedef {Answer & {place: readonly [number, number]}} SnapshotReading its place is on the moment's map */
/** @typedef {{modelVersion: string, readings: SnapshotReading[]}} SnapshotReadings */

/**
 * @param {SnapshotsAnswer} answer unchecked
 * @returns {Snapshots}
 * @throws {UnexpectedAnswerError}
 */
export function parseSnapshots(answer) {
  const { model_version, epochs, layers, mapped, moments } = answer ?? {};
  check(typeof model_version === "string", "the model version is missing");
  check(epochs === null || Number.isInteger(epochs), "the number of epochs is not a whole number");
  check(Array.isArray(layers) && layers.every((layer) => typeof layer === "string"), "the layers are missing");
  check(Array.isArray(mapped) && mapped.every(Number.isInteger), "the mapped digits are missing");
  check(Array.isArray(moments) && moments.length > 1, "the moments are missing");
  const parsed = moments.map((moment) => parseMoment(moment, layers.length, mapped.length));
  return { modelVersion: model_version, epochs, layers, mapped, moments: parsed };
}

/** @param {SnapshotMoment} moment @param {number} layers @param {number} mapped @returns {Moment} */
function parseMoment(moment, layers, mapped) {
  check(Number.isInteger(moment?.step), "a moment has no step");
  const single = [moment.learning_rate, moment.train_loss, moment.validation_loss];
  check(single.every(isMeasured), "what was measured is not a number");
  check(Number.isFinite(moment.validation_accuracy), "the accuracy is not a number");
  const byLayer = [moment.gradient_norm, moment.update_ratio, moment.dead_units];
  check(byLayer.every((values) => Array.isArray(values) && values.length === layers && values.every(isMeasured)), "a layer was not measured");
  const points = parseTensor(moment.points, "the points of a map");
  check(points.values.length === 2 * mapped, "a map has not one point for each digit");
  return {
    step: moment.step,
    learningRate: single[0],
    trainLoss: single[1],
    validationLoss: single[2],
    validationAccuracy: moment.validation_accuracy,
    gradientNorm: byLayer[0],
    updateRatio: byLayer[1],
    deadUnits: byLayer[2],
    filters: parseTensor(moment.filters, "the filters"),
    points,
  };
}

/** @param {unknown} value */
function isMeasured(value) {
  return value === null || Number.isFinite(value);
}

/**
 * @param {SnapshotReadingsAnswer} answer unchecked
 * @returns {SnapshotReadings}
 * @throws {UnexpectedAnswerError}
 */
export function parseSnapshotReadings(answer) {
  const { model_version, readings } = answer ?? {};
  check(typeof model_version === "string", "the model version is missing");
  check(Array.isArray(readings), "the readings are missing");
  return { modelVersion: model_version, readings: readings.map(parseSnapshotReading) };
}

/** @param {ApiReading} reading @returns {SnapshotReading} */
function parseSnapshotReading(reading) {
  const parsed = parseAnswer(reading);
  const { place } = reading;
  check(Array.isArray(place) && place.length === 2 && place.every(Number.isFinite), "a reading has no place on the map");
  return { ...parsed, place: [place[0], place[1]] };
}

/** When a moment was. @param {Snapshots} snapshots @param {number} index */
export function momentInWords({ epochs, moments }, index) {
  const { step } = moments[index];
  const last = moments[moments.length - 1].step;
  if (step === 0) return "Before the first step: weights drawn by chance";
  const epoch = epochs === null ? "" : `, epoch ${Number(((epochs * step) / last).toPrecision(2))} of ${epochs}`;
  return `After ${count(step)} of ${count(last)} steps${epoch}`;
}

/** With its thousands apart. @param {number} value */
function count(value) {
  return value.toLocaleString("en");
}
