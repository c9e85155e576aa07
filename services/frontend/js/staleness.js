// Staleness: dims a panel that shows another drawing than the one on the canvas. Answers follow the pen within a moment, so a panel
// that is about to follow is not dimmed.

const GRACE_MS = 400;

export class Staleness {
  #panel;

  /** @type {ReturnType<typeof setTimeout> | null} */
  #timer = null;

  /** @param {HTMLElement} panel */
  constructor(panel) {
    this.#panel = panel;
  }

  /** The drawing has changed. */
  waitForAnswer() {
    if (this.#timer === null) this.#timer = setTimeout(() => this.dim(), GRACE_MS);
  }

  /** The panel shows an answer. @param {boolean} isCurrent whether it is the answer to the drawing on the canvas */
  show(isCurrent = true) {
    this.#set(false);
    if (!isCurrent) this.waitForAnswer();
  }

  /** The panel can't follow just now. */
  dim() {
    this.#set(true);
  }

  /** @param {boolean} isStale */
  #set(isStale) {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#panel.setAttribute("aria-busy", String(isStale));
  }
}
