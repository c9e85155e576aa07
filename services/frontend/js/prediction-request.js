// The prediction request: what the page asks of the API.

import { BRUSH_WIDTH, CANVAS_SIZE } from "./coordinates.js";
import { roundStroke, thinStrokes } from "./thinning.js";

/** @import { Stroke } from "./strokes.js" */

/** Most points sent in one drawing; the API itself refuses more than 20,000. */
export const MAX_POINTS = 5000;

/**
 * @typedef {object} PredictionRequest
 * @property {readonly Stroke[]} strokes
 * @property {number} width size of the canvas that the strokes were drawn on
 * @property {number} height
 * @property {number} brush width of the brush in the same units
 */

/**
 * The API gets strokes, not pixels: it draws them itself, so that every browser gives the network the same image.
 * @param {readonly Stroke[]} strokes in logical coordinates
 * @returns {PredictionRequest}
 */
export function buildPredictionRequest(strokes) {
  return {
    strokes: thinStrokes(strokes.map(roundStroke), MAX_POINTS),
    width: CANVAS_SIZE,
    height: CANVAS_SIZE,
    brush: BRUSH_WIDTH,
  };
}
