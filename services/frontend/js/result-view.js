// The result view: everything on the page that tells what the network answered.

import { DIGITS, INPUT_SIZE } from "./prediction.js";
import { toRgba } from "./pixels.js";
import { bestGuessText, confidenceText, formatPercentage, resultText } from "./wording.js";

/** @typedef {import("./prediction.js").Prediction} Prediction */
/** @typedef {import("./prediction-session.js").View} View */
/** @typedef {{row: HTMLElement, bar: HTMLElement, value: HTMLElement}} Bar */

// Stands where a percentage will be.
const NO_VALUE = "–";

/**
 * @typedef {object} ResultElements
 * @property {HTMLElement} predictButton
 * @property {HTMLElement} result
 * @property {HTMLElement} confidence
 * @property {HTMLElement} bestGuess
 * @property {HTMLElement} error
 * @property {HTMLElement} probabilities an empty list
 * @property {HTMLCanvasElement} networkInput
 * @property {HTMLElement} modelVersion
 */

/** @implements {View} */
export class ResultView {
  #elements;
  #bars;
  #picture;

  /** @param {ResultElements} elements */
  constructor(elements) {
    this.#elements = elements;
    this.#bars = Array.from({ length: DIGITS }, (_, digit) => createBar(digit));
    elements.probabilities.replaceChildren(...this.#bars.map(({ row }) => row));
    this.#picture = /** @type {CanvasRenderingContext2D} */ (elements.networkInput.getContext("2d"));
    this.reset();
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    this.#elements.predictButton.setAttribute("aria-busy", String(busy));
    // The old answer goes when a new question is asked; the bars stay, to move to their new lengths.
    if (busy) this.#setTexts({});
  }

  reset() {
    this.#setTexts({});
    this.#elements.modelVersion.textContent = "";
    this.#picture.clearRect(0, 0, INPUT_SIZE, INPUT_SIZE);
    for (const bar of this.#bars) setBar(bar, 0, NO_VALUE, false);
  }

  /** @param {string} text */
  showHint(text) {
    this.#setTexts({ result: text, kind: "hint" });
  }

  /** @param {Prediction} prediction */
  showPrediction(prediction) {
    this.#setTexts({
      result: resultText(prediction),
      confidence: confidenceText(prediction),
      bestGuess: bestGuessText(prediction),
      kind: prediction.isDigit ? "digit" : "unsure",
    });
    this.showReading(prediction);
  }

  /** What it reads while the drawing goes on; the answer is for those who ask. @param {Prediction} prediction */
  showReading(prediction) {
    this.#elements.modelVersion.textContent = prediction.modelVersion;
    this.#picture.putImageData(new ImageData(toRgba(prediction.input), INPUT_SIZE, INPUT_SIZE), 0, 0);
    prediction.probabilities.forEach((probability, digit) => {
      setBar(this.#bars[digit], probability, formatPercentage(probability), digit === prediction.digit);
    });
  }

  /** An earlier answer beside an error would look like the answer to this drawing. @param {string} message */
  showError(message) {
    this.reset();
    this.#setTexts({ error: message });
  }

  /** @param {{result?: string, confidence?: string, bestGuess?: string, error?: string, kind?: string}} texts */
  #setTexts({ result = "", confidence = "", bestGuess = "", error = "", kind = "" }) {
    this.#elements.result.textContent = result;
    this.#elements.result.dataset.kind = kind;
    this.#elements.confidence.textContent = confidence;
    this.#elements.bestGuess.textContent = bestGuess;
    this.#elements.error.textContent = error;
  }
}

/** @param {number} digit @returns {Bar} */
function createBar(digit) {
  const row = document.createElement("li");
  row.dataset.digit = String(digit);
  const label = createSpan("digit", String(digit));
  const track = createSpan("track", "");
  const bar = createSpan("bar", "");
  const value = createSpan("value", NO_VALUE);
  track.append(bar);
  // The spaces keep "5 97.3%" two words for those who hear the page.
  row.append(label, " ", track, " ", value);
  return { row, bar, value };
}

/** @param {Bar} bar @param {number} probability @param {string} text @param {boolean} isWinner */
function setBar({ row, bar, value }, probability, text, isWinner) {
  bar.style.width = `${Math.min(probability, 1) * 100}%`;
  value.textContent = text;
  row.classList.toggle("winner", isWinner);
}

/** @param {string} className @param {string} text */
function createSpan(className, text) {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}
