// The number view: a box around each digit on the canvas, and a button for each digit below the answer.

import { markText, numberHint } from "./wording.js";

/** @import { NumberElements } from "./elements.js" */
/** @import { NumberCallbacks } from "./page.js" */
/** @import { NumberPrediction } from "./results.js" */

/** A pointer that moves further, in CSS pixels, draws. */
const TAP = 6;

export class NumberView {
  #elements;
  #onSelect;
  #onChange;
  #placeOf;

  /** @type {NumberPrediction | null} */
  #number = null;
  #selected = -1;

  /** @param {NumberElements} elements @param {NumberCallbacks} callbacks */
  constructor(elements, { onSelect, onChange, place }) {
    this.#elements = elements;
    this.#onSelect = onSelect;
    this.#onChange = onChange;
    this.#placeOf = place;
    forwardStrokes(elements.marks);
  }

  get isShown() {
    return this.#number !== null;
  }

  /** @param {NumberPrediction} number */
  show(number) {
    const { section, digits, hint, marks } = this.#elements;
    this.#number = number;
    hint.textContent = numberHint(number);
    // Kept elements keep the focus while the number follows the pen.
    keep(digits, number.digits.length, (index) => this.#button(index));
    keep(marks, number.digits.length, (index) => this.#mark(index));
    digits.querySelectorAll("button").forEach((button, index) => (button.textContent = markText(number.digits[index])));
    section.hidden = marks.hidden = false;
    this.place();
    this.#press(-1);
    this.#onChange(number);
  }

  deselect() {
    this.#press(-1);
  }

  /** Place the boxes, also after the canvas has got another shape. */
  place() {
    this.#number?.digits.forEach(({ box }, index) => {
      const { left, top, width, height } = this.#placeOf(box);
      const mark = /** @type {HTMLElement} */ (this.#elements.marks.children[index]);
      Object.assign(mark.style, { left: `${left}%`, top: `${top}%`, width: `${width}%`, height: `${height}%` });
    });
  }

  hide() {
    this.#number = null;
    this.#elements.section.hidden = this.#elements.marks.hidden = true;
    this.#onChange(null);
  }

  /** @param {number} index */
  #button(index) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.addEventListener("click", () => this.#select(index));
    item.append(button);
    return item;
  }

  /** The list has the buttons for keyboard and screen reader. @param {number} index */
  #mark(index) {
    const mark = document.createElement("div");
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

/** Give a list this many children. @param {HTMLElement} list @param {number} count @param {(index: number) => HTMLElement} make */
function keep(list, count, make) {
  while (list.children.length > count) list.lastElementChild?.remove();
  while (list.children.length < count) list.append(make(list.children.length));
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
