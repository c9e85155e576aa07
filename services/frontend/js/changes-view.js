// The changes view: a bar that stays in view, describes the edits of the network's copy, and undoes them.

import { changesInWords } from "./changes.js";

/** @import { Changes } from "./changes.js" */

export class ChangesView {
  #elements;
  #changes;

  /**
   * @param {{bar: HTMLElement, words: HTMLElement, undo: HTMLElement}} elements
   * @param {Changes} changes
   * @param {() => void} onUndo
   */
  constructor(elements, changes, onUndo) {
    this.#elements = elements;
    this.#changes = changes;
    elements.undo.addEventListener("click", () => {
      changes.undo();
      onUndo();
    });
    this.show();
  }

  show() {
    const words = changesInWords(this.#changes.list);
    this.#elements.words.textContent = words;
    this.#elements.bar.classList.toggle("in-use", words !== "");
    this.#elements.undo.hidden = words === "";
  }
}
