// The sequence: numbers the drawings on the canvas. Every request carries the number of its drawing. Once an answer is shown, answers
// to older drawings are dropped.

import { countPoints } from "./thinning.js";

/** @import { Stroke } from "./strokes.js" */

export class Sequence {
  #number = 0;

  /** The number of the newest drawing that an answer was shown to. */
  #shown = 0;

  /** Strokes and points of the drawing: every change of a drawing changes one of the two. */
  #size = "0 0";

  /** The number of the drawing on the canvas. */
  get number() {
    return this.#number;
  }

  /** Looks at the canvas, and returns whether the drawing has changed. @param {readonly Stroke[]} strokes */
  update(strokes) {
    const size = `${strokes.length} ${countPoints(strokes)}`;
    if (size === this.#size) return false;
    this.#size = size;
    this.#number += 1;
    return true;
  }

  /** Returns whether an answer may be shown; from then on, answers to older drawings may not. @param {number} number of its drawing */
  accept(number) {
    if (number < this.#shown) return false;
    this.#shown = number;
    return true;
  }
}
