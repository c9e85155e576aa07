// The training session: the training steps of this page's copy of the network. The server keeps no copy: each request repeats all
// steps, and gradient descent from the same weights has the same result.

/** @import { Input, TrainingDisplay } from "./page.js" */
/** @import { Outcome, Shared, TrainingRequest, TrainingStep } from "./requests.js" */
/** @import { TrainingResult } from "./results.js" */

/** The limit of the API. */
export const MAX_TRAINING_STEPS = 50;

export class TrainingSession {
  #request;
  #view;
  #sequence;
  #retry;

  /** @type {TrainingStep[]} */
  #steps = [];

  /** Grows with each forget(), which drops running requests. */
  #generation = 0;
  #isBusy = false;

  /**
   * @param {(request: TrainingRequest) => Promise<Outcome<TrainingResult>>} request
   * @param {TrainingDisplay} view
   * @param {Shared} shared
   */
  constructor(request, view, { sequence, retry }) {
    this.#request = request;
    this.#view = view;
    this.#sequence = sequence;
    this.#retry = retry;
  }

  /** @param {Pick<Input, "isEmpty" | "request">} input @param {TrainingStep} step @param {number} times */
  async train(input, step, times) {
    if (this.#isBusy) return;
    if (input.isEmpty) return this.#view.showMessage("Draw something first.");
    const steps = [...this.#steps, ...Array(times).fill(step)].slice(0, MAX_TRAINING_STEPS);
    if (steps.length === this.#steps.length) {
      return this.#view.showMessage(`The limit is ${MAX_TRAINING_STEPS} steps for a drawing. Press Forget to start again.`);
    }
    const [body, number] = [{ ...input.request(), lessons: steps }, this.#sequence.number];
    const generation = this.#generation;
    const isWanted = () => generation === this.#generation;
    this.#setBusy(true);
    const outcome = await this.#retry.ask(() => this.#request(body), isWanted, (error) => this.#view.showMessage(error));
    if (!isWanted()) return;
    this.#setBusy(false);
    if ("error" in outcome) return this.#view.showMessage(outcome.error);
    this.#sequence.accept(number);
    this.#steps = steps;
    this.#view.showResult(outcome.answer);
  }

  /** Start again from the served model. */
  forget() {
    this.#steps = [];
    this.#generation += 1;
    this.#setBusy(false);
    this.#view.reset();
  }

  /** @param {boolean} isBusy */
  #setBusy(isBusy) {
    this.#isBusy = isBusy;
    this.#view.setBusy(isBusy);
  }
}
