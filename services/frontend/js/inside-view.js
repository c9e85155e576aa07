// The inside view: the layers' maps, how logits become probabilities, and which ink spoke for which digit.

import { leadLost, runnerUp, softmaxSteps, spokenFor } from "./explanation.js";
import { createFigure, paint } from "./layer-figures.js";
import { isWorthSeeing } from "./layer-wording.js";
import { largest, signedRgba } from "./maps.js";
import { DIGITS, INPUT_SIZE } from "./prediction.js";
import { tableCell } from "./table-cell.js";
import { UnitPicker } from "./unit-picker.js";
import { formatPercentage } from "./wording.js";

/** @typedef {import("./explanation.js").Explanation} Explanation */

/**
 * @typedef {object} InsideElements
 * @property {HTMLElement} status
 * @property {HTMLElement} body hidden while there is nothing to show
 * @property {HTMLCanvasElement} saliency
 * @property {HTMLElement} question
 * @property {HTMLSelectElement} rival
 * @property {HTMLElement} evidence
 * @property {HTMLElement} check hidden as long as nothing was checked
 * @property {HTMLCanvasElement} occlusion
 * @property {HTMLElement} layers
 * @property {HTMLElement} softmax the body of a table
 * @property {HTMLElement} softmaxHow
 */

export class InsideView {
  #elements;
  #onPick;

  /** @type {Explanation | null} */
  #explanation = null;

  /** Chosen by the user; "" is the runner-up, whichever that is. */
  #rival = "";

  /** The layers' figures, as long as the network is the same. @type {{model: string, pickers: {layer: number, picker: UnitPicker}[]}} */
  #figures = { model: "", pickers: [] };

  /**
   * @param {InsideElements} elements
   * @param {(spot: import("./unit.js").Spot, isKept: boolean) => void} onPick somebody points at a unit
   */
  constructor(elements, onPick) {
    this.#elements = elements;
    this.#onPick = onPick;
    elements.rival.addEventListener("change", () => {
      this.#rival = elements.rival.value;
      this.#showEvidence();
    });
    this.reset();
  }

  reset() {
    this.#explanation = null;
    this.#rival = "";
    this.#elements.body.hidden = true;
    this.#elements.status.textContent = "Draw, and watch it think.";
  }

  /** @param {string} message */
  showProblem(message) {
    this.reset();
    this.#elements.status.textContent = message;
  }

  /** @param {Explanation} explanation @param {boolean} isChanged whether a copy that was changed read it */
  show(explanation, isChanged = false) {
    this.#explanation = explanation;
    const { digit, isDigit, confidence } = explanation;
    const who = isChanged ? "With your changes" : "So far";
    this.#elements.status.textContent = isDigit ? `${who} it reads a ${digit}: ${formatPercentage(confidence)}` : `${who} that is no digit to it.`;
    this.#elements.body.hidden = false;
    this.#showEvidence();
    this.#showLayers(explanation);
    this.#elements.softmaxHow.textContent =
      `Powers of e: (logit − largest logit) ÷ ${explanation.temperature.toFixed(2)}. Divided by their sum they are probabilities.`;
    this.#elements.softmax.replaceChildren(...softmaxSteps(explanation).map((step) => softmaxRow(step, digit)));
  }

  #showEvidence() {
    const explanation = this.#explanation;
    if (explanation === null) return;
    const { digit } = explanation;
    const rival = this.#rival === "" || Number(this.#rival) === digit ? runnerUp(explanation) : Number(this.#rival);
    const values = spokenFor(explanation, digit, rival);
    paint(this.#elements.saliency, INPUT_SIZE, INPUT_SIZE, signedRgba(values, largest(values)));
    this.#elements.question.textContent = `Why a ${digit}, and not a `;
    const options = Array.from({ length: DIGITS }, (_, other) => new Option(String(other), String(other), false, other === rival));
    this.#elements.rival.replaceChildren(...options.filter((option) => option.value !== String(digit)));
    const [above, below] = [sum(values, 1), sum(values, -1)];
    // As long as nothing in it switches the network is linear: what the ink does not say of the lead, the biases do.
    const lead = explanation.logits[digit] - explanation.logits[rival];
    Object.assign(this.#elements.evidence.dataset, { for: above, against: below, lead });
    this.#elements.evidence.textContent =
      `Yellow ink speaks for the ${digit} (${signed(above)}), blue ink for the ${rival} (${signed(below)}), the biases say ` +
      `${signed(lead - above - below)}: together the lead of ${digit}, ${signed(lead)}.`;
    this.#elements.check.hidden = explanation.occlusion === null;
    if (explanation.occlusion === null) return;
    const lost = leadLost(explanation.occlusion, digit, rival);
    paint(this.#elements.occlusion, INPUT_SIZE, INPUT_SIZE, signedRgba(lost, largest(lost)));
  }

  /** Which unit is looked at; null: none. @param {import("./unit.js").Spot | null} spot */
  mark(spot) {
    for (const { layer, picker } of this.#figures.pickers) picker.mark(spot?.layer === layer ? spot.place : null);
  }

  /** @param {Explanation} explanation */
  #showLayers({ layers, modelVersion }) {
    if (this.#figures.model !== modelVersion) {
      const figures = layers.flatMap((layer, index) => (isWorthSeeing(layer) ? [{ index, ...createFigure(layer) }] : []));
      this.#elements.layers.replaceChildren(...figures.map(({ figure }) => figure));
      const pickers = figures.map(({ index, canvas }) => ({
        layer: index,
        picker: new UnitPicker(canvas, (place, isKept) => this.#onPick({ layer: index, place }, isKept)),
      }));
      this.#figures = { model: modelVersion, pickers };
    }
    for (const { layer, picker } of this.#figures.pickers) picker.show(layers[layer].activations);
  }
}

/** @param {{digit: number, logit: number, power: number, probability: number}} step @param {number} winner */
function softmaxRow({ digit, logit, power, probability }, winner) {
  const row = document.createElement("tr");
  row.classList.toggle("winner", digit === winner);
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = String(digit);
  row.append(head, ...[signed(logit), power < 0.001 ? power.toExponential(1) : power.toFixed(3), formatPercentage(probability)].map(tableCell));
  // In full, for whoever wants to compute with them.
  Object.assign(row.dataset, { logit, probability });
  return row;
}

/** Of those above zero, or below it. @param {Float32Array} values @param {1 | -1} sign */
function sum(values, sign) {
  return values.reduce((total, value) => (value * sign > 0 ? total + value : total), 0);
}

/** @param {number} value */
function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}
