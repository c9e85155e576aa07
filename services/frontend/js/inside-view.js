// The inside view: the layers' maps, the softmax, and the attribution of each pixel.

import { attribution, leadLost, softmaxSteps } from "./explanation.js";
import { createFigure, paint } from "./layer-figures.js";
import { isWorthSeeing } from "./layer-wording.js";
import { largest, signedRgba } from "./maps.js";
import { DIGITS, INPUT_SIZE, likeliest } from "./prediction.js";
import { Staleness } from "./staleness.js";
import { tableCell } from "./table-cell.js";
import { UnitPicker } from "./unit-picker.js";
import { answerInWords, formatPercentage } from "./wording.js";

/** @import { InsideElements } from "./elements.js" */
/** @import { Explanation, Spot } from "./results.js" */

export class InsideView {
  #elements;
  #onPick;
  #staleness;

  /** @type {Explanation | null} */
  #explanation = null;

  /** The user's choice; "" means the runner-up. */
  #rival = "";

  /** The figures of the layers of one model. @type {{model: string, pickers: {layer: number, picker: UnitPicker}[]}} */
  #figures = { model: "", pickers: [] };

  /**
   * @param {InsideElements} elements
   * @param {(spot: Spot, isKept: boolean) => void} onPick the pointer is on a unit
   */
  constructor(elements, onPick) {
    this.#elements = elements;
    this.#onPick = onPick;
    this.#staleness = new Staleness(elements.body);
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
    this.say("Draw a digit to see what each layer computes.");
    this.#staleness.show();
  }

  waitForAnswer() {
    this.#staleness.waitForAnswer();
  }

  /** @param {string} message */
  say(message) {
    this.#elements.status.textContent = message;
  }

  /** Show a message, and dim the last answer. @param {string} message */
  showProblem(message) {
    this.say(message);
    this.#staleness.dim();
  }

  /**
   * @param {Explanation} explanation
   * @param {boolean} isEdited whether an edited copy answered
   * @param {boolean} isCurrent whether its input is still on the canvas
   */
  show(explanation, isEdited, isCurrent) {
    this.#explanation = explanation;
    const { body, softmax, softmaxHow } = this.#elements;
    this.say(`${isEdited ? "With your changes" : "So far"} it reads ${answerInWords(explanation)}`);
    body.hidden = false;
    body.toggleAttribute("data-edited", isEdited);
    this.#showEvidence();
    this.#showLayers(explanation);
    softmaxHow.textContent = softmaxInWords(explanation);
    softmax.classList.toggle("rejected", !explanation.isDigit);
    softmax.replaceChildren(...softmaxSteps(explanation).map((step) => softmaxRow(step, explanation.digit)), ...noDigitRow(explanation));
    this.#staleness.show(isCurrent);
  }

  #showEvidence() {
    const explanation = this.#explanation;
    if (explanation === null) return;
    const [digit, runnerUp] = likeliest(explanation);
    const rival = this.#rival === "" || Number(this.#rival) === digit ? runnerUp : Number(this.#rival);
    this.#elements.why.hidden = explanation.bestGuess === null;
    const values = attribution(explanation, digit, rival);
    paint(this.#elements.saliency, INPUT_SIZE, INPUT_SIZE, signedRgba(values, largest(values)));
    this.#elements.question.textContent = `${explanation.isDigit ? "Why a" : "If it were a digit: why a"} ${digit}, and not a `;
    const options = Array.from({ length: DIGITS }, (_, other) => new Option(String(other), String(other), false, other === rival));
    this.#elements.rival.replaceChildren(...options.filter((option) => option.value !== String(digit)));
    const [above, below] = [sum(values, 1), sum(values, -1)];
    // The network is piecewise linear, so the biases add the rest of the lead.
    const lead = explanation.logits[digit] - explanation.logits[rival];
    Object.assign(this.#elements.evidence.dataset, { for: above, against: below, lead });
    this.#elements.evidence.textContent =
      `Yellow ink adds ${signed(above)} to the lead of ${digit} over ${rival}, blue ink ${signed(below)}, and the biases ` +
      `${signed(lead - above - below)}. The lead is ${signed(lead)}.`;
    this.#elements.check.hidden = explanation.occlusion === null;
    if (explanation.occlusion === null) return;
    const lost = leadLost(explanation.occlusion, digit, rival);
    paint(this.#elements.occlusion, INPUT_SIZE, INPUT_SIZE, signedRgba(lost, largest(lost)));
  }

  /** Mark the inspected unit. @param {Spot | null} spot */
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

/** @param {Explanation} explanation */
function softmaxInWords({ temperature, noDigit }) {
  const divisor = temperature.toFixed(2);
  const ofDigits = `Probability: exp((logit − largest logit) ÷ ${divisor}), divided by the sum of the ten.`;
  if (noDigit === null) return ofDigits;
  const threshold = formatPercentage(noDigit.threshold);
  return `${ofDigits} “Not a digit” competes with all ten, without ÷ ${divisor}. It wins above ${threshold}, and for a blank.`;
}

/** @param {{digit: number, logit: number, power: number, probability: number}} step @param {number | null} winner */
function softmaxRow({ digit, logit, power, probability }, winner) {
  const shown = power < 0.001 ? power.toExponential(1) : power.toFixed(3);
  return tableRow(String(digit), { logit, power: shown, probability }, digit === winner);
}

/** @param {Explanation} explanation */
function noDigitRow({ logits, noDigit, isDigit }) {
  if (noDigit === null) return [];
  const row = tableRow("not a digit", { logit: logits[DIGITS], power: "", probability: noDigit.probability }, !isDigit);
  row.classList.add("no-digit");
  return [row];
}

/** @param {string} name @param {{logit: number, power: string, probability: number}} figures @param {boolean} isWinner */
function tableRow(name, { logit, power, probability }, isWinner) {
  const row = document.createElement("tr");
  row.classList.toggle("winner", isWinner);
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = name;
  row.append(head, ...[signed(logit), power, formatPercentage(probability)].map(tableCell));
  Object.assign(row.dataset, { logit, probability }); // at full precision
  return row;
}

/** Return the sum of the values with this sign. @param {Float32Array} values @param {1 | -1} sign */
function sum(values, sign) {
  return values.reduce((total, value) => (value * sign > 0 ? total + value : total), 0);
}

/** @param {number} value */
function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}
