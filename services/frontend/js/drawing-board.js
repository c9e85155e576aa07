// The drawing board: shows the input on the canvas, and the keyboard pen.

import { CANVAS_SIZE, logicalWidth } from "./coordinates.js";

/** @import { Point } from "./coordinates.js" */
/** @import { Box, Size } from "./crop-box.js" */
/** @import { Input } from "./page.js" */

const PAPER = "#000000";
const PNG_SCALE = 2; // pixels for each unit

export class DrawingBoard {
  #canvas;
  #context;
  #input;
  #cursor;
  #placeholder;
  #frame = 0;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => Input} input returns the current one
   * @param {{cursor: HTMLElement, placeholder: HTMLElement}} overlays shown above the canvas
   */
  constructor(canvas, input, { cursor, placeholder }) {
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    this.#input = input;
    this.#cursor = cursor;
    this.#placeholder = placeholder;

    const redraw = () => this.redraw();
    new ResizeObserver(redraw).observe(canvas);
    whenPixelRatioChanges(redraw);
    redraw();
  }

  /** Redraw everything, once, before the browser's next frame. */
  redraw() {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  /** @param {Point} position @param {boolean} isDown */
  showCursor([x, y], isDown) {
    this.#cursor.hidden = false;
    this.#cursor.dataset.pen = isDown ? "down" : "up";
    // In percent, so that the cursor keeps its place when the canvas changes size.
    this.#cursor.style.left = `${(x / this.size.width) * 100}%`;
    this.#cursor.style.top = `${(y / CANVAS_SIZE) * 100}%`;
  }

  hideCursor() {
    this.#cursor.hidden = true;
  }

  /** Return the canvas as a PNG, of the same size on every screen. @returns {Promise<Blob | null>} null if memory is short */
  toPng() {
    const sheet = document.createElement("canvas");
    const size = this.size;
    [sheet.width, sheet.height] = [PNG_SCALE * size.width, PNG_SCALE * size.height];
    paint(/** @type {CanvasRenderingContext2D} */ (sheet.getContext("2d")), size, PNG_SCALE, this.#input());
    return new Promise((resolve) => sheet.toBlob(resolve, "image/png"));
  }

  /** In logical units. */
  get size() {
    return { width: logicalWidth(this.#canvas.getBoundingClientRect()), height: CANVAS_SIZE };
  }

  /** Return a box in percent of the canvas, so that it keeps its place when the canvas changes size. @param {Box} box @returns {Box} */
  shareOf({ left, top, width, height }) {
    const [across, down] = [100 / this.size.width, 100 / this.size.height];
    return { left: left * across, top: top * down, width: width * across, height: height * down };
  }

  #paint() {
    this.#fitBackingStore();
    const input = this.#input();
    paint(this.#context, this.size, this.#canvas.height / CANVAS_SIZE, input);
    this.#placeholder.hidden = !input.isEmpty;
  }

  /** Give the canvas one pixel for each pixel of the screen. Setting the size clears a canvas, so set it only if it differs. */
  #fitBackingStore() {
    const height = Math.max(1, Math.round(this.#canvas.clientHeight * window.devicePixelRatio));
    const width = Math.max(1, Math.round((height * this.size.width) / CANVAS_SIZE));
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Size} size of the canvas in logical units
 * @param {number} scale pixels for each unit
 * @param {Input} input
 */
function paint(context, size, scale, input) {
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.fillStyle = PAPER;
  context.fillRect(0, 0, size.width, size.height);
  input.paint(context, size);
}

/** Call back when the window moves to a monitor with another pixel ratio. @param {() => void} callback */
function whenPixelRatioChanges(callback) {
  // Each ratio needs a new query.
  const query = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
  const changed = () => {
    callback();
    whenPixelRatioChanges(callback);
  };
  query.addEventListener("change", changed, { once: true });
}
