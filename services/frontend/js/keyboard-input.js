// Keyboard input: drawing and commands while the canvas has the focus, and Undo and Redo everywhere on the page.

import { commandOf, historyCommandOf } from "./keyboard-pen.js";

/** @import { KeyboardPen } from "./keyboard-pen.js" */
/** @import { HistoryCallbacks, KeyboardCallbacks } from "./page.js" */
/** @import { StrokeRecorder } from "./strokes.js" */

/** Fields with their own Undo. */
const TEXT_FIELDS = "input:not([type=range], [type=checkbox], [type=radio]), textarea, [contenteditable]";

/**
 * @param {HTMLCanvasElement} canvas
 * @param {KeyboardPen} pen
 * @param {StrokeRecorder} recorder
 * @param {KeyboardCallbacks} callbacks
 */
export function listenToKeyboard(canvas, pen, recorder, { onChange, onPredict, onRemoveLast, onClear }) {
  canvas.addEventListener("keydown", (event) => {
    // Combinations such as Alt+Left belong to the browser.
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const command = commandOf(event.key);
    if (command === undefined) return;
    event.preventDefault(); // arrows and Space would scroll the page

    if (command === "move") move(event);
    else if (event.repeat) return; // a held key counts once
    else if (command === "toggle") toggle();
    else if (command === "predict") onPredict();
    else if (command === "remove last") onRemoveLast();
    else if (command === "clear") onClear();
  });

  canvas.addEventListener("keyup", (event) => pen.release(event.key));
  canvas.addEventListener("blur", () => pen.releaseAll());

  /** @param {KeyboardEvent} event */
  function move(event) {
    const point = pen.press(event.key, event.shiftKey);
    if (pen.isDown) recorder.extend(point);
    onChange();
  }

  function toggle() {
    // While a finger draws, a second pen would split its stroke.
    if (recorder.isDrawing && !pen.isDown) return;
    pen.toggle();
    if (pen.isDown) recorder.begin(pen.position);
    else recorder.end();
    onChange();
  }
}

/** @param {HistoryCallbacks} callbacks */
export function listenToHistoryKeys({ onUndo, onRedo }) {
  document.addEventListener("keydown", (event) => {
    const command = historyCommandOf(event);
    if (command === undefined || (event.target instanceof Element && event.target.closest(TEXT_FIELDS))) return;
    event.preventDefault();
    if (command === "undo") onUndo();
    else onRedo();
  });
}
