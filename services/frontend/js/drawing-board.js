// The drawing board: shows the input on the canvas, and the keyboard pen.

import { CANVAS_SIZE } from "./coordinates.js";

/** @import { Point } from "./coordinates.js" */
/** @import { Input } from "./page.js" */

const PAPER = "#000000";
const PNG_SIZE = 2 * CANVAS_SIZE; // pixels

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
    this.#cursor.style.left = `${(x / CANVAS_SIZE) * 100}%`;
    this.#cursor.style.top = `${(y / CANVAS_SIZE) * 100}%`;
  }

  hideCursor() {
    this.#cursor.hidden = true;
  }

  /** Return the canvas as a PNG, of the same size on every screen. @returns {Promise<Blob | null>} null if memory is short */
  toPng() {
    const sheet = document.createElement("canvas");
    sheet.width = sheet.height = PNG_SIZE;
    paint(/** @type {CanvasRenderingContext2D} */ (sheet.getContext("2d")), PNG_SIZE, this.#input());
    return new Promise((resolve) => sheet.toBlob(resolve, "image/png"));
  }

  #paint() {
    this.#fitBackingStore();
    const input = this.#input();
    paint(this.#context, this.#canvas.width, input);
    this.#placeholder.hidden = !input.isEmpty;
  }

  /** Give the canvas one pixel for each pixel of the screen. Setting the size clears a canvas, so set it only if it differs. */
  #fitBackingStore() {
    const pixels = Math.max(1, Math.round(this.#canvas.clientWidth * window.devicePixelRatio));
    if (this.#canvas.width !== pixels || this.#canvas.height !== pixels) {
      this.#canvas.width = pixels;
      this.#canvas.height = pixels;
    }
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} pixels the canvas's width and height
 * @param {Input} input
 */
function paint(context, pixels, input) {
  const scale = pixels / CANVAS_SIZE;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.fillStyle = PAPER;
  context.fillRect(0, 0, CANVAS_SIZE, CANVAS_SIZE);
  input.paint(context);
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
