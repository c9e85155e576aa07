import assert from "node:assert/strict";
import { test } from "node:test";

import { FINE_STEP, KeyboardPen, STEP, commandOf, historyCommandOf } from "../../services/frontend/js/keyboard-pen.js";

test("the keys mean what the page's hint says, and all others are left to the browser", () => {
  const commands = {
    ...Object.fromEntries(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].map((arrow) => [arrow, "move"])),
    ...{ " ": "toggle", Enter: "predict", Escape: "clear", Delete: "clear", Backspace: "remove last" },
    ...{ Tab: undefined, a: undefined, F5: undefined, Shift: undefined, toString: undefined },
  };
  for (const [key, command] of Object.entries(commands)) assert.equal(commandOf(key), command, key);
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

for (const [what, presses, [x, y]] of [
  ["nothing leaves it in the middle", (_) => {}, [0, 0]],
  ["an arrow key is a step to the right", (pen) => pen.press("ArrowRight"), [STEP, 0]],
  ["a fine one with Shift", (pen) => pen.press("ArrowRight", true), [FINE_STEP, 0]],
  ["a held key repeats its step", (pen) => [1, 2, 3].map(() => pen.press("ArrowDown")), [0, 3 * STEP]],
  ["two held keys move diagonally", (pen) => [pen.press("ArrowDown"), pen.press("ArrowLeft")], [-STEP, 2 * STEP]],
  ["opposite ones cancel out", (pen) => [pen.press("ArrowLeft"), pen.press("ArrowRight")], [-STEP, 0]],
  ["a released one takes no part", (pen) => [pen.press("ArrowDown"), pen.release("ArrowDown"), pen.press("ArrowLeft")], [-STEP, STEP]],
  ["nor one held when the focus went", (pen) => [pen.press("ArrowDown"), pen.releaseAll(), pen.press("ArrowLeft")], [-STEP, STEP]],
  ["at the edge it stops", (pen) => Array.from({ length: 100 }, () => pen.press("ArrowUp")), [0, -140]],
]) {
  test(`how the pen moves: ${what}`, () => {
    const pen = new KeyboardPen();
    const returned = [presses(pen)].flat(2).slice(-2);
    assert.deepEqual(pen.position, [140 + x, 140 + y]);
    if (x !== 0 || y !== 0) assert.deepEqual(returned, pen.position);
  });
}

test("Space puts the pen down and lifts it again, and lifting works whether it is down or up", () => {
  const pen = new KeyboardPen();
  const steps = ["toggle", "toggle", "toggle", "lift", "lift"];
  assert.deepEqual([pen.isDown, ...steps.map((step) => (pen[step](), pen.isDown))], [false, true, false, true, false, false]);
});
