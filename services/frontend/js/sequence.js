// The sequence: numbers the drawings on the canvas. Each request has the number of its drawing. The page drops answers to
// drawings older than the one of the last answer shown.

import { countPoints } from "./thinning.js";

/** @import { Stroke } from "./strokes.js" */

export class Sequence {
  #number = 0;

  /** The number of the newest drawing with an answer on the page. */
  #shown = 0;

  /** Numbers of strokes and points. Every change of a drawing changes one of the two. */
  #size = "0 0";

  /** The number of the drawing on the canvas. */
  get number() {
    return this.#number;
  }

  /** Return whether the drawing has changed, and number it. @param {readonly Stroke[]} strokes */
  update(strokes) {
    const size = `${strokes.length} ${countPoints(strokes)}`;
    if (size === this.#size) return false;
    this.#size = size;
    this.#number += 1;
    return true;
  }

  /** Return whether to show an answer, and reject answers to older drawings from now on. @param {number} number of its drawing */
  accept(number) {
    if (number < this.#shown) return false;
    this.#shown = number;
    return true;
  }
}
