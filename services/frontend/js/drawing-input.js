// The drawing as the page's input: the recorded strokes.

import { BRUSH_WIDTH } from "./coordinates.js";
import { withMargin } from "./crop-box.js";
import { strokesIn } from "./number.js";
import { buildPredictionRequest } from "./prediction-request.js";
import { countPoints } from "./thinning.js";

/** @import { Box } from "./crop-box.js" */
/** @import { Input } from "./page.js" */
/** @import { Stroke, StrokeRecorder } from "./strokes.js" */

const INK = "#ffd400";

/** @implements {Input} */
export class DrawingInput {
  #recorder;
  #width;
  #name;

  /**
   * @param {Pick<StrokeRecorder, "strokes" | "isEmpty">} recorder
   * @param {() => number} width returns that of the canvas
   * @param {string} [name] of a part, in its version
   */
  constructor(recorder, width, name = "") {
    this.#recorder = recorder;
    this.#width = width;
    this.#name = name;
  }

  get isEmpty() {
    return this.#recorder.isEmpty;
  }

  /** Numbers of strokes and points: every change of a drawing changes one of the two. */
  get version() {
    return `${this.#name}${this.#recorder.strokes.length} ${countPoints(this.#recorder.strokes)}`;
  }

  request() {
    return buildPredictionRequest(this.#recorder.strokes, this.#width());
  }

  /** @param {CanvasRenderingContext2D} context */
  paint(context) {
    for (const stroke of this.#recorder.strokes) paintStroke(context, stroke);
  }

  /** @param {Box} box */
  place(box) {
    return withMargin(box, BRUSH_WIDTH / 2);
  }

  /** @param {Box} box */
  part(box) {
    const strokes = strokesIn(this.#recorder.strokes, this.place(box));
    return new DrawingInput({ strokes, isEmpty: strokes.length === 0 }, this.#width, `part at ${box.left} ${box.top}: `);
  }
}

/** @param {CanvasRenderingContext2D} context @param {Stroke} stroke */
function paintStroke(context, stroke) {
  const [[startX, startY], ...rest] = stroke;
  context.beginPath();
  if (rest.length === 0) {
    // Some browsers draw nothing for a line without length.
    context.fillStyle = INK;
    context.arc(startX, startY, BRUSH_WIDTH / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  context.strokeStyle = INK;
  context.lineWidth = BRUSH_WIDTH;
  context.lineCap = "round";
  context.lineJoin = "round";
  context.moveTo(startX, startY);
  for (const [x, y] of rest) context.lineTo(x, y);
  context.stroke();
}
