// The wide canvas: a toggle that gives the canvas room for a phone number. The browser remembers it.

import { CANVAS_SIZE, WIDE_WIDTH } from "./coordinates.js";
import { setEnabled } from "./drawing-tools.js";

/** @import { Stroke } from "./strokes.js" */

// early-ink.js reads it before the page is shown.
const STORAGE_KEY = "doodle-wide";

export class WideCanvas {
  #button;
  #storage;
  #onChange;

  /**
   * @param {HTMLElement} button a toggle
   * @param {() => Storage} storage returns localStorage; throws if storage is forbidden
   * @param {() => void} onChange
   */
  constructor(button, storage, onChange) {
    this.#button = button;
    this.#storage = storage;
    this.#onChange = onChange;
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") !== "true") this.#set(!this.#isWide, true);
    });
    this.#press();
  }

  /** The width of the logical canvas. */
  get width() {
    return this.#isWide ? WIDE_WIDTH : CANVAS_SIZE;
  }

  /** Widen the canvas for strokes beyond the narrow one, and keep it wide as long as they are there. @param {readonly Stroke[]} strokes */
  fit(strokes) {
    const isNeeded = strokes.some((stroke) => stroke.some(([x]) => x > CANVAS_SIZE));
    if (isNeeded && !this.#isWide) this.#set(true, false);
    setEnabled(this.#button, !isNeeded);
  }

  get #isWide() {
    return "wide" in document.documentElement.dataset;
  }

  /** @param {boolean} isWide @param {boolean} isKept */
  #set(isWide, isKept) {
    document.documentElement.toggleAttribute("data-wide", isWide);
    this.#press();
    if (isKept) this.#write(isWide);
    this.#onChange();
  }

  #press() {
    this.#button.setAttribute("aria-pressed", String(this.#isWide));
  }

  /** @param {boolean} isWide */
  #write(isWide) {
    try {
      if (isWide) this.#storage().setItem(STORAGE_KEY, "");
      else this.#storage().removeItem(STORAGE_KEY);
    } catch {
      // Storage is forbidden or full.
    }
  }
}
