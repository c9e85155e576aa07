import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { FINE_STEP, KeyboardPen, STEP, commandOf, historyCommandOf } from "../../services/frontend/js/keyboard-pen.js";

/** @type {KeyboardPen} */
let pen;

beforeEach(() => {
  pen = new KeyboardPen();
});

test("the keys mean what the page's hint says", () => {
  for (const arrow of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]) assert.equal(commandOf(arrow), "move");
  assert.equal(commandOf(" "), "toggle");
  assert.equal(commandOf("Enter"), "predict");
  assert.equal(commandOf("Escape"), "clear");
  assert.equal(commandOf("Delete"), "clear");
  assert.equal(commandOf("Backspace"), "remove last");
});

test("all other keys are left to the browser", () => {
  for (const key of ["Tab", "a", "F5", "Shift", "toString"]) assert.equal(commandOf(key), undefined);
});

test("Ctrl or Cmd with Z undoes, with Shift redoes, and Ctrl+Y redoes", () => {
  const press = (key, held, code = `Key${key.toUpperCase()}`) =>
    historyCommandOf({ key, code, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held });
  for (const held of [{ ctrlKey: true }, { metaKey: true }]) {
    assert.equal(press("z", held), "undo");
    assert.equal(press("Z", { ...held, shiftKey: true }), "redo");
    assert.equal(press("я", held, "KeyZ"), "undo");
    assert.equal(press("y", held), held.ctrlKey ? "redo" : undefined);
    assert.equal(press("w", held, "KeyZ"), undefined); // a French keyboard
  }
  assert.equal(press("z", {}), undefined);
  assert.equal(press("z", { ctrlKey: true, altKey: true }), undefined); // AltGr
});

test("the pen starts up, in the middle of the canvas", () => {
  assert.deepEqual(pen.position, [140, 140]);
  assert.equal(pen.isDown, false);
});

test("each arrow key moves one step its way", () => {
  for (const [arrow, expected] of [
    ["ArrowRight", [140 + STEP, 140]],
    ["ArrowLeft", [140 - STEP, 140]],
    ["ArrowUp", [140, 140 - STEP]],
    ["ArrowDown", [140, 140 + STEP]],
  ]) {
    pen = new KeyboardPen();
    assert.deepEqual(pen.press(arrow), expected);
    assert.deepEqual(pen.position, expected);
  }
});

test("Shift makes the steps fine", () => {
  assert.deepEqual(pen.press("ArrowRight", true), [140 + FINE_STEP, 140]);
});

test("a held key repeats its step", () => {
  pen.press("ArrowDown");
  pen.press("ArrowDown");
  assert.deepEqual(pen.press("ArrowDown"), [140, 140 + 3 * STEP]);
});

test("two arrow keys held together move diagonally", () => {
  pen.press("ArrowDown");
  assert.deepEqual(pen.press("ArrowLeft"), [140 - STEP, 140 + 2 * STEP]);
});

test("opposite arrow keys held together cancel out", () => {
  pen.press("ArrowLeft");
  assert.deepEqual(pen.press("ArrowRight"), [140 - STEP, 140]);
});

test("a released key no longer takes part", () => {
  pen.press("ArrowDown");
  pen.release("ArrowDown");
  assert.deepEqual(pen.press("ArrowLeft"), [140 - STEP, 140 + STEP]);
});

test("losing the focus forgets the keys that were held", () => {
  pen.press("ArrowDown");
  pen.releaseAll();
  assert.deepEqual(pen.press("ArrowLeft"), [140 - STEP, 140 + STEP]);
});

test("the pen stops at the edge of the canvas", () => {
  for (let i = 0; i < 100; i++) pen.press("ArrowUp");
  assert.deepEqual(pen.position, [140, 0]);
});

test("Space puts the pen down, and lifts it again", () => {
  pen.toggle();
  assert.equal(pen.isDown, true);
  pen.toggle();
  assert.equal(pen.isDown, false);
});

test("lifting works whether the pen is down or up", () => {
  pen.toggle();
  pen.lift();
  pen.lift();
  assert.equal(pen.isDown, false);
});
