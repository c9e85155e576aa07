// The timeline view: the snapshots of the model's training. A slider chooses one; the view shows its measurements and its
// prediction.

import { paintMaps } from "./layer-figures.js";
import { MapView } from "./map-view.js";
import { snapshotInWords } from "./snapshots.js";
import { Staleness } from "./staleness.js";
import { tableCell } from "./table-cell.js";
import { curvePoints } from "./training-result.js";
import { answerInWords, formatPercentage } from "./wording.js";

/** @import { TimelineElements } from "./elements.js" */
/** @import { Snapshot, SnapshotPredictions, TrainingHistory } from "./results.js" */

const [CURVE_WIDTH, CURVE_HEIGHT] = [300, 100]; // of the SVG's viewBox
const PLAY_MS = 900; // for each snapshot

export class TimelineView {
  #elements;
  #map;
  #staleness;

  /** @type {TrainingHistory | null} */
  #history = null;

  /** @type {SnapshotPredictions | null} */
  #predictions = null;

  /** @type {ReturnType<typeof setInterval> | null} */
  #playing = null;

  /** @param {TimelineElements} elements */
  constructor(elements) {
    this.#elements = elements;
    this.#map = new MapView(elements.map);
    this.#staleness = new Staleness(elements.body);
    elements.slider.addEventListener("input", () => {
      this.#stop();
      this.#showSnapshot();
    });
    elements.play.addEventListener("click", () => (this.#playing === null ? this.#play() : this.#stop()));
  }

  /** The model whose training is shown; "" without one. */
  get modelVersion() {
    return this.#history?.modelVersion ?? "";
  }

  /** Show a message, and dim the last answer. @param {string} message */
  showProblem(message) {
    this.#elements.status.textContent = message;
    this.#staleness.dim();
  }

  /** @param {string} message */
  showAbsence(message) {
    this.#stop();
    this.#history = this.#predictions = null;
    this.#elements.body.hidden = true;
    this.#elements.status.textContent = message;
  }

  /** @param {TrainingHistory} history */
  show(history) {
    this.#history = history;
    this.#predictions = null;
    const { body, status, slider, trainCurve, validationCurve } = this.#elements;
    const { snapshots } = history;
    this.#map.show(history.mapped);
    body.hidden = false;
    status.textContent = "";
    this.#staleness.show();
    slider.max = String(snapshots.length - 1);
    slider.value = slider.max;
    const [train, validation] = [snapshots.map(({ trainLoss }) => trainLoss), snapshots.map(({ validationLoss }) => validationLoss)];
    const top = Math.max(...[...train, ...validation].map((loss) => loss ?? 0), 1e-9);
    trainCurve.setAttribute("points", curvePoints(train, CURVE_WIDTH, CURVE_HEIGHT, top));
    validationCurve.setAttribute("points", curvePoints(validation, CURVE_WIDTH, CURVE_HEIGHT, top));
    this.#showSnapshot();
  }

  waitForPredictions() {
    this.#staleness.waitForAnswer();
  }

  /** @param {SnapshotPredictions | null} predictions null for an empty canvas @param {boolean} [isCurrent] */
  showPredictions(predictions, isCurrent = true) {
    this.#predictions = predictions;
    this.#elements.status.textContent = "";
    this.#staleness.show(isCurrent);
    if (this.#history !== null) this.#showSnapshot();
  }

  #showSnapshot() {
    const history = this.#history;
    if (history === null) return;
    const index = Number(this.#elements.slider.value);
    const snapshot = history.snapshots[index];
    const words = snapshotInWords(history, index);
    this.#elements.when.textContent = words;
    this.#elements.slider.setAttribute("aria-valuetext", words);
    const x = String((index * CURVE_WIDTH) / (history.snapshots.length - 1));
    this.#elements.marker.setAttribute("x1", x);
    this.#elements.marker.setAttribute("x2", x);
    const trainLoss = snapshot.trainLoss === null ? "" : `${snapshot.trainLoss.toFixed(3)} on training digits, `;
    const validationLoss = `${(snapshot.validationLoss ?? NaN).toFixed(3)} on validation digits`;
    const rate = snapshot.learningRate === null ? "" : ` Learning rate: ${Number(snapshot.learningRate.toPrecision(2))}.`;
    this.#elements.measured.textContent =
      `Loss: ${trainLoss}${validationLoss}. Validation accuracy: ${(100 * snapshot.validationAccuracy).toFixed(2)}%.${rate}`;
    paintMaps(this.#elements.filters, snapshot.filters);
    this.#elements.layers.replaceChildren(...history.layers.flatMap((name, layer) => layerRow(name, layer, snapshot)));
    this.#showPrediction(index);
  }

  /** @param {number} index */
  #showPrediction(index) {
    const predictions = this.#predictions?.modelVersion === this.modelVersion ? this.#predictions.predictions : [];
    const prediction = predictions[index];
    this.#map.move(/** @type {TrainingHistory} */ (this.#history).snapshots[index].points.values, prediction?.place ?? null);
    this.#elements.prediction.textContent = prediction
      ? `Prediction for your drawing: ${answerInWords(prediction)}.`
      : "Draw a digit to see the prediction of each snapshot.";
    this.#elements.predictions.replaceChildren(
      ...predictions.map((each, i) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = each.isDigit ? String(each.digit) : "–";
        button.setAttribute("aria-label", `${snapshotInWords(/** @type {TrainingHistory} */ (this.#history), i)}: ${answerInWords(each)}`);
        button.setAttribute("aria-pressed", String(i === index));
        button.addEventListener("click", () => {
          this.#stop();
          this.#elements.slider.value = String(i);
          this.#showSnapshot();
          /** @type {HTMLElement | null} */ (this.#elements.predictions.children[i].querySelector("button"))?.focus();
        });
        Object.assign(button.dataset, { digit: each.bestGuess, probability: Math.max(...each.probabilities) });
        item.append(button);
        return item;
      }),
    );
  }

  #play() {
    const { slider, play } = this.#elements;
    if (slider.value === slider.max) slider.value = "0";
    play.textContent = "Pause";
    this.#showSnapshot();
    this.#playing = setInterval(() => {
      slider.value = String(Number(slider.value) + 1);
      this.#showSnapshot();
      if (slider.value === slider.max) this.#stop();
    }, PLAY_MS);
  }

  #stop() {
    if (this.#playing !== null) clearInterval(this.#playing);
    this.#playing = null;
    this.#elements.play.textContent = "Play";
  }
}

/** @param {string} name @param {number} layer @param {Snapshot} snapshot */
function layerRow(name, layer, snapshot) {
  const [gradient, ratio, dead] = [snapshot.gradientNorm[layer], snapshot.updateRatio[layer], snapshot.deadUnits[layer]];
  const isMeasured = gradient !== null || dead !== null || name === "conv2d" || name === "dense";
  if (!isMeasured) return [];
  const row = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = `${layer + 1} ${name}`;
  const deadShare = dead === null ? "" : dead === 0 ? "0%" : formatPercentage(dead);
  row.append(head, ...[short(gradient), short(ratio), deadShare].map(tableCell));
  return [row];
}

/** @param {number | null} value */
function short(value) {
  return value === null ? "" : value.toPrecision(2);
}
