// The number view: a box around each digit on the canvas, and a button for each digit below the answer.

import { markText, numberHint } from "./wording.js";

/** @import { Box, Size } from "./crop-box.js" */
/** @import { NumberElements } from "./elements.js" */
/** @import { NumberCallbacks } from "./page.js" */
/** @import { NumberPrediction } from "./results.js" */

/** A pointer that moves further, in CSS pixels, draws. */
const TAP = 6;

export class NumberView {
  #elements;
  #onSelect;

  /** @type {NumberPrediction | null} */
  #number = null;
  #selected = -1;

  /** @param {NumberElements} elements @param {NumberCallbacks} callbacks */
  constructor(elements, { onSelect }) {
    this.#elements = elements;
    this.#onSelect = onSelect;
    forwardStrokes(elements.marks);
  }

  /** @param {NumberPrediction} number @param {Box[]} places of its digits on the canvas @param {Size} canvas */
  show(number, places, canvas) {
    const { section, digits, hint, marks } = this.#elements;
    this.#number = number;
    hint.textContent = numberHint(number);
    digits.replaceChildren(...number.digits.map((digit, index) => this.#button(markText(digit), index)));
    marks.replaceChildren(...places.map((place, index) => this.#mark(place, canvas, index)));
    section.hidden = marks.hidden = false;
    this.#press(-1);
  }

  hide() {
    this.#number = null;
    this.#elements.section.hidden = this.#elements.marks.hidden = true;
  }

  /** @param {string} text @param {number} index */
  #button(text, index) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => this.#select(index));
    item.append(button);
    return item;
  }

  /** The list has the buttons for keyboard and screen reader. @param {Box} place @param {Size} canvas @param {number} index */
  #mark({ left, top, width, height }, canvas, index) {
    const mark = document.createElement("div");
    const percent = (/** @type {number} */ units, /** @type {number} */ side) => `${(units / side) * 100}%`;
    Object.assign(mark.style, {
      left: percent(left, canvas.width),
      top: percent(top, canvas.height),
      width: percent(width, canvas.width),
      height: percent(height, canvas.height),
    });
    mark.addEventListener("click", () => this.#select(index));
    return mark;
  }

  /** Select a digit, or the whole number again. @param {number} index */
  #select(index) {
    if (this.#number === null) return;
    this.#press(index === this.#selected ? -1 : index);
    this.#onSelect(this.#number.digits[this.#selected] ?? null);
  }

  /** @param {number} selected */
  #press(selected) {
    this.#selected = selected;
    const { digits, marks } = this.#elements;
    digits.querySelectorAll("button").forEach((button, i) => button.setAttribute("aria-pressed", String(i === selected)));
    Array.from(marks.children).forEach((mark, i) => mark.toggleAttribute("data-selected", i === selected));
  }
}

/** A stroke may begin on a box: send its events to what lies below. @param {HTMLElement} marks */
function forwardStrokes(marks) {
  /** @type {PointerEvent | null} */
  let pressed = null;
  const forward = (/** @type {PointerEvent} */ event) => {
    const [below] = document.elementsFromPoint(event.clientX, event.clientY).filter((found) => !marks.contains(found));
    below?.dispatchEvent(new PointerEvent(event.type, event));
  };
  marks.addEventListener("pointerdown", (event) => {
    pressed = event.button === 0 ? event : null;
    if (pressed === null) forward(event); // it erases
  });
  marks.addEventListener("pointermove", (event) => {
    if (pressed?.pointerId !== event.pointerId || event.buttons === 0) return;
    if (Math.hypot(event.clientX - pressed.clientX, event.clientY - pressed.clientY) < TAP) return;
    const start = pressed;
    pressed = null;
    forward(start); // the canvas captures the pointer, and gets its next events
    forward(event);
  });
  marks.addEventListener("contextmenu", (event) => event.preventDefault()); // the right button erases
}
