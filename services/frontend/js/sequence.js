// The sequence: numbers the inputs on the canvas. Each request has the number of its input. The page drops answers to inputs
// older than the one of the last answer shown.

export class Sequence {
  #number = 0;

  /** The number of the newest input with an answer on the page. */
  #shown = 0;

  /** Of the input on the canvas. @type {string | null} */
  #version = null;

  /** The number of the input on the canvas. */
  get number() {
    return this.#number;
  }

  /** Return whether the input has changed, and number it. @param {string} version of the input */
  update(version) {
    if (version === this.#version) return false;
    this.#version = version;
    this.#number += 1;
    return true;
  }

  /** Return whether to show an answer, and reject answers to older inputs from now on. @param {number} number of its input */
  accept(number) {
    if (number < this.#shown) return false;
    this.#shown = number;
    return true;
  }
}
