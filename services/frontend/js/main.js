// The page: finds its elements and connects the parts. Every decision is made in the modules.

import { requestExplanation, requestLearning, requestPrediction, sendFeedback } from "./api.js";
import { DrawingBoard } from "./drawing-board.js";
import { FeedbackSession } from "./feedback-session.js";
import { FeedbackView } from "./feedback-view.js";
import { InsideView } from "./inside-view.js";
import { listenToKeyboard } from "./keyboard-input.js";
import { KeyboardPen } from "./keyboard-pen.js";
import { LatestOnly } from "./latest.js";
import { LessonSession } from "./lesson-session.js";
import { LessonView } from "./lesson-view.js";
import { listenToPointer } from "./pointer-input.js";
import { buildPredictionRequest } from "./prediction-request.js";
import { PredictionSession } from "./prediction-session.js";
import { ResultView } from "./result-view.js";
import { StrokeRecorder } from "./strokes.js";

/**
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {string} id
 */
function element(id) {
  return /** @type {Kind} */ (document.getElementById(id));
}

/** @type {HTMLCanvasElement} */
const canvas = element("doodle-canvas");
const predictButton = element("predict-btn");
const penStatus = element("pen-status");

const recorder = new StrokeRecorder();
const pen = new KeyboardPen();
const board = new DrawingBoard(canvas, recorder, {
  cursor: element("pen-cursor"),
  placeholder: element("placeholder"),
});
const view = new ResultView({
  predictButton,
  result: element("result"),
  confidence: element("confidence"),
  bestGuess: element("best-guess"),
  error: element("error"),
  probabilities: element("probabilities"),
  networkInput: element("network-input"),
  modelVersion: element("model-version"),
});
const fetch = window.fetch.bind(window);
/** @type {HTMLButtonElement} */
const feedbackButton = element("feedback-btn");
const feedbackView = new FeedbackView({
  section: element("feedback-section"),
  form: element("feedback-form"),
  choices: element("feedback-choices"),
  actualDigit: element("actual-digit"),
  sendButton: feedbackButton,
  status: element("feedback-status"),
});
const feedback = new FeedbackSession((request) => sendFeedback(request, { fetch }), feedbackView);
const session = new PredictionSession((request, signal) => requestPrediction(request, { fetch, signal }), view, feedback);

/** @type {HTMLDetailsElement} */
const inside = element("inside");
/** @type {HTMLCanvasElement} */
const saliency = element("saliency");
/** @type {HTMLSelectElement} */
const rival = element("rival");
/** @type {HTMLCanvasElement} */
const occlusion = element("occlusion");
const checkButton = element("check-btn");
const insideView = new InsideView({
  status: element("inside-status"),
  body: element("inside-body"),
  saliency,
  question: element("rival-question"),
  rival,
  evidence: element("evidence"),
  check: element("occlusion-check"),
  occlusion,
  layers: element("layers"),
  softmax: element("softmax"),
  softmaxHow: element("softmax-how"),
});
const WAIT_AFTER_ERROR_MS = 1000; // a pen moves sixty times a second: a service that is away is not asked as often
const watching = new LatestOnly(
  async (/** @type {import("./prediction-request.js").PredictionRequest} */ request) => {
    const outcome = await requestExplanation(request, { fetch });
    if ("error" in outcome) await new Promise((resolve) => setTimeout(resolve, WAIT_AFTER_ERROR_MS));
    return outcome;
  },
  showExplanation,
);
/** What the gradients say, checked without them. */
const checking = new LatestOnly(async (/** @type {import("./prediction-request.js").PredictionRequest} */ request) => {
  checkButton.setAttribute("aria-busy", "true");
  const outcome = await requestExplanation(request, { fetch }, { occlusion: true });
  checkButton.setAttribute("aria-busy", "false");
  return outcome;
}, showExplanation);

/** @param {Awaited<ReturnType<typeof requestExplanation>>} outcome */
function showExplanation(outcome) {
  if ("error" in outcome) return insideView.showProblem(outcome.error);
  view.showReading(outcome.explanation);
  insideView.show(outcome.explanation);
  lessonView.suggest(outcome.explanation.digit);
}

/** @type {HTMLSelectElement} */
const lessonLabel = element("lesson-label");
/** @type {HTMLInputElement} */
const lessonRate = element("lesson-rate");
const lessonButtons = [element("step-btn"), element("ten-steps-btn"), element("forget-btn")];
const lessonView = new LessonView({
  label: lessonLabel,
  rate: lessonRate,
  rateValue: element("lesson-rate-value"),
  buttons: /** @type {HTMLButtonElement[]} */ (lessonButtons),
  status: element("lesson-status"),
  results: element("lesson-results"),
  curve: /** @type {SVGPolylineElement} */ (/** @type {unknown} */ (element("lesson-curve"))),
  layers: element("lesson-layers"),
});
const lessons = new LessonSession((request) => requestLearning(request, { fetch }), lessonView);
const teach = (/** @type {number} */ times) => lessons.teach(recorder.strokes, lessonView.lesson, times);

/** What was asked about another drawing, or taught of it, is of no use any more. */
function forgetDrawing() {
  checking.forget();
  lessons.forget();
}

/** Reads along while the pen moves, for those who look. */
function watch() {
  forgetDrawing();
  if (inside.open && !recorder.isEmpty) watching.ask(buildPredictionRequest(recorder.strokes));
}

function predict() {
  session.predict(recorder.strokes);
}

function clear() {
  liftKeyboardPen();
  recorder.clear();
  session.clear();
  watching.forget();
  forgetDrawing();
  insideView.reset();
  board.redraw();
}

function showKeyboardPen() {
  board.showCursor(pen.position, pen.isDown);
  const status = pen.isDown ? "Pen down" : "Pen up";
  // Said once, not with every step.
  if (penStatus.textContent !== status) penStatus.textContent = status;
  board.redraw();
}

function liftKeyboardPen() {
  if (!pen.isDown) return;
  pen.lift();
  recorder.end();
  if (document.activeElement === canvas) showKeyboardPen();
}

listenToPointer(canvas, recorder, {
  onStart() {
    liftKeyboardPen();
    board.hideCursor();
  },
  onChange() {
    board.redraw();
    watch();
  },
});
listenToKeyboard(canvas, pen, recorder, {
  onChange() {
    showKeyboardPen();
    watch();
  },
  onPredict: predict,
  onClear: clear,
});
inside.addEventListener("toggle", watch);
checkButton.addEventListener("click", () => {
  if (checkButton.getAttribute("aria-busy") === "false") checking.ask(buildPredictionRequest(recorder.strokes));
});
lessonButtons[0].addEventListener("click", () => teach(1));
lessonButtons[1].addEventListener("click", () => teach(10));
lessonButtons[2].addEventListener("click", () => lessons.forget());

canvas.addEventListener("focus", () => {
  // Only for those who came by keyboard: a finger needs no cursor.
  if (canvas.matches(":focus-visible")) showKeyboardPen();
});
canvas.addEventListener("blur", () => {
  liftKeyboardPen();
  board.hideCursor();
});

predictButton.addEventListener("click", predict);
element("clear-btn").addEventListener("click", clear);
feedbackButton.addEventListener("click", () => feedback.send(feedbackView.choice));
