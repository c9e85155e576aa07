// Retry: repeats a request after a failure that may pass, such as a restart of the service. The pause grows with each failure,
// and ends when the network is back.

/** @import { Outcome } from "./requests.js" */

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4000;

/** Shown after the error. */
export const TRYING_AGAIN = "Trying again…";

export class Retry {
  #timer;

  /** Functions that end the pauses. @type {Set<() => void>} */
  #pauses = new Set();

  /** @param {Pick<Window, "setTimeout" | "clearTimeout">} timer */
  constructor(timer) {
    this.#timer = timer;
  }

  /** End every pause, because the network is back. */
  wake() {
    for (const end of this.#pauses) end();
  }

  /**
   * Repeat a request until it succeeds, fails permanently, or is unwanted. Report each failure that may pass.
   * @template Answer
   * @param {() => Promise<Outcome<Answer>>} request
   * @param {() => boolean} isWanted
   * @param {(error: string) => void} onFailure
   */
  async ask(request, isWanted, onFailure) {
    for (let failures = 1; ; failures += 1) {
      const outcome = await request();
      if (!("mayPass" in outcome) || !isWanted()) return outcome;
      // The second attempt follows soon, so the first failure is reported only if it has a Retry-After.
      if (failures > 1 || outcome.retryAfterMs) onFailure(`${outcome.error} ${TRYING_AGAIN}`);
      await this.#pause(outcome.retryAfterMs ?? Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS));
      if (!isWanted()) return outcome;
    }
  }

  /** @param {number} ms @returns {Promise<void>} */
  #pause(ms) {
    return new Promise((resolve) => {
      const end = () => {
        this.#timer.clearTimeout(timeout);
        this.#pauses.delete(end);
        resolve();
      };
      const timeout = this.#timer.setTimeout(end, ms);
      this.#pauses.add(end);
    });
  }
}
