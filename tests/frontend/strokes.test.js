import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { StrokeRecorder } from "../../services/frontend/js/strokes.js";

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
