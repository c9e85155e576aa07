// The crop view: a box over the image on the canvas, which pointers and keys change.

import { CANVAS_SIZE, logicalWidth, toLogical } from "./coordinates.js";
import { boxBetween, dragBox, fitInto, gripAt, isWhole } from "./crop-box.js";
import { STEP, directionOf } from "./keyboard-pen.js";

/** @import { Box, Grip, Size } from "./crop-box.js" */
/** @import { Point } from "./coordinates.js" */
/** @import { CropElements } from "./elements.js" */
/** @import { CropCallbacks } from "./page.js" */

// In units of the canvas.
const REACH = 14; // how near to a side a finger holds it
const SHORTEST = 14; // side of a box
const CLICK = 4; // a shorter drag draws no new box

/** @type {Grip} */
const ALL = [0, 0];
/** @type {Grip} */
const LOWER_RIGHT = [1, 1];

export class CropView {
  #elements;
  #callbacks;

  /** @type {Size} */
  #size = { width: 1, height: 1 };
  /** @type {Box} */
  #box = { left: 0, top: 0, width: 1, height: 1 };

  /** The pointer that drags: where it began, and with which box; without a grip it draws a new box. */
  /** @type {{id: number, from: Point, box: Box, grip: Grip | null} | null} */
  #drag = null;

  /** @param {CropElements} elements @param {CropCallbacks} callbacks */
  constructor(elements, callbacks) {
    this.#elements = elements;
    this.#callbacks = callbacks;
    const { layer, box } = elements;
    layer.addEventListener("pointerdown", (event) => this.#begin(event));
    layer.addEventListener("pointermove", (event) => this.#move(event));
    layer.addEventListener("pointerup", (event) => this.#end(event, true));
    layer.addEventListener("pointercancel", (event) => this.#end(event, false));
    box.addEventListener("keydown", (event) => this.#press(event));
  }

  /** @param {Box} box @param {Size} size of the image */
  show(box, size) {
    [this.#size, this.#box, this.#drag] = [size, box, null];
    this.#elements.layer.hidden = false;
    this.#place(box);
  }

  hide() {
    this.#elements.layer.hidden = true;
  }

  /** @param {PointerEvent} event */
  #begin(event) {
    if (!event.isPrimary || event.button !== 0) return;
    const from = this.#pointOf(event);
    // The whole image has no sides to hold, or they would catch a new box that begins near an edge.
    const grip = isWhole(this.#box, this.#size) ? null : gripAt(this.#box, from, this.#inPixels(REACH));
    this.#drag = { id: event.pointerId, from, box: this.#box, grip };
    this.#elements.layer.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (this.#drag?.id !== event.pointerId) return;
    this.#place(this.#dragged(this.#drag, this.#pointOf(event)));
  }

  /** @param {PointerEvent} event @param {boolean} isKept */
  #end(event, isKept) {
    if (this.#drag?.id !== event.pointerId) return;
    const box = isKept ? this.#dragged(this.#drag, this.#pointOf(event)) : this.#drag.box;
    this.#drag = null;
    this.#choose(box);
  }

  /** @param {{from: Point, box: Box, grip: Grip | null}} drag @param {Point} to @returns {Box} */
  #dragged({ from, box, grip }, to) {
    /** @type {Point} */
    const distance = [to[0] - from[0], to[1] - from[1]];
    if (grip !== null) return dragBox(box, grip, distance, this.#size, this.#inPixels(SHORTEST));
    return Math.hypot(...distance) < this.#inPixels(CLICK) ? box : boxBetween(from, to, this.#size, this.#inPixels(SHORTEST));
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const direction = directionOf(event.key);
    if (direction !== undefined) {
      const step = this.#inPixels(STEP);
      /** @type {Point} */
      const distance = [direction[0] * step, direction[1] * step];
      this.#choose(dragBox(this.#box, event.shiftKey ? LOWER_RIGHT : ALL, distance, this.#size, this.#inPixels(SHORTEST)));
    } else if (event.key === "Enter") this.#callbacks.onPredict();
    else if (event.key === "Escape") this.#callbacks.onClose();
    else return;
    event.preventDefault();
  }

  /** @param {Box} box */
  #choose(box) {
    this.#box = box;
    this.#place(box);
    this.#callbacks.onBox(box);
  }

  /** Place the box in percent, so that it keeps its place when the canvas changes size. @param {Box} box */
  #place(box) {
    const canvas = this.#canvas;
    const { left, top, scale } = fitInto(this.#size, canvas);
    this.#elements.box.toggleAttribute("data-whole", isWhole(box, this.#size));
    const percent = (/** @type {number} */ units, /** @type {number} */ side) => `${(units / side) * 100}%`;
    Object.assign(this.#elements.box.style, {
      left: percent(left + box.left * scale, canvas.width),
      top: percent(top + box.top * scale, canvas.height),
      width: percent(box.width * scale, canvas.width),
      height: percent(box.height * scale, canvas.height),
    });
  }

  /** @returns {Size} in logical units */
  get #canvas() {
    return { width: logicalWidth(this.#elements.layer.getBoundingClientRect()), height: CANVAS_SIZE };
  }

  /** Return the image's pixel under a pointer. @param {PointerEvent} event @returns {Point} */
  #pointOf(event) {
    const { left, top, scale } = fitInto(this.#size, this.#canvas);
    const [x, y] = toLogical(event, this.#elements.layer.getBoundingClientRect());
    return [(x - left) / scale, (y - top) / scale];
  }

  /** @param {number} units of the canvas */
  #inPixels(units) {
    return units / fitInto(this.#size, this.#canvas).scale;
  }
}
