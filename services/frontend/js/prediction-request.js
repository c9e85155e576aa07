// The prediction request, in the API's format.

import { BRUSH_WIDTH, CANVAS_SIZE } from "./coordinates.js";
import { roundStroke, thinStrokes } from "./thinning.js";

/** @import { DrawingRequest } from "./requests.js" */
/** @import { Stroke } from "./strokes.js" */

/** Most points in one drawing; the API rejects more than 20,000. */
export const MAX_POINTS = 5000;

/**
 * Return the request for a drawing. The API renders the strokes, so that the network gets the same image from every browser.
 * @param {readonly Stroke[]} strokes in logical coordinates
 * @param {number} [width] of the canvas
 * @returns {DrawingRequest}
 */
export function buildPredictionRequest(strokes, width = CANVAS_SIZE) {
  return {
    strokes: thinStrokes(strokes.map(roundStroke), MAX_POINTS),
    width,
    height: CANVAS_SIZE,
    brush: BRUSH_WIDTH,
  };
}
