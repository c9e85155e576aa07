import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { MAX_HISTORY, StrokeRecorder } from "../../services/frontend/js/strokes.js";

/** @type {StrokeRecorder} */
let recorder;

beforeEach(() => {
  recorder = new StrokeRecorder();
});

test("a new drawing is empty and nobody is drawing", () => {
  assert.deepEqual(recorder.strokes, []);
  assert.equal(recorder.isEmpty, true);
  assert.equal(recorder.isDrawing, false);
});

test("a press and a release without moving make a dot", () => {
  recorder.begin([10, 20]);
  recorder.end();
  assert.deepEqual(recorder.strokes, [[[10, 20]]]);
  assert.equal(recorder.isEmpty, false);
});

test("a release where the press was still makes a dot of one point", () => {
  recorder.begin([10, 20]);
  recorder.extend([10, 20]);
  recorder.extend([10, 20]);
  recorder.end();
  assert.deepEqual(recorder.strokes, [[[10, 20]]]);
});

test("points are kept in the order drawn", () => {
  recorder.begin([1, 1]);
  recorder.extend([2, 2]);
  recorder.extend([3, 3]);
  assert.deepEqual(recorder.strokes, [[[1, 1], [2, 2], [3, 3]]]);
});

test("the unfinished stroke can be seen while it is drawn", () => {
  recorder.begin([1, 1]);
  recorder.extend([2, 2]);
  assert.equal(recorder.isDrawing, true);
  assert.equal(recorder.strokes[0].length, 2);
});

test("lifting the pen starts a new stroke next time", () => {
  recorder.begin([1, 1]);
  recorder.end();
  recorder.begin([5, 5]);
  recorder.extend([6, 6]);
  recorder.end();
  assert.deepEqual(recorder.strokes, [[[1, 1]], [[5, 5], [6, 6]]]);
});

test("moving with the pen up draws nothing", () => {
  recorder.extend([9, 9]);
  recorder.begin([1, 1]);
  recorder.end();
  recorder.extend([9, 9]);
  assert.deepEqual(recorder.strokes, [[[1, 1]]]);
});

test("clearing in the middle of a stroke ignores the rest of that stroke", () => {
  recorder.begin([1, 1]);
  recorder.clear();
  recorder.extend([2, 2]);
  recorder.end();
  assert.equal(recorder.isEmpty, true);
  assert.equal(recorder.isDrawing, false);
});

test("lifting a pen that is up, and clearing an empty drawing, do no harm", () => {
  recorder.end();
  recorder.clear();
  assert.equal(recorder.isEmpty, true);
});

const [left, middle, right] = [40, 140, 240].map((x) => [[x, 50], [x, 230]]);

function drawBars() {
  for (const [start, end] of [left, middle, right]) {
    recorder.begin(start);
    recorder.extend(end);
    recorder.end();
  }
}

test("Undo takes back one stroke after the other, and Redo brings them back", () => {
  drawBars();
  assert.equal(recorder.undo(), true);
  assert.deepEqual(recorder.strokes, [left, middle]);
  recorder.undo();
  recorder.undo();
  assert.deepEqual([recorder.isEmpty, recorder.canUndo, recorder.undo()], [true, false, false]);
  for (let i = 0; i < 3; i++) assert.equal(recorder.redo(), true);
  assert.deepEqual([recorder.strokes, recorder.canRedo, recorder.redo()], [[left, middle, right], false, false]);
});

test("after a new stroke there is nothing to redo", () => {
  drawBars();
  recorder.undo();
  recorder.begin([1, 1]);
  recorder.end();
  assert.equal(recorder.canRedo, false);
});

test("Undo in the middle of a stroke takes that stroke, and the pen's further way draws nothing", () => {
  drawBars();
  recorder.begin([1, 1]);
  recorder.extend([2, 2]);
  recorder.undo();
  recorder.extend([3, 3]);
  recorder.end();
  assert.deepEqual(recorder.strokes, [left, middle, right]);
});

test("a cancelled stroke leaves neither ink nor history, and what was undone can still be redone", () => {
  drawBars();
  recorder.undo();
  recorder.begin([1, 1]);
  assert.equal(recorder.cancel(), true);
  assert.deepEqual([recorder.strokes, recorder.isDrawing, recorder.canRedo], [[left, middle], false, true]);
  assert.equal(recorder.cancel(), false);
});

test("Clear, and the removal of the last stroke, can be undone", () => {
  drawBars();
  recorder.removeLast();
  assert.deepEqual(recorder.strokes, [left, middle]);
  recorder.clear();
  recorder.undo();
  assert.deepEqual(recorder.strokes, [left, middle]);
  recorder.undo();
  assert.deepEqual(recorder.strokes, [left, middle, right]);
});

test("on an empty canvas there is nothing to clear, to remove or to undo", () => {
  assert.deepEqual([recorder.clear(), recorder.removeLast(), recorder.canUndo], [false, false, false]);
});

test("the eraser removes each whole stroke on its way, in one step of the history", () => {
  drawBars();
  assert.equal(recorder.beginErasing([90, 140]), false);
  assert.equal(recorder.extend([200, 140]), true);
  assert.deepEqual(recorder.strokes, [left, right]);
  assert.equal(recorder.extend([240, 140]), true);
  recorder.end();
  assert.deepEqual(recorder.strokes, [left]);
  recorder.undo();
  assert.deepEqual(recorder.strokes, [left, middle, right]);
});

test("the eraser is as wide as the brush: it takes ink that it touches, dots too, and no other", () => {
  recorder.begin([100, 100]);
  recorder.end();
  recorder.beginErasing([121, 100]);
  assert.equal(recorder.isEmpty, false);
  assert.equal(recorder.extend([119, 100]), true);
  recorder.end();
  assert.equal(recorder.isEmpty, true);
});

test("an eraser that touched nothing is no step of the history", () => {
  recorder.beginErasing([9, 9]);
  recorder.end();
  assert.equal(recorder.canUndo, false);
});

test("a restored drawing can be undone stroke by stroke", () => {
  recorder.restore([left, middle]);
  recorder.undo();
  assert.deepEqual(recorder.strokes, [left]);
});

test("the history is bounded", () => {
  for (let i = 0; i <= MAX_HISTORY; i++) {
    recorder.begin([i, 0]);
    recorder.end();
  }
  while (recorder.undo());
  assert.equal(recorder.strokes.length, 1);
});
