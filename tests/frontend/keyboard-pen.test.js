import assert from "node:assert/strict";
import { test } from "node:test";

import { FINE_STEP, KeyboardPen, STEP, commandOf, historyCommandOf } from "../../services/frontend/js/keyboard-pen.js";

test("maps keys to commands and ignores all others", () => {
  const commands = {
    ...Object.fromEntries(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].map((arrow) => [arrow, "move"])),
    ...{ " ": "toggle", Enter: "predict", Escape: "clear", Delete: "clear", Backspace: "remove last" },
    ...{ Tab: undefined, a: undefined, F5: undefined, Shift: undefined, toString: undefined },
  };
  for (const [key, command] of Object.entries(commands)) assert.equal(commandOf(key), command, key);
});

test("Ctrl or Cmd+Z undoes; with Shift, or Ctrl+Y, it redoes", () => {
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

for (const [what, presses, [x, y]] of [
  ["it starts in the center", (_) => {}, [0, 0]],
  ["an arrow key is a step to the right", (pen) => pen.press("ArrowRight"), [STEP, 0]],
  ["Shift makes a fine step", (pen) => pen.press("ArrowRight", true), [FINE_STEP, 0]],
  ["a held key repeats its step", (pen) => [1, 2, 3].map(() => pen.press("ArrowDown")), [0, 3 * STEP]],
  ["two held keys move diagonally", (pen) => [pen.press("ArrowDown"), pen.press("ArrowLeft")], [-STEP, 2 * STEP]],
  ["opposite keys cancel out", (pen) => [pen.press("ArrowLeft"), pen.press("ArrowRight")], [-STEP, 0]],
  ["a released key has no effect", (pen) => [pen.press("ArrowDown"), pen.release("ArrowDown"), pen.press("ArrowLeft")], [-STEP, STEP]],
  ["a key held when the focus left has no effect", (pen) => [pen.press("ArrowDown"), pen.releaseAll(), pen.press("ArrowLeft")], [-STEP, STEP]],
  ["it stops at the edge", (pen) => Array.from({ length: 100 }, () => pen.press("ArrowUp")), [0, -140]],
]) {
  test(`how the pen moves: ${what}`, () => {
    const pen = new KeyboardPen();
    const returned = [presses(pen)].flat(2).slice(-2);
    assert.deepEqual(pen.position, [140 + x, 140 + y]);
    if (x !== 0 || y !== 0) assert.deepEqual(returned, pen.position);
  });
}

test("Space toggles the pen, and lift always raises it", () => {
  const pen = new KeyboardPen();
  const steps = ["toggle", "toggle", "toggle", "lift", "lift"];
  assert.deepEqual([pen.isDown, ...steps.map((step) => (pen[step](), pen.isDown))], [false, true, false, true, false, false]);
});
