// The wide canvas: room for a phone number. The canvas is wide where the window has room, until the user chooses with a toggle. The
// browser remembers the choice.

import { CANVAS_SIZE, WIDE_WIDTH } from "./coordinates.js";
import { setEnabled } from "./drawing-tools.js";

/** @import { Stroke } from "./strokes.js" */

// early-ink.js reads it, and sets the width before the page is shown.
const STORAGE_KEY = "doodle-wide";

export class WideCanvas {
  #button;
  #storage;
  #onChange;

  /** Null: as wide as the window has room. @type {boolean | null} */
  #choice;

  /** Strokes reach beyond the narrow canvas. */
  #isNeeded = false;

  /**
   * @param {HTMLElement} button a toggle
   * @param {() => Storage} storage returns localStorage; throws if storage is forbidden
   * @param {() => void} onChange
   */
  constructor(button, storage, onChange) {
    this.#button = button;
    this.#storage = storage;
    this.#onChange = onChange;
    const { room, choice } = window.wideCanvas;
    this.#choice = choice;
    room.addEventListener("change", () => this.#set(this.#isNeeded || (this.#choice ?? room.matches)));
    button.addEventListener("click", () => {
      if (!this.#isNeeded) this.#choose(!this.#isWide);
    });
    this.#press();
  }

  /** The width of the logical canvas. */
  get width() {
    return this.#isWide ? WIDE_WIDTH : CANVAS_SIZE;
  }

  /** Widen the canvas for strokes beyond the narrow one, and keep it wide as long as they are there. @param {readonly Stroke[]} strokes */
  fit(strokes) {
    this.#isNeeded = strokes.some((stroke) => stroke.some(([x]) => x > CANVAS_SIZE));
    if (this.#isNeeded) this.#set(true);
    setEnabled(this.#button, !this.#isNeeded);
  }

  get #isWide() {
    return "wide" in document.documentElement.dataset;
  }

  /** @param {boolean} isWide */
  #set(isWide) {
    if (isWide === this.#isWide) return;
    document.documentElement.toggleAttribute("data-wide", isWide);
    this.#press();
    this.#onChange();
  }

  #press() {
    this.#button.setAttribute("aria-pressed", String(this.#isWide));
  }

  /** @param {boolean} isWide */
  #choose(isWide) {
    this.#choice = isWide;
    this.#set(isWide);
    try {
      this.#storage().setItem(STORAGE_KEY, isWide ? "yes" : "no");
    } catch {
      // Storage is forbidden or full.
    }
  }
}
