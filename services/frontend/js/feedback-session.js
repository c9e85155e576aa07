// The feedback session: asks about the shown answer, and sends the feedback. A new input or answer ends the session of the old
// one.

import { buildFeedbackRequest, choiceOf } from "./feedback-request.js";

/** @import { FeedbackDisplay, FeedbackOutcome, FeedbackRequest, LaterOutcome } from "./feedback.js" */
/** @import { LoggedAnswer } from "./results.js" */

export class FeedbackSession {
  #send;
  #display;

  /** The prediction in question. @type {LoggedAnswer | null} */
  #prediction = null;

  #isSending = false;

  /** The id of the shown prediction, if its feedback is kept. @type {string | null} */
  #keptId = null;

  /**
   * @param {(request: FeedbackRequest) => Promise<FeedbackOutcome>} send never rejects
   * @param {FeedbackDisplay} display
   */
  constructor(send, display) {
    this.#send = send;
    this.#display = display;
  }

  /** @param {LoggedAnswer} prediction an answer on the page */
  ask(prediction) {
    this.forget();
    this.#prediction = prediction;
    this.#display.ask(choiceOf(prediction));
  }

  /** Withdraw the question. A running request continues, without a message. */
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
   * Show the outcome of kept feedback if its prediction is still on the page.
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
