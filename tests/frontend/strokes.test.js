import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { MAX_HISTORY, StrokeRecorder } from "../../services/frontend/js/strokes.js";

/** @type {StrokeRecorder} */
let recorder;

beforeEach(() => {
  recorder = new StrokeRecorder();
});

/** Draw a stroke through these points. */
function draw(...points) {
  recorder.begin(points[0]);
  for (const point of points.slice(1)) recorder.extend(point);
  recorder.end();
}

const [left, middle, right] = [40, 140, 240].map((x) => [[x, 50], [x, 230]]);

function drawBars() {
  for (const bar of [left, middle, right]) draw(...bar);
}

test("records the points between press and release", () => {
  assert.deepEqual([recorder.strokes, recorder.isEmpty, recorder.isDrawing], [[], true, false]);
  recorder.extend([9, 9]); // the pen is up
  recorder.begin([1, 1]);
  recorder.extend([2, 2]);
  recorder.extend([2, 2]);
  assert.deepEqual([recorder.strokes, recorder.isEmpty, recorder.isDrawing], [[[[1, 1], [2, 2]]], false, true]);
  recorder.end();
  recorder.extend([9, 9]);
  draw([10, 20]); // a dot
  assert.deepEqual(recorder.strokes, [[[1, 1], [2, 2]], [[10, 20]]]);
});

test("Clear or Undo during a stroke ignores its rest", () => {
  for (const stop of ["clear", "undo"]) {
    recorder.begin([1, 1]);
    recorder.extend([2, 2]);
    recorder[stop]();
    recorder.extend([3, 3]);
    recorder.end();
    assert.deepEqual([recorder.isEmpty, recorder.isDrawing], [true, false]);
  }
});

test("Undo removes strokes one by one, and Redo restores them until a new stroke", () => {
  drawBars();
  assert.equal(recorder.undo(), true);
  assert.deepEqual(recorder.strokes, [left, middle]);
  recorder.undo();
  recorder.undo();
  assert.deepEqual([recorder.isEmpty, recorder.canUndo, recorder.undo()], [true, false, false]);
  for (let i = 0; i < 3; i++) assert.equal(recorder.redo(), true);
  assert.deepEqual([recorder.strokes, recorder.canRedo, recorder.redo()], [[left, middle, right], false, false]);
  recorder.undo();
  draw([1, 1]);
  assert.equal(recorder.canRedo, false);
});

test("a canceled stroke leaves no ink and no history", () => {
  drawBars();
  recorder.undo();
  recorder.begin([1, 1]);
  assert.equal(recorder.cancel(), true);
  assert.deepEqual([recorder.strokes, recorder.isDrawing, recorder.canRedo], [[left, middle], false, true]);
  assert.equal(recorder.cancel(), false);
});

test("Clear and removeLast can be undone, and ignore an empty canvas", () => {
  recorder.end(); // a pen that is up
  assert.deepEqual([recorder.clear(), recorder.removeLast(), recorder.canUndo], [false, false, false]);
  drawBars();
  recorder.removeLast();
  assert.deepEqual(recorder.strokes, [left, middle]);
  recorder.clear();
  assert.equal(recorder.isEmpty, true);
  recorder.undo();
  assert.deepEqual(recorder.strokes, [left, middle]);
  recorder.undo();
  assert.deepEqual(recorder.strokes, [left, middle, right]);
});

test("the eraser removes whole strokes in one step", () => {
  drawBars();
  assert.equal(recorder.beginErasing([90, 140]), false);
  assert.deepEqual([recorder.extend([200, 140]), recorder.extend([240, 140])], [true, true]);
  recorder.end();
  assert.deepEqual(recorder.strokes, [left]);
  recorder.undo();
  assert.deepEqual(recorder.strokes, [left, middle, right]);
});

test("the eraser has the brush's width, and a miss is no step", () => {
  recorder.beginErasing([9, 9]);
  recorder.end();
  assert.equal(recorder.canUndo, false);
  draw([100, 100]);
  recorder.beginErasing([121, 100]);
  assert.equal(recorder.isEmpty, false);
  assert.equal(recorder.extend([119, 100]), true);
  recorder.end();
  assert.equal(recorder.isEmpty, true);
});

test("a restored drawing can be undone, and the history is bounded", () => {
  recorder.restore([left, middle]);
  recorder.undo();
  assert.deepEqual(recorder.strokes, [left]);
  for (let i = 0; i < MAX_HISTORY; i++) draw([i, 0]);
  while (recorder.undo());
  assert.equal(recorder.strokes.length, 1);
});
