// The feedback session: asks about the answer that is shown, and sends what the person says. One answer, one feedback at
// a time; once the drawing or the answer is another, nothing of the old one is shown any more.

import { buildFeedbackRequest, choiceOf } from "./feedback-request.js";

/** @import { FeedbackRequest } from "./feedback-request.js" */
/** @import { Prediction } from "./prediction.js" */

/** @typedef {"on the device" | "on the page"} Place where it waits: on the device it outlives the page */
/** @typedef {{received: true} | {error: string}} LaterOutcome what became of feedback that was kept */
/** @typedef {LaterOutcome | {kept: Place}} FeedbackOutcome */

/**
 * What the person sees; feedback-view.js is the real one.
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

  /** What is asked about; null when there is nothing to ask. @type {Prediction | null} */
  #prediction = null;

  #isSending = false;

  /** The id of this answer's prediction, once feedback to it is kept and waits to be sent. @type {string | null} */
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

  /** There is nothing to ask about any more. What is on its way goes on, unseen: it was meant when it was sent. */
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
   * What was kept has been sent, or refused for good. That is news only beside the answer that it was about.
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
