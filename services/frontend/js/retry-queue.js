// The retry queue: sends feedback, keeps it after a failure, and sends it again until the service accepts it.

/** @import { Delivery, FeedbackOutcome, FeedbackRequest, RetryQueueOptions } from "./feedback.js" */

/** The wait after a failure without Retry-After. It doubles with each further failure. */
export const FIRST_WAIT_MS = 2_000;
export const LONGEST_WAIT_MS = 60_000;

// Bounds for Retry-After.
export const MIN_RETRY_AFTER_MS = 1_000;
export const MAX_RETRY_AFTER_MS = 60 * 60 * 1000;

/** A replica that could not log a prediction retries within this time. Until then, the others do not know the prediction. */
export const UNKNOWN_MS = 5_000;

/** The lock of the tab that sends. */
export const LOCK = "doodle-feedback";

export class RetryQueue {
  #send;
  #kept;
  #timer;
  #locks;
  #onSettled;

  #isSendingKept = false;

  /** Predictions that the service did not know at the first attempt. @type {Set<string>} */
  #unknownOnce = new Set();

  /** Failures in a row. */
  #failures = 0;

  /** The timer of the next attempt. @type {number | undefined} */
  #timeout;

  /** @param {(request: FeedbackRequest) => Promise<Delivery>} send @param {RetryQueueOptions} options */
  constructor(send, { kept, timer, locks, onSettled }) {
    this.#send = send;
    this.#kept = kept;
    this.#timer = timer;
    this.#locks = locks;
    this.#onSettled = onSettled;
  }

  /**
   * Send at once, before kept feedback, since the user waits for the answer.
   * @param {FeedbackRequest} request
   * @returns {Promise<FeedbackOutcome>}
   */
  async send(request) {
    this.#kept.forget(request.prediction_id); // older feedback must not arrive later
    const delivery = await this.#send(request);
    if ("mayPass" in delivery) {
      const isStored = this.#kept.put(request);
      this.#retryLater(delivery.retryAfterMs);
      return { kept: isStored ? "on the device" : "on the page" };
    }
    if ("received" in delivery) {
      this.#failures = 0;
      this.sendKept(); // not awaited, so that the user need not wait
    }
    return delivery;
  }

  /** Send kept feedback now. */
  async sendKept() {
    if (this.#isSendingKept) return;
    this.#isSendingKept = true;
    this.#timer.clearTimeout(this.#timeout);
    await this.#asOnlyTab(() => this.#sendAll());
    this.#isSendingKept = false;
  }

  /** Send one after the other, in order; stop at the first failure. */
  async #sendAll() {
    for (let entry = this.#kept.first(); entry; entry = this.#kept.first()) {
      const delivery = await this.#send(entry.request);
      if ("mayPass" in delivery) {
        this.#retryLater(delivery.retryAfterMs);
        return;
      }
      this.#failures = 0;
      const id = entry.request.prediction_id;
      if ("isUnknown" in delivery && !this.#unknownOnce.has(id)) {
        this.#unknownOnce.add(id);
        this.#retryLater(UNKNOWN_MS);
        return;
      }
      this.#unknownOnce.delete(id);
      // Remove rejected feedback too: the service would reject it each time.
      if (this.#kept.remove(entry)) this.#onSettled(id, delivery);
    }
  }

  /** @param {() => Promise<void>} work never rejects */
  async #asOnlyTab(work) {
    if (!this.#locks) return work();
    try {
      await this.#locks.request(LOCK, { ifAvailable: true }, (lock) => (lock ? work() : this.#retryLater(null)));
    } catch {
      await work(); // a page without an origin has no locks; sending twice is better than never
    }
  }

  /** @param {number | null} namedMs */
  #retryLater(namedMs) {
    const ownMs = Math.min(FIRST_WAIT_MS * 2 ** this.#failures, LONGEST_WAIT_MS);
    this.#failures += 1;
    const waitMs = namedMs === null ? ownMs : Math.min(Math.max(namedMs, MIN_RETRY_AFTER_MS), MAX_RETRY_AFTER_MS);
    this.#timer.clearTimeout(this.#timeout);
    this.#timeout = this.#timer.setTimeout(() => this.sendKept(), waitMs);
  }
}
