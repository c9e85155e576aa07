// The keyboard pen: its position, and the meaning of each key. It neither listens to keys nor draws.

import { CANVAS_SIZE, keepOnCanvas } from "./coordinates.js";

/** @import { Point } from "./coordinates.js" */

/** @typedef {"move" | "toggle" | "predict" | "remove last" | "clear"} Command */

// In units of the canvas.
export const STEP = 8;
export const FINE_STEP = 2; // with Shift: a fifth of a pixel of the network's input

/** @type {Map<string, Point>} */
const DIRECTIONS = new Map([
  ["ArrowLeft", [-1, 0]],
  ["ArrowRight", [1, 0]],
  ["ArrowUp", [0, -1]],
  ["ArrowDown", [0, 1]],
]);

/** @type {Map<string, Command>} */
const COMMANDS = new Map([
  [" ", "toggle"],
  ["Enter", "predict"],
  ["Escape", "clear"],
  ["Delete", "clear"],
  ["Backspace", "remove last"],
]);

/** Return the direction of an arrow key. @param {string} key as KeyboardEvent.key */
export function directionOf(key) {
  return DIRECTIONS.get(key);
}

/**
 * Return the command of a key on the canvas.
 * @param {string} key as KeyboardEvent.key
 * @returns {Command | undefined}
 */
export function commandOf(key) {
  return DIRECTIONS.has(key) ? "move" : COMMANDS.get(key);
}

/**
 * Return the command of Ctrl+Z, Ctrl+Shift+Z and Ctrl+Y, or of Cmd on a Mac.
 * @param {KeyboardEvent} event
 * @returns {"undo" | "redo" | undefined}
 */
export function historyCommandOf({ key, code, ctrlKey, metaKey, shiftKey, altKey }) {
  if (ctrlKey === metaKey || altKey) return undefined;
  // A Cyrillic or Greek keyboard has no Z, so use the key in its place.
  const letter = /^[a-z]$/i.test(key) ? key.toLowerCase() : code.replace("Key", "").toLowerCase();
  if (letter === "z") return shiftKey ? "redo" : "undo";
  return letter === "y" && ctrlKey && !shiftKey ? "redo" : undefined; // on a Mac, Cmd+Y opens the browser's history
}

export class KeyboardPen {
  /** @type {Point} */
  position = [CANVAS_SIZE / 2, CANVAS_SIZE / 2];

  /** Of the canvas. */
  #width = CANVAS_SIZE;

  isDown = false;

  /** Arrow keys held down now. @type {Set<string>} */
  #held = new Set();

  /** Keep the pen on a canvas of this width. @param {number} width */
  fit(width) {
    this.#width = width;
    this.position = keepOnCanvas(this.position, width);
  }

  /** Move one step, diagonally if two arrow keys are held. @param {string} arrow as KeyboardEvent.key */
  press(arrow, fine = false) {
    this.#held.add(arrow);
    const step = fine ? FINE_STEP : STEP;
    let [x, y] = this.position;
    // A keyboard repeats only the key pressed last.
    for (const key of this.#held) {
      const [dx, dy] = DIRECTIONS.get(key) ?? [0, 0];
      x += dx * step;
      y += dy * step;
    }
    this.position = keepOnCanvas([x, y], this.#width);
    return this.position;
  }

  /** @param {string} arrow */
  release(arrow) {
    this.#held.delete(arrow);
  }

  /** Forget all held keys. Without the focus, the canvas gets no keyup. */
  releaseAll() {
    this.#held.clear();
  }

  toggle() {
    this.isDown = !this.isDown;
  }

  lift() {
    this.isDown = false;
  }
}
