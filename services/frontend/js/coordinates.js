// Coordinates: strokes are recorded, redrawn and sent in units of a logical canvas of 280 x 280. So screens of any size send the
// same numbers.

/** Width and height of the logical canvas: ten times the network's 28 pixels. */
export const CANVAS_SIZE = 280;

/** Width of the brush, in logical units. */
export const BRUSH_WIDTH = 20;

/**
 * A point on the logical canvas: [x, y], x to the right and y down, both from 0 to 280.
 * @typedef {[number, number]} Point
 */

/**
 * Return the nearest point on the canvas. A finger beyond the edge draws along the edge, and the API gets the same drawing.
 * @param {Point} point
 * @returns {Point}
 */
export function keepOnCanvas([x, y]) {
  return [Math.min(Math.max(x, 0), CANVAS_SIZE), Math.min(Math.max(y, 0), CANVAS_SIZE)];
}

/**
 * Return a pointer's place on the logical canvas. A border or padding of the canvas would shift the points.
 * @param {{clientX: number, clientY: number}} pointer
 * @param {DOMRect} rectangle of the canvas
 */
export function toLogical(pointer, rectangle) {
  return keepOnCanvas([
    ((pointer.clientX - rectangle.left) / rectangle.width) * CANVAS_SIZE,
    ((pointer.clientY - rectangle.top) / rectangle.height) * CANVAS_SIZE,
  ]);
}
