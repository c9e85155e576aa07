// The timeline: the moments of the model's training, one chosen by a slider; what was measured then, and what it read.

import { curvePoints } from "./learnt.js";
import { paintMaps } from "./layer-figures.js";
import { MapView } from "./map-view.js";
import { momentInWords } from "./snapshots.js";
import { Staleness } from "./staleness.js";
import { tableCell } from "./table-cell.js";
import { answerInWords, formatPercentage } from "./wording.js";

/** @import { Moment, SnapshotReadings, Snapshots } from "./snapshots.js" */

const [CURVE_WIDTH, CURVE_HEIGHT] = [300, 100]; // of the SVG's viewBox
const PLAY_MS = 900; // a moment

/**
 * @typedef {object} TimelineElements
 * @property {HTMLElement} status
 * @property {HTMLElement} body hidden while there is nothing to show
 * @property {HTMLInputElement} slider
 * @property {HTMLElement} play a button
 * @property {HTMLElement} moment
 * @property {HTMLElement} reading
 * @property {HTMLElement} readings a list
 * @property {SVGPolylineElement} trainCurve
 * @property {SVGPolylineElement} validationCurve
 * @property {SVGLineElement} marker
 * @property {HTMLElement} measured
 * @property {HTMLCanvasElement} filters
 * @property {HTMLElement} layers the body of a table
 * @property {SVGElement} map
 */

export class TimelineView {
  #elements;
  #map;
  #staleness;

  /** @type {Snapshots | null} */
  #snapshots = null;

  /** @type {SnapshotReadings | null} */
  #readings = null;

  /** @type {ReturnType<typeof setInterval> | null} */
  #playing = null;

  /** @param {TimelineElements} elements */
  constructor(elements) {
    this.#elements = elements;
    this.#map = new MapView(elements.map);
    this.#staleness = new Staleness(elements.body);
    elements.slider.addEventListener("input", () => {
      this.#stop();
      this.#showMoment();
    });
    elements.play.addEventListener("click", () => (this.#playing === null ? this.#play() : this.#stop()));
  }

  /** Which model's training is shown; "" while there is none. */
  get modelVersion() {
    return this.#snapshots?.modelVersion ?? "";
  }

  /** The last answer stays, dimmed. @param {string} message */
  showProblem(message) {
    this.#elements.status.textContent = message;
    this.#staleness.dim();
  }

  /** @param {string} message */
  showAbsence(message) {
    this.#stop();
    this.#snapshots = this.#readings = null;
    this.#elements.body.hidden = true;
    this.#elements.status.textContent = message;
  }

  /** @param {Snapshots} snapshots */
  show(snapshots) {
    this.#snapshots = snapshots;
    this.#readings = null;
    const { body, status, slider, trainCurve, validationCurve } = this.#elements;
    const { moments } = snapshots;
    this.#map.show(snapshots.mapped);
    body.hidden = false;
    status.textContent = "";
    this.#staleness.show();
    slider.max = String(moments.length - 1);
    slider.value = slider.max;
    const [train, validation] = [moments.map(({ trainLoss }) => trainLoss), moments.map(({ validationLoss }) => validationLoss)];
    const top = Math.max(...[...train, ...validation].map((loss) => loss ?? 0), 1e-9);
    trainCurve.setAttribute("points", curvePoints(train, CURVE_WIDTH, CURVE_HEIGHT, top));
    validationCurve.setAttribute("points", curvePoints(validation, CURVE_WIDTH, CURVE_HEIGHT, top));
    this.#showMoment();
  }

  /** The drawing has changed. */
  waitForReadings() {
    this.#staleness.waitForAnswer();
  }

  /** The answers to the drawing; null for an empty canvas. @param {SnapshotReadings | null} readings @param {boolean} [isCurrent] */
  showReadings(readings, isCurrent = true) {
    this.#readings = readings;
    this.#elements.status.textContent = "";
    this.#staleness.show(isCurrent);
    if (this.#snapshots !== null) this.#showMoment();
  }

  #showMoment() {
    const snapshots = this.#snapshots;
    if (snapshots === null) return;
    const index = Number(this.#elements.slider.value);
    const moment = snapshots.moments[index];
    const words = momentInWords(snapshots, index);
    this.#elements.moment.textContent = words;
    this.#elements.slider.setAttribute("aria-valuetext", words);
    const x = String((index * CURVE_WIDTH) / (snapshots.moments.length - 1));
    this.#elements.marker.setAttribute("x1", x);
    this.#elements.marker.setAttribute("x2", x);
    const losses = [moment.trainLoss === null ? "" : `${moment.trainLoss.toFixed(3)} on what it learnt from`, `${(moment.validationLoss ?? NaN).toFixed(3)} on digits kept apart`];
    const rate = moment.learningRate === null ? "" : ` Learning rate ${Number(moment.learningRate.toPrecision(2))}.`;
    this.#elements.measured.textContent =
      `Loss: ${losses.filter(Boolean).join(", ")}, of which it read ${(100 * moment.validationAccuracy).toFixed(2)}% right.${rate}`;
    paintMaps(this.#elements.filters, moment.filters);
    this.#elements.layers.replaceChildren(...snapshots.layers.flatMap((name, layer) => layerRow(name, layer, moment)));
    this.#showReading(index);
  }

  /** @param {number} index */
  #showReading(index) {
    const readings = this.#readings?.modelVersion === this.modelVersion ? this.#readings.readings : [];
    const reading = readings[index];
    this.#map.move(/** @type {Snapshots} */ (this.#snapshots).moments[index].points.values, reading?.place ?? null);
    this.#elements.reading.textContent = reading ? `Its answer to your drawing: ${answerInWords(reading)}.` : "Draw something, and see its answer at each moment.";
    this.#elements.readings.replaceChildren(
      ...readings.map((each, i) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = each.isDigit ? String(each.digit) : "–";
        button.setAttribute("aria-label", `${momentInWords(/** @type {Snapshots} */ (this.#snapshots), i)}: ${answerInWords(each)}`);
        button.setAttribute("aria-pressed", String(i === index));
        button.addEventListener("click", () => {
          this.#stop();
          this.#elements.slider.value = String(i);
          this.#showMoment();
          /** @type {HTMLElement | null} */ (this.#elements.readings.children[i].querySelector("button"))?.focus();
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
    this.#showMoment();
    this.#playing = setInterval(() => {
      slider.value = String(Number(slider.value) + 1);
      this.#showMoment();
      if (slider.value === slider.max) this.#stop();
    }, PLAY_MS);
  }

  #stop() {
    if (this.#playing !== null) clearInterval(this.#playing);
    this.#playing = null;
    this.#elements.play.textContent = "Play";
  }
}

/** @param {string} name @param {number} layer @param {Moment} moment */
function layerRow(name, layer, moment) {
  const [gradient, ratio, dead] = [moment.gradientNorm[layer], moment.updateRatio[layer], moment.deadUnits[layer]];
  const isMeasured = gradient !== null || dead !== null || name === "conv2d" || name === "dense";
  if (!isMeasured) return [];
  const row = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = `${layer + 1} ${name}`;
  row.append(head, ...[short(gradient), ratio === null ? "" : short(ratio), dead === null ? "" : dead === 0 ? "0%" : formatPercentage(dead)].map(tableCell));
  return [row];
}

/** @param {number | null} value */
function short(value) {
  return value === null ? "" : value.toPrecision(2);
}
