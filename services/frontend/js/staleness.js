// Staleness: dims a panel that shows an older input. Answers usually follow the pen within GRACE_MS, and then it dims nothing.

const GRACE_MS = 400;

export class Staleness {
  #panel;

  /** @type {ReturnType<typeof setTimeout> | null} */
  #timer = null;

  /** @param {HTMLElement} panel */
  constructor(panel) {
    this.#panel = panel;
  }

  /** Dim the panel unless an answer comes soon. */
  waitForAnswer() {
    if (this.#timer === null) this.#timer = setTimeout(() => this.dim(), GRACE_MS);
  }

  /** End the dimming, because the panel shows an answer. @param {boolean} isCurrent whether its input is still on the canvas */
  show(isCurrent = true) {
    this.#set(false);
    if (!isCurrent) this.waitForAnswer();
  }

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
