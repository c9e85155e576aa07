// The prediction session: one drawing, at most one question that still matters. Answers can arrive late; this file
// makes sure that only the answer to the latest question is shown, and none after Clear.

import { buildPredictionRequest } from "./prediction-request.js";

/** @typedef {import("./strokes.js").Stroke} Stroke */
/** @typedef {import("./api.js").Outcome} Outcome */
/** @typedef {import("./prediction.js").Prediction} Prediction */
/** @typedef {import("./prediction-request.js").PredictionRequest} PredictionRequest */

/**
 * Asks whether an answer was right; FeedbackSession is the real one.
 * @typedef {object} Feedback
 * @property {(prediction: Prediction) => void} ask
 * @property {() => void} forget
 */

/**
 * Where results go; result-view.js is the real one.
 * @typedef {object} View
 * @property {(busy: boolean) => void} setBusy
 * @property {() => void} reset removes result, error, bars and input picture
 * @property {(text: string) => void} showHint a friendly word, not an error
 * @property {(prediction: Prediction) => void} showPrediction
 * @property {(message: string) => void} showError
 */

export class PredictionSession {
  #request;
  #view;
  #feedback;

  /** Controls the question that matters now; null when there is none. @type {AbortController | null} */
  #current = null;

  /**
   * @param {(request: PredictionRequest, signal: AbortSignal) => Promise<Outcome>} request never rejects
   * @param {View} view
   * @param {Feedback} feedback
   */
  constructor(request, view, feedback) {
    this.#request = request;
    this.#view = view;
    this.#feedback = feedback;
  }

  /** @param {readonly Stroke[]} strokes */
  async predict(strokes) {
    this.#dropCurrent();
    if (strokes.length === 0) {
      this.#view.reset();
      this.#view.showHint("Draw a digit first.");
      return;
    }

    const question = new AbortController();
    this.#current = question;
    this.#view.setBusy(true);
    const outcome = await this.#request(buildPredictionRequest(strokes), question.signal);

    // Aborting is a request to stop, not a promise: an answer already on its way still arrives here.
    if (this.#current !== question) return;
    this.#dropCurrent();
    if ("error" in outcome) {
      this.#view.showError(outcome.error);
      return;
    }
    this.#view.showPrediction(outcome.prediction);
    this.#feedback.ask(outcome.prediction);
  }

  clear() {
    this.#dropCurrent();
    this.#view.reset();
  }

  #dropCurrent() {
    this.#current?.abort();
    this.#current = null;
    this.#view.setBusy(false);
    this.#feedback.forget();
  }
}
