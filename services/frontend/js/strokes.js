// Strokes: the drawing as a list of pen movements. Keeping the strokes rather than the canvas's pixels means that
// the drawing can be redrawn sharply at any size, and sent exactly as it was made.

/** @typedef {import("./coordinates.js").Point} Point */

/**
 * The path of the pen from touching the canvas to leaving it. One point alone is a dot.
 * @typedef {Point[]} Stroke
 */

/** Records strokes, one at a time, from whichever pen is drawing: mouse, finger, stylus or keyboard. */
export class StrokeRecorder {
  /** @type {Stroke[]} */
  #strokes = [];

  /** The stroke being drawn, which is also the last of #strokes. @type {Stroke | null} */
  #current = null;

  /** All strokes in the order drawn, with the unfinished one last. @returns {readonly Stroke[]} */
  get strokes() {
    return this.#strokes;
  }

  get isEmpty() {
    return this.#strokes.length === 0;
  }

  get isDrawing() {
    return this.#current !== null;
  }

  /** Puts the pen down. @param {Point} point */
  begin(point) {
    this.#current = [point];
    this.#strokes.push(this.#current);
  }

  /**
   * Moves the pen. With the pen up nothing is drawn: this is what happens to a finger that is still on the canvas
   * when the drawing is cleared. A pen that has not moved adds nothing, so that a click stays one point, a dot.
   * @param {Point} point
   */
  extend(point) {
    if (this.#current === null) return;
    const [lastX, lastY] = this.#current[this.#current.length - 1];
    if (point[0] !== lastX || point[1] !== lastY) this.#current.push(point);
  }

  /** Lifts the pen; the stroke stays. */
  end() {
    this.#current = null;
  }

  clear() {
    this.#strokes = [];
    this.#current = null;
  }
}
