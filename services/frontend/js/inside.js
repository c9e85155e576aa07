// Inside the network: finds its elements and connects its parts. What is drawn is read along, by a copy that may have been changed;
// a pupil is taught; and the moments of the model's training are shown.

import { requestExplanation, requestLearning, requestSnapshotReadings, requestSnapshots, requestUnit } from "./api.js";
import { Changes } from "./changes.js";
import { element } from "./element.js";
import { InsideView } from "./inside-view.js";
import { LatestOnly } from "./latest.js";
import { LessonSession } from "./lesson-session.js";
import { LessonView } from "./lesson-view.js";
import { buildPredictionRequest } from "./prediction-request.js";
import { TimelineView } from "./timeline-view.js";
import { UnitView } from "./unit-view.js";

/** @typedef {import("./explanation.js").Explanation} Explanation */
/** @typedef {import("./prediction-request.js").PredictionRequest} PredictionRequest */

const WAIT_AFTER_ERROR_MS = 1000; // a pen moves sixty times a second: a service that is away is not asked as often

/**
 * @param {import("./strokes.js").StrokeRecorder} recorder
 * @param {{fetch: typeof fetch, onReading: (explanation: Explanation) => void}} connections
 * @returns {{watch: () => void, clear: () => void}} to be called when something was drawn, and when nothing is there any more
 */
