// The page: finds its elements and connects the modules.

import { requestPrediction, requestVersion, sendFeedback } from "./api.js";
import { DrawingBoard } from "./drawing-board.js";
import { DrawingInput } from "./drawing-input.js";
import { DrawingTools } from "./drawing-tools.js";
import { element } from "./element.js";
import { FeedbackSession } from "./feedback-session.js";
import { FeedbackView } from "./feedback-view.js";
import { connectImages } from "./images.js";
import { connectInside } from "./inside.js";
import { KeptDrawing } from "./kept-drawing.js";
import { KeptFeedback } from "./kept-feedback.js";
import { listenToHistoryKeys, listenToKeyboard } from "./keyboard-input.js";
import { KeyboardPen } from "./keyboard-pen.js";
import { NumberLayers } from "./number-layers.js";
import { NumberView } from "./number-view.js";
import { listenToPointer } from "./pointer-input.js";
import { PredictionSession } from "./prediction-session.js";
import { ResultView } from "./result-view.js";
import { RetryQueue } from "./retry-queue.js";
import { Retry } from "./retry.js";
import { Sequence } from "./sequence.js";
import { StrokeRecorder } from "./strokes.js";
import { dockUnit } from "./unit-dock.js";
import { WideCanvas } from "./wide-canvas.js";

/** @import { Box } from "./crop-box.js" */
/** @import { Input } from "./page.js" */
/** @import { Explanation, NumberDigit, NumberPrediction } from "./results.js" */

/** @type {HTMLCanvasElement} */
const canvas = element("doodle-canvas");
const predictButton = element("predict-btn");
const penStatus = element("pen-status");

const recorder = new StrokeRecorder();
const pen = new KeyboardPen();
const wide = new WideCanvas(element("wide-btn"), () => window.localStorage, () => widthChanged());
const drawing = new DrawingInput(recorder, () => wide.width);
const images = connectImages({
  onOpen: imageOpened,
  onChange: inputChanged,
  onPredict: () => predict(),
  onError: (error) => view.showError(error),
  say: (text) => (penStatus.textContent = text),
});
const whole = () => images.input ?? drawing;
/** The selected digit of a number. @type {Input | null} */
let part = null;
const input = () => part ?? whole();
const board = new DrawingBoard(canvas, whole, {
  cursor: element("pen-cursor"),
  placeholder: element("placeholder"),
});
const place = (/** @type {Box} */ box) => board.shareOf(whole().place(box, board.size));
const layers = new NumberLayers(
  {
    layer: element("work"),
    words: element("number-work"),
    pieces: element("pieces-btn"),
    cuts: element("cuts-btn"),
    path: element("path-btn"),
  },
  place,
);
const numbers = new NumberView(
  { section: element("number"), digits: element("number-digits"), hint: element("number-hint"), marks: element("marks") },
  { onSelect: selectDigit, onChange: (number) => layers.show(number), place },
);
const fetch = window.fetch.bind(window);
const shared = { sequence: new Sequence(), retry: new Retry(window) };
const inside = connectInside(input, { fetch, shared, onPrediction: showPreview, onFailure: () => view.dim() });
dockUnit(element("unit"), element("layers"), element("unit-close"));
/** Whether the page has an answer to Predict that is a number. */
let isNumber = false;
const view = new ResultView(
  {
    predictButton,
    result: element("result"),
    confidence: element("confidence"),
    bestGuess: element("best-guess"),
    error: element("error"),
    panel: element("panel"),
    probabilities: element("probabilities"),
    networkInput: element("network-input"),
    modelVersion: element("model-version"),
  },
  {
    onNoDigit() {
      if (part === null && !numbers.isShown) images.proposeCrop();
    },
    onNumber: showNumber,
  },
);
const tools = new DrawingTools(
  {
    canvas,
    undo: element("undo-stroke-btn"),
    redo: element("redo-stroke-btn"),
    eraser: element("eraser-btn"),
    download: element("download-btn"),
  },
  recorder,
  { onUndo: () => undo(), onRedo: () => redo(), toPng: () => board.toPng() },
);
const keptDrawing = new KeptDrawing(() => window.sessionStorage);
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
const retryQueue = new RetryQueue((request) => sendFeedback(request, { fetch }), {
  kept: new KeptFeedback(() => window.localStorage, Date.now),
  timer: window,
  locks: navigator.locks,
  onSettled: (predictionId, outcome) => feedback.settle(predictionId, outcome),
});
const feedback = new FeedbackSession((request) => retryQueue.send(request), feedbackView);
const session = new PredictionSession((request, signal) => requestPrediction(request, { fetch, signal }), view, feedback, shared);

function predict() {
  session.predict(whole());
}

