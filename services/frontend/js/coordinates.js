// Coordinates: strokes are recorded, redrawn and sent in units of a logical canvas of 280 x 280, or 640 x 280 if it is wide. So
// screens of any size send the same numbers.

/** Height of the logical canvas, and its width unless it is wide: ten times the network's 28 pixels. */
export const CANVAS_SIZE = 280;

/** Width of the wide canvas: about eleven digits in a row. */
export const WIDE_WIDTH = 640;

/** Width of the brush, in logical units. */
export const BRUSH_WIDTH = 20;

/**
 * A point on the logical canvas: [x, y], x to the right and y down, from 0 to the canvas's width and height.
 * @typedef {[number, number]} Point
 */

/**
 * Return the nearest point on the canvas. A finger beyond the edge draws along the edge, and the API gets the same drawing.
 * @param {Point} point
 * @param {number} [width] of the canvas
 * @returns {Point}
 */
export function keepOnCanvas([x, y], width = CANVAS_SIZE) {
  return [Math.min(Math.max(x, 0), width), Math.min(Math.max(y, 0), CANVAS_SIZE)];
}

/**
 * Return a pointer's place on the logical canvas. A border or padding of the canvas would shift the points.
 * @param {{clientX: number, clientY: number}} pointer
 * @param {DOMRect} rectangle of the canvas
 */
export function toLogical(pointer, rectangle) {
  const width = logicalWidth(rectangle);
  const x = ((pointer.clientX - rectangle.left) / rectangle.width) * width;
  const y = ((pointer.clientY - rectangle.top) / rectangle.height) * CANVAS_SIZE;
  return keepOnCanvas([x, y], width);
}

/** Return the logical width of a canvas with this size on the screen. @param {{width: number, height: number}} rectangle */
export function logicalWidth({ width, height }) {
  return width > 1.5 * height ? WIDE_WIDTH : CANVAS_SIZE;
}
