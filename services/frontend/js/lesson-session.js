// The lesson session: what the pupil, a copy of the network that belongs to this page, was taught so far. The server keeps nothing of
// it. Each request repeats all lessons, and gradient descent from the same weights ends where it ended before.

import { buildPredictionRequest } from "./prediction-request.js";

/** @import { Failure } from "./api.js" */
/** @import { Shared } from "./latest.js" */
/** @import { Learnt } from "./learnt.js" */
/** @import { PredictionRequest } from "./prediction-request.js" */
/** @import { Stroke } from "./strokes.js" */

/** @typedef {{label: number | null, learning_rate: number}} Lesson */
/** @typedef {PredictionRequest & {lessons: Lesson[]}} LearnRequest */
/** @typedef {{learnt: Learnt} | Failure} LearnOutcome */

/** The API takes no more. */
export const MOST_LESSONS = 50;

/**
 * Where it goes; lesson-view.js is the real one.
 * @typedef {object} View
 * @property {(busy: boolean) => void} setBusy
 * @property {() => void} reset
 * @property {(text: string) => void} showWord
 * @property {(learnt: Learnt) => void} showLearnt
 */

export class LessonSession {
  #request;
  #view;
  #sequence;
  #retry;

  /** @type {Lesson[]} */
  #lessons = [];

  /** Grows with each forget(): lessons on another drawing are not this copy's. */
  #generation = 0;
  #isBusy = false;

  /**
   * @param {(request: LearnRequest) => Promise<LearnOutcome>} request never rejects
   * @param {View} view
   * @param {Shared} shared
   */
  constructor(request, view, { sequence, retry }) {
    this.#request = request;
    this.#view = view;
    this.#sequence = sequence;
    this.#retry = retry;
  }

  /** @param {readonly Stroke[]} strokes @param {Lesson} lesson @param {number} times */
  async teach(strokes, lesson, times) {
    if (this.#isBusy) return;
    if (strokes.length === 0) return this.#view.showWord("Draw something first.");
    const lessons = [...this.#lessons, ...Array(times).fill(lesson)].slice(0, MOST_LESSONS);
    if (lessons.length === this.#lessons.length) {
      return this.#view.showWord(`It had ${MOST_LESSONS} lessons, which is all that one drawing gets. Let it forget them to begin anew.`);
    }
    const [body, number] = [{ ...buildPredictionRequest(strokes), lessons }, this.#sequence.number];
    const generation = this.#generation;
    const isWanted = () => generation === this.#generation;
    this.#setBusy(true);
    const outcome = await this.#retry.ask(() => this.#request(body), isWanted, (error) => this.#view.showWord(error));
    if (!isWanted()) return;
    this.#setBusy(false);
    if ("error" in outcome) return this.#view.showWord(outcome.error);
    this.#sequence.accept(number);
    this.#lessons = lessons;
    this.#view.showLearnt(outcome.learnt);
  }

  /** The pupil is as the served model is, again. */
  forget() {
    this.#lessons = [];
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
