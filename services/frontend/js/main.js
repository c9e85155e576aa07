// The page: finds its elements and connects the parts. Every decision is made in the modules.

import { requestPrediction, sendFeedback } from "./api.js";
import { DrawingBoard } from "./drawing-board.js";
import { element } from "./element.js";
import { FeedbackOutbox } from "./feedback-outbox.js";
import { FeedbackSession } from "./feedback-session.js";
import { FeedbackView } from "./feedback-view.js";
import { connectInside } from "./inside.js";
import { listenToKeyboard } from "./keyboard-input.js";
import { KeptFeedback } from "./kept-feedback.js";
import { KeyboardPen } from "./keyboard-pen.js";
import { listenToPointer } from "./pointer-input.js";
import { PredictionSession } from "./prediction-session.js";
import { ResultView } from "./result-view.js";
import { Retry } from "./retry.js";
import { Sequence } from "./sequence.js";
import { StrokeRecorder } from "./strokes.js";

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
  panel: element("panel"),
  probabilities: element("probabilities"),
  networkInput: element("network-input"),
  modelVersion: element("model-version"),
});
const fetch = window.fetch.bind(window);
const shared = { sequence: new Sequence(), retry: new Retry(window) };
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
const outbox = new FeedbackOutbox((request) => sendFeedback(request, { fetch }), {
  kept: new KeptFeedback(() => window.localStorage, Date.now),
  timer: window,
  locks: navigator.locks,
  onSettled: (predictionId, outcome) => feedback.settle(predictionId, outcome),
});
const feedback = new FeedbackSession((request) => outbox.send(request), feedbackView);
const session = new PredictionSession((request, signal) => requestPrediction(request, { fetch, signal }), view, feedback, shared);

const inside = connectInside(recorder, {
  fetch,
  shared,
  onReading: (explanation, isCurrent) => view.showReading(explanation, isCurrent),
  onFailure: () => view.dim(),
});

function predict() {
  session.predict(recorder.strokes);
}

function clear() {
  liftKeyboardPen();
  recorder.clear();
  drawingChanged();
}

/** The drawing has changed, or a pen was lifted: an unchanged drawing keeps its answer. */
function drawingChanged() {
  board.redraw();
  const isAnother = shared.sequence.update(recorder.strokes);
  if (recorder.isEmpty) {
    session.clear();
    inside.clear();
  } else if (isAnother) {
    session.withdraw();
    if (inside.isOpen) inside.watch();
    else view.reset(); // nothing follows the pen
  }
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
  onChange: drawingChanged,
});
listenToKeyboard(canvas, pen, recorder, {
  onChange() {
    showKeyboardPen();
    if (pen.isDown) drawingChanged(); // else only the pen has moved
  },
  onPredict: predict,
  onClear: clear,
});
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

window.addEventListener("online", () => {
  shared.retry.wake();
  outbox.sendKept();
});
outbox.sendKept();
