// The training view: the answers of the model and of its copy, the loss before each step, and the gradient of each layer.

import { createFigure, paint, paintMaps } from "./layer-figures.js";
import { isWorthSeeing } from "./layer-wording.js";
import { signedRgba } from "./maps.js";
import { INPUT_SIZE, likeliest } from "./prediction.js";
import { ProbabilityBars } from "./probability-bars.js";
import { curvePoints, isStillKnown } from "./training-result.js";
import { answerInWords } from "./wording.js";

/** @import { TrainingElements } from "./elements.js" */
/** @import { TrainingDisplay } from "./page.js" */
/** @import { TrainingStep } from "./requests.js" */
/** @import { Answer, KnownDigit, LayerStep, TrainingResult } from "./results.js" */

const [CURVE_WIDTH, CURVE_HEIGHT] = [300, 100]; // of the SVG's viewBox

/** @implements {TrainingDisplay} */
export class TrainingView {
  #elements;
  #before;
  #after;
  #isChosen = false;

  /** @param {TrainingElements} elements */
  constructor(elements) {
    this.#elements = elements;
    this.#before = new ProbabilityBars(elements.before);
    this.#after = new ProbabilityBars(elements.after);
    const showRate = () => {
      elements.rateValue.textContent = String(this.rate);
      elements.rate.setAttribute("aria-valuetext", String(this.rate)); // else a screen reader announces the exponent
    };
    elements.rate.addEventListener("input", showRate);
    showRate();
    elements.label.addEventListener("change", () => (this.#isChosen = true));
    this.reset();
  }

  /** The slider's value, rounded as the label shows it. */
  get rate() {
    return Number((10 ** Number(this.#elements.rate.value)).toPrecision(1));
  }

  /** @returns {TrainingStep} */
  get step() {
    const { value } = this.#elements.label;
    return { label: value === "none" ? null : Number(value), learning_rate: this.rate };
  }

  /** Preselect the likeliest other answer, because training on the model's own answer changes little. @param {Answer} answer */
  suggest(answer) {
    const [first, second] = likeliest(answer);
    if (!this.#isChosen) this.#elements.label.value = String(answer.isDigit ? second : first);
  }

  /** Let suggest() choose again, because the next drawing may be another digit. */
  forgetChoice() {
    this.#isChosen = false;
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    for (const button of this.#elements.buttons) button.setAttribute("aria-busy", String(busy));
  }

  reset() {
    this.#elements.status.textContent = "";
    this.#elements.results.hidden = true;
  }

  /** @param {string} text */
  showMessage(text) {
    this.#elements.status.textContent = text;
  }

  /** @param {TrainingResult} result */
  showResult({ losses, before, after, layers, known }) {
    const count = losses.length;
    const last = losses[count - 1];
    this.#elements.status.textContent =
      `The model reads ${answerInWords(before)}. After ${count} ${count === 1 ? "step" : "steps"} ` +
      `the copy ${after === null ? "has diverged: its numbers overflowed" : `reads ${answerInWords(after)}`}. ` +
      `Loss: ${digits(losses[0])} before the first step, ${digits(last)} before the last.`;
    Object.assign(this.#elements.status.dataset, { lessons: count, loss: last });
    this.#elements.results.hidden = false;
    this.#before.show(before);
    if (after === null) this.#after.reset();
    else this.#after.show(after);
    this.#elements.curve.setAttribute("points", curvePoints(losses, CURVE_WIDTH, CURVE_HEIGHT));
    const kept = known.filter(isStillKnown).length;
    this.#elements.forgotten.textContent =
      `The copy reads ${kept} of the model's ${known.length} golden digits as before.` +
      (kept < known.length ? " Training on one drawing makes it forget others." : "");
    Object.assign(this.#elements.forgotten.dataset, { known: known.length, kept });
    this.#elements.known.replaceChildren(...known.map(knownDigit));
    // Last layer first, in the order of backpropagation.
    this.#elements.layers.replaceChildren(...layers.filter(isWorthSeeing).reverse().map(stepFigure));
  }
}

/** @param {KnownDigit} digit */
function knownDigit(digit) {
  const item = document.createElement("li");
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `A ${digit.before.bestGuess}`);
  paint(canvas, INPUT_SIZE, INPUT_SIZE, signedRgba(digit.input.values, 1));
  const { after } = digit;
  item.append(canvas, after?.isDigit ? String(after.digit) : "–");
  item.classList.toggle("forgotten", !isStillKnown(digit));
  return item;
}

/** @param {LayerStep} step */
function stepFigure(step) {
  const { figure, canvas } = createFigure(step, "Gradient");
  paintMaps(canvas, step.activations);
  if (step.parametersNorm > 0) {
    const update = document.createElement("p");
    update.textContent =
      `Norms: weights w ${digits(step.parametersNorm)}, gradient dL/dw ${digits(step.gradientNorm)}, ` +
      `step ${digits(step.updateNorm)}, which is ${digits((100 * step.updateNorm) / step.parametersNorm)}% of w`;
    figure.append(update);
  }
  return figure;
}

/** @param {number} value */
function digits(value) {
  return String(Number(value.toPrecision(3)));
}
