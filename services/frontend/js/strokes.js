// Strokes: the drawing as a list of pen movements, and its history. Strokes can be redrawn sharply at any size, sent exactly as they
// were made, and taken back one by one.

import { isTouched } from "./eraser.js";

/** @import { Point } from "./coordinates.js" */

/**
 * The path of the pen from touching the canvas to leaving it. One point alone is a dot.
 * @typedef {Point[]} Stroke
 */

/** How many steps Undo can go back. */
export const MAX_HISTORY = 200;

/**
 * Records one gesture at a time, from whichever pen draws or erases: mouse, finger, stylus or keyboard. Each gesture is one step of
 * the history. A method that changes the drawing returns true.
 */
export class StrokeRecorder {
  /** @type {readonly Stroke[]} */
  #strokes = [];

  /** Earlier drawings, the latest last. @type {(readonly Stroke[])[]} */
  #past = [];

  /** Undone drawings, the next to redo last. @type {(readonly Stroke[])[]} */
  #future = [];

  /** The drawing before the unfinished gesture. @type {readonly Stroke[] | null} */
  #before = null;

  /** The stroke being drawn, also the last of #strokes. @type {Stroke | null} */
  #current = null;

  /** Where the eraser was last. @type {Point | null} */
  #eraser = null;

  /** All strokes in the order drawn, with the unfinished one last. */
  get strokes() {
    return this.#strokes;
  }

  get isEmpty() {
    return this.#strokes.length === 0;
  }

  get isDrawing() {
    return this.#before !== null;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  /** Puts the pen down. @param {Point} point */
  begin(point) {
    this.end();
    this.#before = this.#strokes;
    this.#current = [point];
    this.#strokes = [...this.#strokes, this.#current];
    return true;
  }

  /** Puts the eraser down. @param {Point} point */
  beginErasing(point) {
    this.end();
    this.#before = this.#strokes;
    this.#eraser = point;
    return this.extend(point);
  }

  /**
   * Moves the pen or the eraser. Does nothing when both are up, as after a Clear under a finger that still moves. A pen that has not
   * moved adds nothing, so a click stays one point, a dot.
   * @param {Point} point
   */
  extend(point) {
    if (this.#eraser !== null) return this.#erase(this.#eraser, (this.#eraser = point));
    if (this.#current === null) return false;
    const [lastX, lastY] = this.#current[this.#current.length - 1];
    if (point[0] === lastX && point[1] === lastY) return false;
    this.#current.push(point);
    return true;
  }

  /** Lifts the pen or the eraser. The drawing stays as it is. */
  end() {
    const before = this.#before;
    this.#before = this.#current = this.#eraser = null;
    if (before !== null && before !== this.#strokes) this.#remember(before);
  }

  /** Takes the unfinished gesture back, as if the pen had never touched the canvas. */
  cancel() {
    const before = this.#before;
    this.#before = this.#current = this.#eraser = null;
    return before !== null && this.#replace(before);
  }

  undo() {
    return this.#travel(this.#past, this.#future);
  }

  redo() {
    return this.#travel(this.#future, this.#past);
  }

  removeLast() {
    return this.#step(this.#strokes.slice(0, -1));
  }

  clear() {
    return this.#step([]);
  }

  /** Puts back a kept drawing, stroke by stroke, so that each can be undone. @param {readonly Stroke[]} strokes */
  restore(strokes) {
    for (const stroke of strokes) this.#step([...this.#strokes, stroke]);
  }

  /** @param {(readonly Stroke[])[]} from @param {(readonly Stroke[])[]} to */
  #travel(from, to) {
    this.end();
    const other = from.pop();
    if (other === undefined) return false;
    to.push(this.#strokes);
    return this.#replace(other);
  }

  /** A change that needs no pen. @param {readonly Stroke[]} strokes */
  #step(strokes) {
    this.end();
    if (this.isEmpty && strokes.length === 0) return false;
    this.#remember(this.#strokes);
    return this.#replace(strokes);
  }

  /** @param {readonly Stroke[]} before */
  #remember(before) {
    this.#past.push(before);
    if (this.#past.length > MAX_HISTORY) this.#past.shift();
    this.#future.length = 0;
  }

  /** @param {readonly Stroke[]} strokes */
  #replace(strokes) {
    const isChanged = strokes !== this.#strokes;
    this.#strokes = strokes;
    return isChanged;
  }

  /** Removes the strokes under the eraser's way. @param {Point} from @param {Point} to */
  #erase(from, to) {
    const left = this.#strokes.filter((stroke) => !isTouched(stroke, from, to));
    return left.length < this.#strokes.length && this.#replace(left);
  }
}
