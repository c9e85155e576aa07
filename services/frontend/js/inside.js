// Inside the network: finds its elements and connects its parts. While the pen moves, the served network, or an edited copy of
// it, explains the input.

import { requestExplanation, requestTraining, requestUnit } from "./api.js";
import { ChangesView } from "./changes-view.js";
import { Changes } from "./changes.js";
import { element } from "./element.js";
import { InsideView } from "./inside-view.js";
import { LatestOnly } from "./latest.js";
import { connectTimeline } from "./timeline.js";
import { TrainingSession } from "./training-session.js";
import { TrainingView } from "./training-view.js";
import { UnitView } from "./unit-view.js";

/** @import { Input, InsideConnections, InsidePanel } from "./page.js" */
/** @import { Asked, PredictionRequest, Question } from "./requests.js" */
/** @import { Explanation, Spot } from "./results.js" */

/** @param {() => Input} input returns the current one @param {InsideConnections} connections @returns {InsidePanel} */
export function connectInside(input, { fetch, shared, onPrediction, onFailure }) {
  /** @type {HTMLDetailsElement} */
  const inside = element("inside");
  const checkButton = element("check-btn");
  const changes = new Changes();
  const timeline = connectTimeline(input, { fetch, shared });

  /** The last answer shown. @type {Asked<Question> & {explanation: Explanation} | null} */
  let shown = null;

  const view = new InsideView(
    {
      status: element("inside-status"),
      body: element("inside-body"),
      why: element("why"),
      saliency: element("saliency"),
      question: element("rival-question"),
      rival: element("rival"),
      evidence: element("evidence"),
      check: element("occlusion-check"),
      occlusion: element("occlusion"),
      layers: element("layers"),
      softmax: element("softmax"),
      softmaxHow: element("softmax-how"),
    },
    (spot, isKept) => unitView.inspect(spot, isKept),
  );

  const unitView = new UnitView(
    {
      panel: element("unit"),
      title: element("unit-title"),
      field: element("unit-field"),
      inputs: element("unit-inputs"),
      weights: element("unit-weights"),
      products: element("unit-products"),
      summed: [element("unit-weights-figure"), element("unit-products-figure"), element("unit-controls")],
      arithmetic: element("unit-arithmetic"),
      off: element("unit-off"),
      which: element("unit-which"),
      value: element("unit-value"),
      close: element("unit-close"),
    },
    changes,
    {
      onSpot(spot) {
        view.mark(spot);
        askForUnit();
      },
      onChange: changeCopy,
    },
  );
  const changesView = new ChangesView(
    { bar: element("changes-bar"), words: element("changes"), undo: element("undo-btn") },
    changes,
    changeCopy,
  );

  /** @returns {Question} */
  const question = () => ({ ...input().request(), changes: changes.list });

  /** Explains with the copy, or with the served network if there are no edits. */
  const watching = new LatestOnly((/** @type {Question} */ asked) => requestExplanation(asked, { fetch }), showExplanation, fail, shared);
  /** Explains with the served network, while there are edits. */
  const serving = new LatestOnly(
    (/** @type {PredictionRequest} */ asked) => requestExplanation(asked, { fetch }),
    (explanation, { number }) => showServed(explanation, number),
    onFailure,
    shared,
  );
  /** Checks the gradients by occlusion. */
  const checking = new LatestOnly(
    async (/** @type {Question} */ asked) => {
      checkButton.setAttribute("aria-busy", "true");
      const outcome = await requestExplanation(asked, { fetch }, { occlusion: true });
      checkButton.setAttribute("aria-busy", "false");
      return outcome;
    },
    showExplanation,
    (error) => view.say(error),
    shared,
  );
  const units = new LatestOnly(
    (/** @type {Question & Spot} */ asked) => requestUnit(asked, { fetch }),
    (unit, { question: spot }) => {
      if (shown !== null) unitView.show(spot, shown.explanation.layers[spot.layer].name, unit, shown.explanation.input);
    },
    (error) => unitView.showProblem(error),
    shared,
  );

  /** @param {Explanation} explanation @param {Asked<Question>} asked */
  function showExplanation(explanation, { question, number }) {
    shown = { explanation, question, number };
    const isEdited = question.changes.length > 0;
    if (!isEdited) showServed(explanation, number);
    view.show(explanation, isEdited, number === shared.sequence.number);
    askForUnit();
  }

  /** @param {Explanation} explanation @param {number} number */
  function showServed(explanation, number) {
    onPrediction(explanation, number === shared.sequence.number);
    trainingView.suggest(explanation);
    timeline.follow(explanation.modelVersion);
  }

  /** @param {string} error */
  function fail(error) {
    view.showProblem(error);
    if (changes.list.length === 0) onFailure();
  }

  function askForUnit() {
    if (unitView.spot === null || shown === null) units.forget();
    else units.ask({ ...shown.question, ...unitView.spot }, shown.number);
  }

  const trainingButtons = ["step-btn", "ten-steps-btn", "forget-btn"].map((id) => /** @type {HTMLButtonElement} */ (element(id)));
  const trainingView = new TrainingView({
    label: element("lesson-label"),
    rate: element("lesson-rate"),
    rateValue: element("lesson-rate-value"),
    buttons: trainingButtons,
    status: element("lesson-status"),
    results: element("lesson-results"),
    before: element("lesson-before"),
    after: element("lesson-after"),
    curve: element("lesson-curve"),
    layers: element("lesson-layers"),
    forgotten: element("forgotten"),
    known: element("known-digits"),
  });
  const training = new TrainingSession((request) => requestTraining(request, { fetch }), trainingView, shared);
  const train = (/** @type {number} */ times) => training.train(input(), trainingView.step, times);

  function explain() {
    if (!inside.open || input().isEmpty) return;
    view.waitForAnswer();
    watching.ask(question());
    if (changes.list.length > 0) serving.ask(input().request());
  }

  /** Drop the answers of the old copy, and ask the new one. */
  function changeCopy() {
    changesView.show();
    for (const asking of [watching, serving, checking, units]) asking.forget();
    explain();
  }

  function watch() {
    checking.forget();
    training.forget();
    explain();
    timeline.watch();
  }

  inside.addEventListener("toggle", explain);
  checkButton.addEventListener("click", () => {
    if (checkButton.getAttribute("aria-busy") === "false") checking.ask(question());
  });
  trainingButtons[0].addEventListener("click", () => train(1));
  trainingButtons[1].addEventListener("click", () => train(10));
  trainingButtons[2].addEventListener("click", () => training.forget());

  return {
    get isOpen() {
      return inside.open;
    },
    watch,
    clear() {
      for (const asking of [watching, serving, checking, units]) asking.forget();
      training.forget();
      trainingView.forgetChoice();
      shown = null;
      unitView.release();
      view.reset();
      timeline.clear();
    },
  };
}