/** Show the number of an answer. Without one, a preview stays. @param {NumberPrediction | null} number */
function showNumber(number) {
  isNumber = number !== null;
  if (part !== null) selectDigit(null);
  if (number !== null) numbers.show(number);
  else if (!inside.isOpen || whole().isEmpty) numbers.hide();
  else numbers.deselect();
}

/** Let the panel and the number follow the pen. @param {Explanation} explanation @param {boolean} isCurrent */
function showPreview(explanation, isCurrent) {
  if (part === null && !isNumber) {
    if (explanation.number !== null) numbers.show(explanation.number);
    else if (isCurrent) numbers.hide();
  }
  view.showProbabilities(explanation, isCurrent);
}

/** Show one digit in the panels, and ask about it if it is in the log. @param {NumberDigit | null} digit null for the whole drawing */
function selectDigit(digit) {
  part = digit && whole().part(digit.box);
  shared.sequence.update(input().version);
  if (digit !== null && isNumber && digit.predictionId !== null) feedback.ask({ ...digit, predictionId: digit.predictionId });
  else feedback.forget();
  if (inside.isOpen) inside.watch();
  else if (digit !== null) view.showDigit(digit);
}

/** Update the page after any change of the drawing, which also removes an image. */
function drawingChanged() {
  images.remove();
  inputChanged();
}

/** Replace the drawing by an image. Undo restores it. */
function imageOpened() {
  liftKeyboardPen();
  recorder.clear();
  gestureEnded();
  session.clear();
  inside.clear();
  inputChanged();
  penStatus.textContent = "An image is on the canvas";
}

function inputChanged() {
  part = null;
  wide.fit(recorder.strokes);
  board.redraw();
  const isAnother = shared.sequence.update(input().version);
  if (input().isEmpty) {
    session.clear();
    inside.clear();
  } else if (isAnother) {
    session.withdraw();
    if (inside.isOpen) inside.watch();
    else view.reset(); // no explanation will update the panel
  }
}

/** The strokes keep their place. */
function widthChanged() {
  pen.fit(wide.width);
  board.redraw();
  numbers.place();
  layers.place();
}

/** Update Undo and keep the drawing after each gesture. */
function gestureEnded() {
  tools.show();
  keptDrawing.write(recorder.strokes);
}

/** @param {() => boolean} change by a button or a key; returns whether the drawing changed */
function changeDrawing(change) {
  liftKeyboardPen();
  if (!change()) return;
  drawingChanged();
  gestureEnded();
  const count = recorder.strokes.length;
  penStatus.textContent = count === 0 ? "The canvas is empty" : `${count} ${count === 1 ? "stroke" : "strokes"} on the canvas`;
}

const undo = () => changeDrawing(() => recorder.undo());
const redo = () => changeDrawing(() => recorder.redo());
const clear = () => changeDrawing(() => recorder.clear() || true); // true, to remove the hint of an empty canvas

function showKeyboardPen() {
  board.showCursor(pen.position, pen.isDown);
  const status = pen.isDown ? "Pen down" : "Pen up";
  // Announce it once, not with every step.
  if (penStatus.textContent !== status) penStatus.textContent = status;
  board.redraw();
}

function liftKeyboardPen() {
  if (!pen.isDown) return;
  pen.lift();
  recorder.end();
  gestureEnded();
  if (document.activeElement === canvas) showKeyboardPen();
}

listenToPointer(canvas, recorder, {
  isErasing: () => tools.isErasing,
  onStart() {
    liftKeyboardPen();
    board.hideCursor();
  },
  onChange: drawingChanged,
  onEnd: gestureEnded,
});
listenToKeyboard(canvas, pen, recorder, {
  onChange() {
    showKeyboardPen();
    if (pen.isDown) drawingChanged();
    else gestureEnded();
  },
  onPredict: predict,
  onRemoveLast: () => changeDrawing(() => recorder.removeLast()),
  onClear: clear,
});
listenToHistoryKeys({ onUndo: undo, onRedo: redo });
canvas.addEventListener("focus", () => {
  // A finger needs no cursor.
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
  retryQueue.sendKept();
});
retryQueue.sendKept();

pen.fit(wide.width);
recorder.restore(keptDrawing.read());
if (!recorder.isEmpty) drawingChanged();
for (const event of window.takeEarlyInk?.() ?? []) canvas.dispatchEvent(new PointerEvent(event.type, event));
gestureEnded();
window.addEventListener("pagehide", () => keptDrawing.write(recorder.strokes)); // also an unfinished stroke

requestVersion({ fetch }).then((outcome) => {
  if ("answer" in outcome) element("doodle-version").textContent = `Doodle ${outcome.answer}`;
});
