// The feedback outbox: sends what a person says, and keeps what the service cannot take just now, to send it again until it does.

/** @import { Delivery } from "./api.js" */
/** @import { FeedbackRequest } from "./feedback-request.js" */
/** @import { FeedbackOutcome, LaterOutcome } from "./feedback-session.js" */
/** @import { KeptFeedback } from "./kept-feedback.js" */

/** So long after a failure, unless the service says when to come again; twice as long after each one more. */
export const FIRST_WAIT_MS = 2_000;
export const LONGEST_WAIT_MS = 60_000;

// What the service says is followed within reason: no page asks without a pause, nor waits for days.
export const SHORTEST_TOLD_MS = 1_000;
export const LONGEST_TOLD_MS = 60 * 60 * 1000;

/** A replica that could not write a prediction down tries again within this time, once it can; until then the others do not know of it. */
export const UNKNOWN_MS = 5_000;

/** The name under which the tabs of this page agree on which of them sends. */
export const LOCK = "doodle-feedback";

/**
 * What the browser lends; in the tests, what stands for it.
 * @typedef {object} Means
 * @property {KeptFeedback} kept
 * @property {Pick<Window, "setTimeout" | "clearTimeout">} timer
 * @property {Pick<LockManager, "request">} [locks] the browser's, which it has on localhost and with TLS alone
 * @property {(predictionId: string, outcome: LaterOutcome) => void} onSettled what became of one that was kept
 */

export class FeedbackOutbox {
  #send;
  #kept;
  #timer;
  #locks;
  #onSettled;

  #isSendingKept = false;

  /** Predictions that were not known when they were asked for the first time. @type {Set<string>} */
  #unknownOnce = new Set();

  /** In a row, of which the wait grows. */
  #failures = 0;

  /** The next attempt. @type {number | undefined} */
  #appointment;

  /** @param {(request: FeedbackRequest) => Promise<Delivery>} send never rejects @param {Means} means */
  constructor(send, { kept, timer, locks, onSettled }) {
    this.#send = send;
    this.#kept = kept;
    this.#timer = timer;
    this.#locks = locks;
    this.#onSettled = onSettled;
  }

  /**
   * At once, whatever else waits: somebody looks on.
   * @param {FeedbackRequest} request
   * @returns {Promise<FeedbackOutcome>}
   */
  async send(request) {
    this.#kept.forget(request.prediction_id); // the person changed his mind: what he said before shall not arrive after this
    const delivery = await this.#send(request);
    if ("mayPass" in delivery) {
      const isStored = this.#kept.put(request);
      this.#tryAgainLater(delivery.retryAfterMs);
      return { kept: isStored ? "on the device" : "on the page" };
    }
    if ("received" in delivery) {
      this.#failures = 0;
      this.sendKept(); // the service takes feedback again; whoever looks on need not wait for the rest
    }
    return delivery;
  }

  /** All that waits, now: when the page has been loaded, and when the network is back. */
  async sendKept() {
    if (this.#isSendingKept) return;
    this.#isSendingKept = true;
    this.#timer.clearTimeout(this.#appointment);
    await this.#asTheOnlyTab(() => this.#sendAll());
    this.#isSendingKept = false;
  }

  /** One after the other, in order; the first that fails ends it. */
  async #sendAll() {
    for (let entry = this.#kept.first(); entry; entry = this.#kept.first()) {
      const delivery = await this.#send(entry.request);
      if ("mayPass" in delivery) {
        this.#tryAgainLater(delivery.retryAfterMs);
        return;
      }
      this.#failures = 0;
      const id = entry.request.prediction_id;
      if ("isUnknown" in delivery && !this.#unknownOnce.has(id)) {
        this.#unknownOnce.add(id);
        this.#tryAgainLater(UNKNOWN_MS);
        return;
      }
      this.#unknownOnce.delete(id);
      // Refused for good it goes too: it would be refused each time.
      if (this.#kept.remove(entry)) this.#onSettled(id, delivery);
    }
  }

  /** @param {() => Promise<void>} work never rejects */
  async #asTheOnlyTab(work) {
    if (!this.#locks) return work();
    try {
      await this.#locks.request(LOCK, { ifAvailable: true }, (lock) => (lock ? work() : this.#tryAgainLater(null)));
    } catch {
      await work(); // no locks here, as in a page of no origin: better twice than never
    }
  }

  /** @param {number | null} toldMs */
  #tryAgainLater(toldMs) {
    const ownMs = Math.min(FIRST_WAIT_MS * 2 ** this.#failures, LONGEST_WAIT_MS);
    this.#failures += 1;
    const waitMs = toldMs === null ? ownMs : Math.min(Math.max(toldMs, SHORTEST_TOLD_MS), LONGEST_TOLD_MS);
    this.#timer.clearTimeout(this.#appointment);
    this.#appointment = this.#timer.setTimeout(() => this.sendKept(), waitMs);
  }
}
