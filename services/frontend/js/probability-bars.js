// Probability bars: an answer as a list, one bar for each digit, and one for "not a digit" with its threshold.

import { DIGITS } from "./prediction.js";
import { formatPercentage } from "./wording.js";

/** @import { Answer } from "./results.js" */

// In place of a percentage.
const NO_VALUE = "–";

export class ProbabilityBars {
  #list;
  #digits;
  #noDigit;
  #threshold = createSpan("threshold", "");
  #mark = createSpan("mark", "");

  /** @param {HTMLElement} list an empty list */
  constructor(list) {
    this.#list = list;
    list.classList.add("probabilities");
    this.#digits = Array.from({ length: DIGITS }, (_, digit) => createBar(String(digit)));
    this.#digits.forEach(({ row }, digit) => (row.dataset.digit = String(digit)));
    this.#noDigit = createBar("not a digit");
    this.#noDigit.row.classList.add("no-digit");
    this.#noDigit.row.append(" ", this.#threshold);
    this.#noDigit.track.append(this.#mark);
    list.replaceChildren(...[...this.#digits, this.#noDigit].map(({ row }) => row));
    this.reset();
  }

  reset() {
    for (const bar of [...this.#digits, this.#noDigit]) setBar(bar, 0, NO_VALUE, false);
    this.#list.classList.remove("rejected");
    this.#noDigit.row.hidden = false;
    this.#mark.hidden = true;
    this.#threshold.textContent = "";
  }

  /** @param {Answer} answer */
  show({ digit: winner, isDigit, probabilities, noDigit }) {
    probabilities.forEach((probability, digit) => {
      setBar(this.#digits[digit], probability, formatPercentage(probability), digit === winner);
    });
    // The ten rows are dimmed for "no digit": they assume that the drawing is a digit.
    this.#list.classList.toggle("rejected", !isDigit);
    this.#noDigit.row.hidden = noDigit === null;
    this.#mark.hidden = noDigit === null;
    if (noDigit === null) return;
    const { probability, threshold } = noDigit;
    setBar(this.#noDigit, probability, formatPercentage(probability), !isDigit);
    this.#mark.style.left = `${threshold * 100}%`;
    this.#threshold.textContent = `threshold ${formatPercentage(threshold)}`;
  }
}

/** @param {string} name */
function createBar(name) {
  const row = document.createElement("li");
  const [track, bar, value] = [createSpan("track", ""), createSpan("bar", ""), createSpan("value", "")];
  track.append(bar);
  // With spaces, a screen reader reads "5 97.3%" as two words.
  row.append(createSpan("digit", name), " ", track, " ", value);
  return { row, track, bar, value };
}

/** @param {ReturnType<typeof createBar>} bar @param {number} probability @param {string} text @param {boolean} isWinner */
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
