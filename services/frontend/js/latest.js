// Latest only: sends at most one request at a time while the input changes. Then it sends the newest waiting request, and drops
// the others. It retries failures that may pass.

/** @import { Asked, Outcome, Shared } from "./requests.js" */

/**
 * @template Question
 * @template Answer
 */
export class LatestOnly {
  #ask;
  #show;
  #fail;
  #sequence;
  #retry;

  /** The next question. @type {Asked<Question> | null} */
  #waiting = null;
  #isAsking = false;

  /** Grows with each forget(), which drops the answers to older questions. */
  #generation = 0;

  /**
   * @param {(question: Question) => Promise<Outcome<Answer>>} ask
   * @param {(answer: Answer, asked: Asked<Question>) => void} show
   * @param {(error: string) => void} fail
   * @param {Shared} shared
   */
  constructor(ask, show, fail, { sequence, retry }) {
    this.#ask = ask;
    this.#show = show;
    this.#fail = fail;
    this.#sequence = sequence;
    this.#retry = retry;
  }

  /** @param {Question} question @param {number} [number] of its input, if another one is on the canvas */
  ask(question, number = this.#sequence.number) {
    this.#waiting = { question, number };
    if (!this.#isAsking) this.#run();
  }

  /** Drop all questions and their answers. */
  forget() {
    this.#waiting = null;
    this.#generation += 1;
  }

  async #run() {
    this.#isAsking = true;
    while (this.#waiting !== null) {
      let asked = this.#waiting;
      let generation = this.#generation;
      const isWanted = () => this.#waiting !== null || generation === this.#generation;
      const outcome = await this.#retry.ask(
        () => {
          if (this.#waiting !== null) [asked, generation] = [this.#waiting, this.#generation];
          this.#waiting = null;
          return this.#ask(asked.question);
        },
        isWanted,
        (error) => generation === this.#generation && this.#fail(error),
      );
      if (generation !== this.#generation) continue;
      if ("error" in outcome) this.#fail(outcome.error);
      else if (this.#sequence.accept(asked.number)) this.#show(outcome.answer, asked);
    }
    this.#isAsking = false;
  }
}
