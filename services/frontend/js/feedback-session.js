// The feedback session: asks about the shown answer, and sends the feedback, one at a time. A new drawing or answer removes all that
// belongs to the old one.

import { buildFeedbackRequest, choiceOf } from "./feedback-request.js";

/** @import { FeedbackRequest } from "./feedback-request.js" */
/** @import { Prediction } from "./prediction.js" */

/** @typedef {"on the device" | "on the page"} Place where it waits: on the device it outlives the page */
/** @typedef {{received: true} | {error: string}} LaterOutcome the outcome of kept feedback */
/** @typedef {LaterOutcome | {kept: Place}} FeedbackOutcome */

/**
 * The display; feedback-view.js is the real one.
 * @typedef {object} FeedbackDisplay
 * @property {(choice: string) => void} ask shows the question, with this choice made
 * @property {() => void} hide
 * @property {(busy: boolean) => void} setBusy
 * @property {() => void} thank
 * @property {(place: Place) => void} showKept
 * @property {(message: string) => void} showError the question stays if it is there, to try again
 */

export class FeedbackSession {
  #send;
  #display;

  /** The prediction in question. @type {Prediction | null} */
  #prediction = null;

  #isSending = false;

  /** The id of the shown prediction, if its feedback waits to be sent. @type {string | null} */
  #keptId = null;

  /**
   * @param {(request: FeedbackRequest) => Promise<FeedbackOutcome>} send never rejects
   * @param {FeedbackDisplay} display
   */
  constructor(send, display) {
    this.#send = send;
    this.#display = display;
  }

  /** @param {Prediction} prediction the answer that is on the page now */
  ask(prediction) {
    this.forget();
    this.#prediction = prediction;
    this.#display.ask(choiceOf(prediction));
  }

  /** Withdraw the question. Feedback on its way still arrives, unseen. */
  forget() {
    this.#prediction = null;
    this.#isSending = false;
    this.#keptId = null;
    this.#display.setBusy(false);
    this.#display.hide();
  }

  /** @param {string} choice */
  async send(choice) {
    const prediction = this.#prediction;
    if (prediction === null || this.#isSending) return;
    this.#isSending = true;
    this.#display.setBusy(true);
    const outcome = await this.#send(buildFeedbackRequest(prediction.predictionId, choice));

    if (this.#prediction !== prediction) return;
    this.#isSending = false;
    this.#display.setBusy(false);
    if ("error" in outcome) {
      this.#display.showError(outcome.error);
      return;
    }
    this.#prediction = null;
    if ("kept" in outcome) {
      this.#keptId = prediction.predictionId;
      this.#display.showKept(outcome.kept);
      return;
    }
    this.#display.thank();
  }

  /**
   * Show the outcome of kept feedback, as long as its prediction is on the page.
   * @param {string} predictionId
   * @param {LaterOutcome} outcome
   */
  settle(predictionId, outcome) {
    if (predictionId !== this.#keptId) return;
    this.#keptId = null;
    if ("error" in outcome) this.#display.showError(outcome.error);
    else this.#display.thank();
  }
}
