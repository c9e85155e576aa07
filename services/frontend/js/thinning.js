// Thinning: makes a drawing small enough to send, without a visible change. A mouse that reports 1,000 times a second records far
// more points than a 28 x 28 image can show.

/** @import { Point } from "./coordinates.js" */
/** @import { Stroke } from "./strokes.js" */

/**
 * Round coordinates to one decimal, a hundredth of a pixel of the network's input, and remove repeated points.
 * @param {Stroke} stroke
 * @returns {Stroke}
 */
export function roundStroke(stroke) {
  const rounded = stroke.map(([x, y]) => /** @type {Point} */ ([roundToTenth(x), roundToTenth(y)]));
  return rounded.filter(([x, y], i) => i === 0 || x !== rounded[i - 1][0] || y !== rounded[i - 1][1]);
}

/**
 * Return at most `limit` points, taken evenly from all strokes. Each stroke keeps both ends, so that no line gets shorter.
 * @param {readonly Stroke[]} strokes
 * @param {number} limit at least 2
 * @returns {readonly Stroke[]}
 */
export function thinStrokes(strokes, limit) {
  const total = countPoints(strokes);
  if (total <= limit) return strokes;

  // With thousands of dots, the ends alone exceed the limit, so drop whole strokes.
  const ends = strokes.reduce((sum, stroke) => sum + Math.min(stroke.length, 2), 0);
  if (ends > limit) return thinStrokes(pickEvenly(strokes, Math.floor(limit / 2)), limit);

  const keptShare = (limit - ends) / (total - ends);
  return strokes.map((stroke) => {
    const between = Math.max(stroke.length - 2, 0);
    return pickEvenly(stroke, stroke.length - between + Math.floor(between * keptShare));
  });
}

/** @param {readonly Stroke[]} strokes */
export function countPoints(strokes) {
  return strokes.reduce((sum, stroke) => sum + stroke.length, 0);
}

/**
 * Return `count` items at equal distances: the first, or from two on the first and last.
 * @template Item
 * @param {readonly Item[]} items
 * @param {number} count
 */
export function pickEvenly(items, count) {
  if (count === 1) return [items[0]];
  const step = (items.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, i) => items[Math.round(i * step)]);
}

/** @param {number} value */
function roundToTenth(value) {
  return Math.round(value * 10) / 10;
}
