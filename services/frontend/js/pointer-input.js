// Pointer input: mouse, finger and pen.

import { toLogical } from "./coordinates.js";

/** @import { PointerCallbacks, PointerDrawing } from "./page.js" */
/** @import { StrokeRecorder } from "./strokes.js" */

const MAIN_BUTTON = { button: 0, bit: 1 };
const RIGHT_BUTTON = { button: 2, bit: 2 };
const ERASER_END = { button: 5, bit: 32 };

/** A second finger within this time belongs to a pinch. */
const PINCH_MS = 400;
/** A touch within this time after an event of the pen is a palm. */
const PALM_MS = 500;

/**
 * Record strokes drawn or erased with a pointer. The canvas needs `touch-action: pinch-zoom`, or a finger would scroll.
 * @param {HTMLCanvasElement} canvas
 * @param {StrokeRecorder} recorder
 * @param {PointerCallbacks} callbacks
 */
export function listenToPointer(canvas, recorder, { isErasing, onStart, onChange, onEnd }) {
  /** @type {PointerDrawing | null} */
  let drawing = null;
  let penSeen = -Infinity;

  // The second finger of a pinch may land beside the canvas, so this listens everywhere, and before the canvas.
  window.addEventListener("pointerdown", (event) => isPinch(event) && cancel(), { capture: true });

  canvas.addEventListener("pointerdown", (event) => {
    notePen(event);
    const heldButton = heldButtonOf(event);
    if (heldButton === null || !event.isPrimary || isPalm(event)) return;
    if (drawing !== null) {
      // A palm often lands before the pen.
      if (event.pointerType !== "pen" || drawing.type === "pen") return;
      cancel();
    }
    onStart();
    drawing = { id: event.pointerId, type: event.pointerType, since: event.timeStamp, heldButton };
    const point = toLogical(event, canvas.getBoundingClientRect());
    const erases = heldButton !== MAIN_BUTTON.bit || isErasing();
    if (erases ? recorder.beginErasing(point) : recorder.begin(point)) onChange();
    capture(canvas, event.pointerId);
  });

  canvas.addEventListener("pointermove", (event) => {
    notePen(event);
    if (event.pointerId !== drawing?.id) return;
    // The button was released without a pointerup here: in a context menu or another window.
    if ((event.buttons & drawing.heldButton) === 0) finish();
    else addPoints(event);
  });

  canvas.addEventListener("pointerup", (event) => {
    notePen(event);
    if (event.pointerId !== drawing?.id) return;
    addPoints(event);
    finish();
  });
  canvas.addEventListener("pointercancel", (event) => event.pointerId === drawing?.id && cancel());
  canvas.addEventListener("lostpointercapture", (event) => event.pointerId === drawing?.id && finish());

  // A finger that lands late, or beside the pen, must not zoom during a stroke. The drawing finger must not start a gesture
  // either: after a flick, the browser would ignore the next tap.
  canvas.addEventListener("touchstart", (event) => (event.touches.length > 1 || drawing?.type === "pen") && preventWhileDrawing(event), {
    passive: false,
  });
  canvas.addEventListener("touchmove", preventWhileDrawing, { passive: false });

  // A long press would open a menu during a stroke, and the right button erases.
  canvas.addEventListener("contextmenu", (event) => {
    if (drawing !== null || event.button === RIGHT_BUTTON.button) event.preventDefault();
  });

  /** @param {PointerEvent} event */
  function notePen(event) {
    if (event.pointerType === "pen") penSeen = event.timeStamp;
  }

  /** @param {PointerEvent} event */
  function isPalm(event) {
    return event.pointerType === "touch" && event.timeStamp - penSeen < PALM_MS;
  }

  /** @param {PointerEvent} event */
  function isPinch(event) {
    if (event.pointerType !== "touch" || drawing?.type !== "touch") return false;
    return event.pointerId !== drawing.id && event.timeStamp - drawing.since < PINCH_MS;
  }

  /** @param {TouchEvent} event */
  function preventWhileDrawing(event) {
    if (drawing !== null && event.cancelable) event.preventDefault();
  }

  /** @param {PointerEvent} event */
  function addPoints(event) {
    const rectangle = canvas.getBoundingClientRect();
    const changes = positionsOf(event).map((position) => recorder.extend(toLogical(position, rectangle)));
    if (changes.includes(true)) onChange();
  }

  function finish() {
    drawing = null;
    recorder.end();
    onEnd();
  }

  function cancel() {
    drawing = null;
    if (recorder.cancel()) onChange();
    onEnd();
  }
}

/**
 * Return the button to hold, as its bit in PointerEvent.buttons; null for a button without a function.
 * @param {PointerEvent} event a pointerdown
 */
function heldButtonOf({ button, buttons }) {
  if ((buttons & ERASER_END.bit) !== 0) return ERASER_END.bit;
  return [MAIN_BUTTON, RIGHT_BUTTON, ERASER_END].find((known) => known.button === button)?.bit ?? null;
}

/**
 * Return all positions since the last event. A browser sends one event a frame, but a fast hand moves far in a frame.
 * Browsers provide the list only over HTTPS, and not for events from scripts.
 * @param {PointerEvent} event
 */
function positionsOf(event) {
  const positions = event.getCoalescedEvents?.() ?? [];
  return positions.length > 0 ? positions : [event];
}

/**
 * Direct the pointer's events to the canvas, also outside of it, so that a stroke over the edge is not split.
 * @param {HTMLCanvasElement} canvas
 * @param {number} pointerId
 */
function capture(canvas, pointerId) {
  try {
    canvas.setPointerCapture(pointerId);
  } catch (error) {
    // After a very quick tap, the pointer is already gone.
    if (!(error instanceof DOMException && error.name === "NotFoundError")) throw error;
  }
}