export function connectInside(recorder, { fetch, onReading }) {
  /** @type {HTMLDetailsElement} */
  const inside = element("inside");
  /** @type {HTMLDetailsElement} */
  const timeline = element("timeline");
  const checkButton = element("check-btn");
  const changes = new Changes();

  /** The last one shown, while it is of what is drawn now. @type {Explanation | null} */
  let shown = null;

  const view = new InsideView(
    {
      status: element("inside-status"),
      body: element("inside-body"),
      saliency: canvas("saliency"),
      question: element("rival-question"),
      rival: /** @type {HTMLSelectElement} */ (element("rival")),
      evidence: element("evidence"),
      check: element("occlusion-check"),
      occlusion: canvas("occlusion"),
      layers: element("layers"),
      softmax: element("softmax"),
      softmaxHow: element("softmax-how"),
    },
    (spot, isKept) => unitView.look(spot, isKept),
  );

  const unitView = new UnitView(
    {
      panel: element("unit"),
      title: element("unit-title"),
      field: canvas("unit-field"),
      inputs: canvas("unit-inputs"),
      weights: canvas("unit-weights"),
      products: canvas("unit-products"),
      summed: [element("unit-weights-figure"), element("unit-products-figure"), element("unit-controls")],
      arithmetic: element("unit-arithmetic"),
      off: element("unit-off"),
      which: input("unit-which"),
      value: input("unit-value"),
      close: element("unit-close"),
      changes: element("changes"),
      undo: element("undo-btn"),
    },
    changes,
    {
      onSpot(spot) {
        view.mark(spot);
        askForUnit();
      },
      onChange: read,
    },
  );

  /** What the network is asked about: the drawing, and what is different in the copy that reads it. */
  const question = () => ({ ...buildPredictionRequest(recorder.strokes), changes: changes.list });

  /** @typedef {ReturnType<typeof question>} Question */
  /** @type {LatestOnly<Question, Awaited<ReturnType<typeof requestExplanation>>>} */
  const watching = new LatestOnly(async (asked) => {
    const outcome = await requestExplanation(asked, { fetch });
    if ("error" in outcome) await new Promise((resolve) => setTimeout(resolve, WAIT_AFTER_ERROR_MS));
    return outcome;
  }, showExplanation);
  /** What the gradients say, checked without them. @type {typeof watching} */
  const checking = new LatestOnly(async (asked) => {
    checkButton.setAttribute("aria-busy", "true");
    const outcome = await requestExplanation(asked, { fetch }, { occlusion: true });
    checkButton.setAttribute("aria-busy", "false");
    return outcome;
  }, showExplanation);

  /** @param {Awaited<ReturnType<typeof requestExplanation>>} outcome */
  function showExplanation(outcome) {
    if ("error" in outcome) return view.showProblem(outcome.error);
    shown = outcome.explanation;
    onReading(shown);
    view.show(shown, changes.list.length > 0);
    lessonView.suggest(shown.digit);
    askForUnit();
    if (timeline.open && timelineView.modelVersion !== shown.modelVersion) askForTimeline();
  }

  const units = new LatestOnly(
    async (/** @type {Question & import("./unit.js").Spot} */ asked) => ({ asked, outcome: await requestUnit(asked, { fetch }) }),
    ({ asked, outcome }) => {
      if (shown === null) return;
      if ("error" in outcome) unitView.showProblem(outcome.error);
      else unitView.show(asked, shown.layers[asked.layer].name, outcome.unit, shown.input);
    },
  );

  function askForUnit() {
    if (unitView.spot === null || recorder.isEmpty) units.forget();
    else units.ask({ ...question(), ...unitView.spot });
  }

  const lessonButtons = /** @type {HTMLButtonElement[]} */ (["step-btn", "ten-steps-btn", "forget-btn"].map((id) => element(id)));
  const lessonView = new LessonView({
    label: /** @type {HTMLSelectElement} */ (element("lesson-label")),
    rate: input("lesson-rate"),
    rateValue: element("lesson-rate-value"),
    buttons: lessonButtons,
    status: element("lesson-status"),
    results: element("lesson-results"),
    curve: /** @type {SVGPolylineElement} */ (/** @type {unknown} */ (element("lesson-curve"))),
    layers: element("lesson-layers"),
    forgotten: element("forgotten"),
    known: element("known-digits"),
  });
  const lessons = new LessonSession((request) => requestLearning(request, { fetch }), lessonView);
  const teach = (/** @type {number} */ times) => lessons.teach(recorder.strokes, lessonView.lesson, times);

  const timelineView = new TimelineView({
    status: element("timeline-status"),
    body: element("timeline-body"),
    slider: input("moment"),
    play: element("play-btn"),
    moment: element("moment-words"),
    reading: element("moment-reading"),
    readings: element("moment-readings"),
    trainCurve: /** @type {SVGPolylineElement} */ (/** @type {unknown} */ (element("train-curve"))),
    validationCurve: /** @type {SVGPolylineElement} */ (/** @type {unknown} */ (element("validation-curve"))),
    marker: /** @type {SVGLineElement} */ (/** @type {unknown} */ (element("moment-marker"))),
    measured: element("moment-measured"),
    filters: canvas("moment-filters"),
    layers: element("moment-layers"),
    map: /** @type {SVGElement} */ (/** @type {unknown} */ (element("map"))),
  });
  const looking = new LatestOnly(
    async () => requestSnapshots({ fetch }),
    (outcome) => {
      if ("error" in outcome) return timelineView.showProblem(outcome.error);
      if ("absent" in outcome) return timelineView.showProblem("Nobody kept how this model learnt: it was trained before Doodle did so.");
      timelineView.show(outcome.snapshots);
      askForReadings();
    },
  );
  /** @type {LatestOnly<PredictionRequest, Awaited<ReturnType<typeof requestSnapshotReadings>>>} */
  const remembering = new LatestOnly(
    async (asked) => requestSnapshotReadings(asked, { fetch }),
    (outcome) => {
      if ("error" in outcome) return timelineView.showProblem(outcome.error);
      timelineView.showReadings(outcome.readings);
    },
  );

  function askForTimeline() {
    looking.ask(undefined);
  }

  function askForReadings() {
    if (!timeline.open || timelineView.modelVersion === "") return;
    if (recorder.isEmpty) timelineView.showReadings(null);
    else remembering.ask(buildPredictionRequest(recorder.strokes));
  }

  /** What was asked about another drawing, or taught of it, is of no use any more. */
  function forgetDrawing() {
    shown = null;
    checking.forget();
    units.forget();
    lessons.forget();
  }

  /** By the network, or its changed copy. */
  function read() {
    if (inside.open && !recorder.isEmpty) watching.ask(question());
  }

  function watch() {
    forgetDrawing();
    read();
    askForReadings();
  }

  inside.addEventListener("toggle", watch);
  timeline.addEventListener("toggle", () => {
    if (timeline.open && timelineView.modelVersion === "") askForTimeline();
    else askForReadings();
  });
  checkButton.addEventListener("click", () => {
    if (checkButton.getAttribute("aria-busy") === "false") checking.ask(question());
  });
  lessonButtons[0].addEventListener("click", () => teach(1));
  lessonButtons[1].addEventListener("click", () => teach(10));
  lessonButtons[2].addEventListener("click", () => lessons.forget());

  return {
    watch,
    clear() {
      watching.forget();
      remembering.forget();
      forgetDrawing();
      unitView.release();
      view.reset();
      askForReadings();
    },
  };
}

/** @param {string} id @returns {HTMLCanvasElement} */
function canvas(id) {
  return element(id);
}

/** @param {string} id @returns {HTMLInputElement} */
function input(id) {
  return element(id);
}
