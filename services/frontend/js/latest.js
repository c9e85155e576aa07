// Latest only: asks again and again while something changes, with at most one question on its way. What changed in the meantime is
// asked next, and only the newest of it: whoever draws faster than answers come never queues anything.

/**
 * @template Question
 * @template Answer
 */
export class LatestOnly {
  #ask;
  #show;

  /** Asked as soon as the one on its way is answered. @type {{question: Question} | null} */
  #waiting = null;
  #isAsking = false;

  /** Grows with each forget(): an answer to a question from before that is shown to nobody. */
  #generation = 0;

  /**
   * @param {(question: Question) => Promise<Answer>} ask never rejects
   * @param {(answer: Answer) => void} show
   */
  constructor(ask, show) {
    this.#ask = ask;
    this.#show = show;
  }

  /** @param {Question} question */
  ask(question) {
    this.#waiting = { question };
    if (!this.#isAsking) this.#run();
  }

  /** Nothing that was asked so far matters any more. */
  forget() {
    this.#waiting = null;
    this.#generation += 1;
  }

  async #run() {
    this.#isAsking = true;
    while (this.#waiting !== null) {
      const { question } = this.#waiting;
      this.#waiting = null;
      const generation = this.#generation;
      const answer = await this.#ask(question);
      if (generation === this.#generation) this.#show(answer);
    }
    this.#isAsking = false;
  }
}
