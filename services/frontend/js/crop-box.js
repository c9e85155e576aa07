// The crop box: a rectangle of an image, and its change by pointer and keyboard. It neither listens nor paints.

/** @import { Point } from "./coordinates.js" */

/**
 * A rectangle, in the image's pixels.
 * @typedef {{left: number, top: number, width: number, height: number}} Box
 */

/**
 * The sides of a box that a pointer holds: -1 is left or top, 1 is right or bottom, 0 is neither. [0, 0] holds the whole box.
 * @typedef {readonly [-1 | 0 | 1, -1 | 0 | 1]} Grip
 */

/** @typedef {{width: number, height: number}} Size */

/** Return where an image lies on a canvas: as large as possible, centered. @param {Size} size @param {Size} canvas */
export function fitInto({ width, height }, canvas) {
  const scale = Math.min(canvas.width / width, canvas.height / height);
  return { left: (canvas.width - width * scale) / 2, top: (canvas.height - height * scale) / 2, scale };
}

/** @param {Size} size @returns {Box} */
export function wholeBox({ width, height }) {
  return { left: 0, top: 0, width, height };
}

/** Return whether the box is the whole image. @param {Box} box @param {Size} size */
export function isWhole(box, { width, height }) {
  return box.width === width && box.height === height;
}

/** Return the box in whole pixels, at least one. @param {Box} box @param {Size} size of the image @returns {Box} */
export function roundBox(box, size) {
  const [left, width] = roundSide(box.left, box.width, size.width);
  const [top, height] = roundSide(box.top, box.height, size.height);
  return { left, top, width, height };
}

/** @param {number} start @param {number} length @param {number} limit @returns {[number, number]} */
function roundSide(start, length, limit) {
  const first = Math.min(Math.round(start), limit - 1);
  return [first, Math.max(1, Math.min(Math.round(start + length), limit) - first)];
}

/** @param {Box} box @param {number} margin @returns {Box} */
export function withMargin({ left, top, width, height }, margin) {
  return { left: left - margin, top: top - margin, width: width + 2 * margin, height: height + 2 * margin };
}

/** Return the part of a box on the image. @param {Box} box @param {Size} size of the image @returns {Box} */
export function cutTo(box, size) {
  const [left, top] = [clamp(box.left, 0, size.width), clamp(box.top, 0, size.height)];
  const [right, bottom] = [clamp(box.left + box.width, left, size.width), clamp(box.top + box.height, top, size.height)];
  return { left, top, width: right - left, height: bottom - top };
}

/**
 * Return the sides near a point; null beside the box.
 * @param {Box} box
 * @param {Point} point in the image's pixels
 * @param {number} reach how near a side counts
 * @returns {Grip | null}
 */
export function gripAt(box, [x, y], reach) {
  const across = sideAt(x - box.left, box.width, reach);
  const down = sideAt(y - box.top, box.height, reach);
  return across === null || down === null ? null : [across, down];
}

/** @param {number} at from the box's start @param {number} length @param {number} reach @returns {-1 | 0 | 1 | null} */
function sideAt(at, length, reach) {
  if (at < -reach || at > length + reach) return null;
  const inner = Math.min(reach, length / 4); // a small box keeps a middle to move it by
  if (at < inner) return -1;
  return at > length - inner ? 1 : 0;
}

/**
 * Return the box after its gripped sides, or the whole box, have moved.
 * @param {Box} box
 * @param {Grip} grip
 * @param {Point} distance in the image's pixels
 * @param {Size} size of the image, which the box never leaves
 * @param {number} shortest side of a box
 * @returns {Box}
 */
export function dragBox(box, [across, down], [dx, dy], size, shortest) {
  if (across === 0 && down === 0) {
    const [left, top] = [clamp(box.left + dx, 0, size.width - box.width), clamp(box.top + dy, 0, size.height - box.height)];
    return { ...box, left, top };
  }
  const [left, width] = dragSide(box.left, box.width, across, dx, size.width, shortest);
  const [top, height] = dragSide(box.top, box.height, down, dy, size.height, shortest);
  return { left, top, width, height };
}

/**
 * @param {number} start
 * @param {number} length
 * @param {-1 | 0 | 1} side
 * @param {number} distance
 * @param {number} limit
 * @param {number} shortest
 * @returns {[number, number]} start and length
 */
function dragSide(start, length, side, distance, limit, shortest) {
  const end = start + length;
  const first = side === -1 ? clamp(start + distance, 0, Math.max(0, end - shortest)) : start;
  const last = side === 1 ? clamp(end + distance, Math.min(limit, start + shortest), limit) : end;
  return [first, last - first];
}

/**
 * Return the box between two corners.
 * @param {Point} one
 * @param {Point} other
 * @param {Size} size of the image, which the box never leaves
 * @param {number} shortest side of a box
 * @returns {Box}
 */
export function boxBetween([x1, y1], [x2, y2], size, shortest) {
  const [left, width] = sideBetween(x1, x2, size.width, shortest);
  const [top, height] = sideBetween(y1, y2, size.height, shortest);
  return { left, top, width, height };
}

/** @param {number} one @param {number} other @param {number} limit @param {number} shortest @returns {[number, number]} */
function sideBetween(one, other, limit, shortest) {
  const length = Math.min(Math.max(Math.abs(clamp(one, 0, limit) - clamp(other, 0, limit)), shortest), limit);
  return [clamp(Math.min(one, other), 0, limit - length), length];
}

/** @param {number} value @param {number} least @param {number} most */
function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}
