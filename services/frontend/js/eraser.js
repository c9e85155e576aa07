// The eraser: as wide as the brush, it removes each stroke that it touches.

import { BRUSH_WIDTH } from "./coordinates.js";

/** @import { Point } from "./coordinates.js" */

/**
 * Return whether the eraser touches the stroke's ink on its way between two points.
 * @param {readonly Point[]} stroke
 * @param {Point} from
 * @param {Point} to
 */
export function isTouched(stroke, from, to) {
  const steps = Math.max(1, Math.ceil(distance(from, to) / (BRUSH_WIDTH / 4)));
  return Array.from({ length: steps + 1 }, (_, i) => between(from, to, i / steps)).some((place) =>
    stroke.some((end, i) => distanceToSegment(place, stroke[Math.max(i - 1, 0)], end) <= BRUSH_WIDTH),
  );
}

/** @param {Point} place @param {Point} start @param {Point} end */
function distanceToSegment(place, start, end) {
  const length = distance(start, end);
  if (length === 0) return distance(place, start);
  const along = ((place[0] - start[0]) * (end[0] - start[0]) + (place[1] - start[1]) * (end[1] - start[1])) / length ** 2;
  return distance(place, between(start, end, Math.min(Math.max(along, 0), 1)));
}

/** @param {Point} one @param {Point} other */
function distance([x1, y1], [x2, y2]) {
  return Math.hypot(x2 - x1, y2 - y1);
}

/** @param {Point} start @param {Point} end @param {number} part from 0, the start, to 1, the end @returns {Point} */
function between([x1, y1], [x2, y2], part) {
  return [x1 + (x2 - x1) * part, y1 + (y2 - y1) * part];
}
