// Latest only: asks again and again while the drawing changes, with at most one question on its way. Then it asks the newest of the
// waiting questions, and drops the others. Failures that may pass are retried.

/** @import { Outcome } from "./api.js" */
/** @import { Retry } from "./retry.js" */
/** @import { Sequence } from "./sequence.js" */

/** @typedef {{sequence: Sequence, retry: Retry}} Shared by all requests of the page */

/**
 * @template Question
 * @typedef {{question: Question, number: number}} Asked a question, and the number of its drawing
 */

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

  /** Asked as soon as the one on its way is answered. @type {Asked<Question> | null} */
  #waiting = null;
  #isAsking = false;

  /** Grows with each forget(): an answer to a question from before that is dropped. */
  #generation = 0;

  /**
   * @param {(question: Question) => Promise<Outcome<Answer>>} ask never rejects
   * @param {(answer: Answer, asked: Asked<Question>) => void} show
   * @param {(error: string) => void} fail the last answer stays where it is
   * @param {Shared} shared
   */
  constructor(ask, show, fail, { sequence, retry }) {
    this.#ask = ask;
    this.#show = show;
    this.#fail = fail;
    this.#sequence = sequence;
    this.#retry = retry;
  }

  /** @param {Question} question @param {number} [number] of its drawing, if that is no longer on the canvas */
  ask(question, number = this.#sequence.number) {
    this.#waiting = { question, number };
    if (!this.#isAsking) this.#run();
  }

  /** Drops all questions so far, and their answers. */
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
