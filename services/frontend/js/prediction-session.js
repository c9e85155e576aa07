// The prediction session: one input, and at most one request for it. It shows an answer only while its input is on the canvas.

/** @import { Feedback } from "./feedback.js" */
/** @import { Input, PredictionDisplay } from "./page.js" */
/** @import { RequestPrediction, Shared } from "./requests.js" */

export class PredictionSession {
  #request;
  #view;
  #feedback;
  #sequence;
  #retry;

  /** Of the current request; null without one. @type {AbortController | null} */
  #current = null;

  /**
   * @param {RequestPrediction} request
   * @param {PredictionDisplay} view
   * @param {Feedback} feedback
   * @param {Shared} shared
   */
  constructor(request, view, feedback, { sequence, retry }) {
    this.#request = request;
    this.#view = view;
    this.#feedback = feedback;
    this.#sequence = sequence;
    this.#retry = retry;
  }

  /** @param {Pick<Input, "isEmpty" | "request">} input */
  async predict(input) {
    this.#dropCurrent();
    if (input.isEmpty) {
      this.#view.reset();
      this.#view.showHint("Draw a digit first.");
      return;
    }

    const question = new AbortController();
    this.#current = question;
    this.#view.setBusy(true);
    const [body, number] = [input.request(), this.#sequence.number];
    // An answer may still arrive after abort().
    const isWanted = () => this.#current === question;
    const ask = () => this.#request(body, question.signal);
    const outcome = await this.#retry.ask(ask, isWanted, (error) => this.#view.showError(error));
    if (!isWanted()) return;
    this.#current = null;
    this.#view.setBusy(false);
    if ("error" in outcome) {
      this.#view.showError(outcome.error);
      return;
    }
    this.#sequence.accept(number);
    if ("digits" in outcome.answer) {
      this.#view.showNumber(outcome.answer); // feedback is about a selected digit
      return;
    }
    this.#view.showPrediction(outcome.answer);
    this.#feedback.ask(outcome.answer);
  }

  /** Remove the answer after a change of the input, and the question about it. */
  withdraw() {
    this.#dropCurrent();
    this.#view.withdraw();
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
