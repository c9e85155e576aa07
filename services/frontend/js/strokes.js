// Strokes: the drawing as a list of pen movements, and its history for Undo and Redo.

import { isTouched } from "./eraser.js";

/** @import { Point } from "./coordinates.js" */

/**
 * The path of the pen from touching the canvas to leaving it. A single point is a dot.
 * @typedef {Point[]} Stroke
 */

/** Most steps of Undo. */
export const MAX_HISTORY = 200;

/**
 * Records one gesture at a time, by mouse, finger, pen or keyboard. Each gesture is one step of the history. A method that changes
 * the drawing returns true.
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

  /** The eraser's last position. @type {Point | null} */
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

  /** Put the pen down. @param {Point} point */
  begin(point) {
    this.end();
    this.#before = this.#strokes;
    this.#current = [point];
    this.#strokes = [...this.#strokes, this.#current];
    return true;
  }

  /** Put the eraser down. @param {Point} point */
  beginErasing(point) {
    this.end();
    this.#before = this.#strokes;
    this.#eraser = point;
    return this.extend(point);
  }

  /**
   * Move the pen or the eraser. Do nothing if both are up, as when Clear ends the gesture of a moving finger. A pen that does not
   * move adds no point, so a click is a dot.
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

  /** Lift the pen or the eraser. */
  end() {
    const before = this.#before;
    this.#before = this.#current = this.#eraser = null;
    if (before !== null && before !== this.#strokes) this.#remember(before);
  }

  /** Undo the unfinished gesture, without a step in the history. */
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

  /** Restore a kept drawing stroke by stroke, so that Undo works on each. @param {readonly Stroke[]} strokes */
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

  /** Change the drawing without a pen. @param {readonly Stroke[]} strokes */
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

  /** Remove the strokes that the eraser touches. @param {Point} from @param {Point} to */
  #erase(from, to) {
    const left = this.#strokes.filter((stroke) => !isTouched(stroke, from, to));
    return left.length < this.#strokes.length && this.#replace(left);
  }
}
