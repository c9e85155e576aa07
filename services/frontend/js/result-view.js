// The result view: the answer, the network's input, and the probabilities.

import { toRgba } from "./pixels.js";
import { INPUT_SIZE } from "./prediction.js";
import { ProbabilityBars } from "./probability-bars.js";
import { Staleness } from "./staleness.js";
import { bestGuessText, confidenceText, numberText, resultText } from "./wording.js";

/** @import { ResultElements } from "./elements.js" */
/** @import { PredictionDisplay, ResultCallbacks } from "./page.js" */
/** @import { NumberDigit, NumberPrediction, Prediction } from "./results.js" */

/** @implements {PredictionDisplay} */
export class ResultView {
  #elements;
  #bars;
  #inputContext;
  #staleness;
  #callbacks;

  /** @param {ResultElements} elements @param {ResultCallbacks} callbacks */
  constructor(elements, callbacks) {
    this.#elements = elements;
    this.#bars = new ProbabilityBars(elements.probabilities);
    this.#inputContext = /** @type {CanvasRenderingContext2D} */ (elements.networkInput.getContext("2d"));
    this.#staleness = new Staleness(elements.panel);
    this.#callbacks = callbacks;
    this.reset();
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    this.#elements.predictButton.setAttribute("aria-busy", String(busy));
    // A new request removes the old answer. The bars stay, and move to their new lengths.
    if (busy) this.#setTexts({});
  }

  reset() {
    this.#setTexts({});
    this.#elements.modelVersion.textContent = "";
    this.#inputContext.clearRect(0, 0, INPUT_SIZE, INPUT_SIZE);
    this.#bars.reset();
    this.#staleness.show();
  }

  /** Remove the answer after a change of the input. The panel waits for the next explanation. */
  withdraw() {
    this.#setTexts({});
    this.#staleness.waitForAnswer();
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
    this.showProbabilities(prediction);
  }

  /** @param {NumberPrediction} number */
  showNumber(number) {
    this.#setTexts({ result: numberText(number), kind: "digit", number });
    this.#elements.modelVersion.textContent = number.modelVersion;
  }

  /** Show a digit of a number in the panel, without an image. @param {NumberDigit} digit */
  showDigit(digit) {
    this.#inputContext.clearRect(0, 0, INPUT_SIZE, INPUT_SIZE);
    this.#bars.show(digit);
    this.#staleness.show();
  }

  /** Update the panel, but not the answer. @param {Prediction} prediction @param {boolean} [isCurrent] */
  showProbabilities(prediction, isCurrent = true) {
    this.#elements.modelVersion.textContent = prediction.modelVersion;
    this.#inputContext.putImageData(new ImageData(toRgba(prediction.input), INPUT_SIZE, INPUT_SIZE), 0, 0);
    this.#bars.show(prediction);
    this.#staleness.show(isCurrent);
    if (isCurrent && !prediction.isDigit) this.#callbacks.onNoDigit();
  }

  dim() {
    this.#staleness.dim();
  }

  /** @param {string} message */
  showError(message) {
    this.#setTexts({ error: message });
  }

  /**
   * @param {{result?: string, confidence?: string, bestGuess?: string, error?: string, kind?: string,
   *   number?: NumberPrediction | null}} texts
   */
  #setTexts({ result = "", confidence = "", bestGuess = "", error = "", kind = "", number = null }) {
    this.#elements.result.textContent = result;
    this.#elements.result.dataset.kind = kind;
    this.#elements.confidence.textContent = confidence;
    this.#elements.bestGuess.textContent = bestGuess;
    this.#elements.error.textContent = error;
    this.#callbacks.onNumber(number);
  }
}
