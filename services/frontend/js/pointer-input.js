// Pointer input: mouse, finger and stylus, all through pointer events.

import { toLogical } from "./coordinates.js";

/** @typedef {import("./strokes.js").StrokeRecorder} StrokeRecorder */

const MAIN_BUTTON = 0;
const MAIN_BUTTON_HELD = 1; // its bit in PointerEvent.buttons

/**
 * Records strokes drawn with a pointer.
 * @param {HTMLCanvasElement} canvas needs `touch-action: none`, or a finger scrolls the page instead of drawing
 * @param {StrokeRecorder} recorder
 * @param {{onStart: () => void, onChange: () => void}} callbacks onStart comes before the stroke begins
 */
export function listenToPointer(canvas, recorder, { onStart, onChange }) {
  /** The pointer that draws. A second finger, or a palm beside the stylus, does not. @type {number | null} */
  let drawingId = null;

  canvas.addEventListener("pointerdown", (event) => {
    if (drawingId !== null || !event.isPrimary || event.button !== MAIN_BUTTON) return;
    onStart();
    drawingId = event.pointerId;
    recorder.begin(toLogical(event, canvas.getBoundingClientRect()));
    onChange();
    capture(canvas, event.pointerId);
  });

  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== drawingId) return;
    // The button was let go where no pointerup could reach us: under a context menu, or in another window.
    if ((event.buttons & MAIN_BUTTON_HELD) === 0) return finish(event);
    addPoints(event);
  });

  canvas.addEventListener("pointerup", (event) => {
    if (event.pointerId !== drawingId || event.button !== MAIN_BUTTON) return;
    addPoints(event);
    finish(event);
  });
  canvas.addEventListener("pointercancel", finish);
  canvas.addEventListener("lostpointercapture", finish);

  // Drawing is no gesture. Else the browser takes a quick last stroke for a flick, and the next tap, on a button, for
  // stopping it; or a long press for selecting text. Pointer events come all the same.
  canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });

  // A long press would open a menu in the middle of a stroke.
  canvas.addEventListener("contextmenu", (event) => {
    if (drawingId !== null) event.preventDefault();
  });

  /** @param {PointerEvent} event */
  function addPoints(event) {
    const rectangle = canvas.getBoundingClientRect();
    for (const moment of momentsOf(event)) recorder.extend(toLogical(moment, rectangle));
    onChange();
  }

  /** @param {PointerEvent} event */
  function finish(event) {
    if (event.pointerId !== drawingId) return;
    drawingId = null;
    recorder.end();
    onChange();
  }
}

/**
 * All positions since the last event: a browser sends one event a frame, though a fast hand moves far in a frame.
 * Browsers offer the list only over HTTPS, and leave it empty for events made by scripts.
 * @param {PointerEvent} event
 */
function momentsOf(event) {
  const moments = event.getCoalescedEvents?.() ?? [];
  return moments.length > 0 ? moments : [event];
}

/**
 * Keeps a pointer's events coming to the canvas after it has left it, so that a stroke over the edge stays whole.
 * @param {HTMLCanvasElement} canvas
 * @param {number} pointerId
 */
function capture(canvas, pointerId) {
  try {
    canvas.setPointerCapture(pointerId);
  } catch (error) {
    // The pointer is already gone, as after a very quick tap: there is nothing left to follow.
    if (!(error instanceof DOMException && error.name === "NotFoundError")) throw error;
  }
}
