// The keyboard pen: a pen that is moved with the arrow keys and put down with Space. It knows where it is and what a
// key means; it neither listens to keys nor draws.

import { CANVAS_SIZE, keepOnCanvas } from "./coordinates.js";

/** @import { Point } from "./coordinates.js" */

/** @typedef {"move" | "toggle" | "predict" | "remove last" | "clear"} Command */

// Thirty-five steps across the canvas; with Shift, steps of a fifth of a network pixel for fine work.
export const STEP = 8;
export const FINE_STEP = 2;

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

/**
 * What a key means on the canvas.
 * @param {string} key as KeyboardEvent.key
 * @returns {Command | undefined}
 */
export function commandOf(key) {
  return DIRECTIONS.has(key) ? "move" : COMMANDS.get(key);
}

/**
 * Whether a key combination undoes or redoes, anywhere on the page: Ctrl+Z, Ctrl+Shift+Z and Ctrl+Y, and Cmd on a Mac.
 * @param {Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">} event
 * @returns {"undo" | "redo" | undefined}
 */
export function historyCommandOf({ key, code, ctrlKey, metaKey, shiftKey, altKey }) {
  if (ctrlKey === metaKey || altKey) return undefined;
  // A Cyrillic or Greek keyboard has no Z: there the key in its place counts.
  const letter = /^[a-z]$/i.test(key) ? key.toLowerCase() : code.replace("Key", "").toLowerCase();
  if (letter === "z") return shiftKey ? "redo" : "undo";
  return letter === "y" && ctrlKey && !shiftKey ? "redo" : undefined; // Cmd+Y opens the history of a Mac's browser
}

export class KeyboardPen {
  /** @type {Point} */
  position = [CANVAS_SIZE / 2, CANVAS_SIZE / 2];

  isDown = false;

  /** Arrow keys held down now. @type {Set<string>} */
  #held = new Set();

  /**
   * Moves one step. With two arrow keys held the step is diagonal: a 7 needs a slope, and a keyboard repeats only
   * the key pressed last.
   * @param {string} arrow as KeyboardEvent.key
   * @param {boolean} [fine]
   * @returns {Point} the new position
   */
  press(arrow, fine = false) {
    this.#held.add(arrow);
    const step = fine ? FINE_STEP : STEP;
    let [x, y] = this.position;
    for (const key of this.#held) {
      const [dx, dy] = DIRECTIONS.get(key) ?? [0, 0];
      x += dx * step;
      y += dy * step;
    }
    this.position = keepOnCanvas([x, y]);
    return this.position;
  }

  /** @param {string} arrow */
  release(arrow) {
    this.#held.delete(arrow);
  }

  /** Forgets all held keys: when the canvas loses the focus, their release is reported elsewhere. */
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
