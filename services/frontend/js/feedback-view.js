// The feedback view: the question below the answer, a button for each choice, and the confirmation.

/** @import { FeedbackElements } from "./elements.js" */
/** @import { FeedbackDisplay, Place } from "./feedback.js" */

const KEPT = {
  "on the device": "Saved on this device. It is sent as soon as the service takes it again.",
  "on the page": "Kept as long as this page stays open. It is sent as soon as the service takes it again.",
};

/** @implements {FeedbackDisplay} */
export class FeedbackView {
  #elements;
  #buttons;

  /** @param {FeedbackElements} elements */
  constructor(elements) {
    this.#elements = elements;
    this.#buttons = Array.from(elements.actualDigit.options, ({ value, text }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.value = value;
      button.textContent = text;
      button.addEventListener("click", () => this.#choose(value));
      return button;
    });
    elements.choices.replaceChildren(...this.#buttons);
    elements.actualDigit.addEventListener("change", () => this.#choose(elements.actualDigit.value));
    this.hide();
  }

  get choice() {
    return this.#elements.actualDigit.value;
  }

  /** @param {string} choice */
  ask(choice) {
    this.#say("");
    this.#choose(choice);
    this.#elements.form.hidden = false;
    this.#elements.section.hidden = false;
  }

  hide() {
    this.#say("");
    this.#elements.section.hidden = true;
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    this.#elements.sendButton.setAttribute("aria-busy", String(busy));
    if (busy) this.#say("");
  }

  thank() {
    this.#close("Thank you! Your answer was saved.", "thanks");
  }

  /** @param {Place} place */
  showKept(place) {
    this.#close(KEPT[place], "kept");
  }

  /** @param {string} message */
  showError(message) {
    this.#say(message, "error");
  }

  /** Replace the question by an outcome. @param {string} text @param {string} kind */
  #close(text, kind) {
    // Hiding the focused button must not move the focus to the top of the page.
    const hadFocus = this.#elements.form.contains(document.activeElement);
    this.#elements.form.hidden = true;
    this.#say(text, kind);
    if (hadFocus) this.#elements.status.focus();
  }

  /** @param {string} choice */
  #choose(choice) {
    this.#elements.actualDigit.value = choice;
    for (const button of this.#buttons) button.setAttribute("aria-pressed", String(button.value === choice));
  }

  /** @param {string} text @param {string} [kind] */
  #say(text, kind = "") {
    this.#elements.status.textContent = text;
    this.#elements.status.dataset.kind = kind;
  }
}
