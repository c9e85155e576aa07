// The unit picker: chooses one number of a layer's maps by mouse, finger or keyboard.

import { columnsFor, paintMaps } from "./layer-figures.js";
import { placeAt, placeBeside } from "./maps.js";

/** @import { Tensor } from "./results.js" */

/** @type {Record<string, readonly [number, number]>} */
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class UnitPicker {
  #canvas;
  #onPick;

  /** @type {Tensor | null} */
  #tensor = null;

  /** As painted, since the window may have changed its width. */
  #columns = 1;

  /** @type {readonly number[] | null} */
  #place = null;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(place: readonly number[], isKept: boolean) => void} onPick isKept: false while the mouse only moves over it
   */
  constructor(canvas, onPick) {
    this.#canvas = canvas;
    this.#onPick = onPick;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse") this.#pick(this.#under(event), false);
    });
    canvas.addEventListener("click", (event) => this.#pick(this.#under(event), true));
    canvas.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** @param {Tensor} tensor */
  show(tensor) {
    this.#tensor = tensor;
    this.#columns = columnsFor(tensor.shape);
    paintMaps(this.#canvas, tensor, { columns: this.#columns, marked: this.#place });
  }

  /** Mark a number. @param {readonly number[] | null} place null for no mark */
  mark(place) {
    this.#place = place;
    if (this.#tensor !== null) this.show(this.#tensor);
  }

  /** @param {MouseEvent} event */
  #under(event) {
    if (this.#tensor === null) return null;
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - left) / width) * this.#canvas.width);
    const y = Math.floor(((event.clientY - top) / height) * this.#canvas.height);
    return placeAt(this.#tensor.shape, this.#columns, x, y);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const direction = DIRECTIONS[event.key];
    if (direction === undefined || this.#tensor === null) return;
    event.preventDefault(); // arrow keys would scroll the page
    const { shape } = this.#tensor;
    const first = shape.length === 3 ? [0, 0, 0] : [0];
    this.#pick(this.#place === null ? first : placeBeside(shape, this.#columns, this.#place, direction), true);
  }

  /** @param {readonly number[] | null} place @param {boolean} isKept */
  #pick(place, isKept) {
    if (place !== null) this.#onPick(place, isKept);
  }
}
