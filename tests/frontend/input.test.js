import assert from "node:assert/strict";
import { test } from "node:test";

import { wholeBox } from "../../services/frontend/js/crop-box.js";
import { DrawingInput } from "../../services/frontend/js/drawing-input.js";
import { ImageInput, MAX_BYTES, scaleWithin } from "../../services/frontend/js/image-input.js";
import { StrokeRecorder } from "../../services/frontend/js/strokes.js";

const bitmap = { width: 40, height: 30 };
const part = { left: 1.2, top: 2, width: 10, height: 10 };

test("each change of a drawing changes its version", () => {
  const recorder = new StrokeRecorder();
  const drawing = new DrawingInput(recorder, () => 280);
  const versions = [drawing.version];
  for (const change of [() => recorder.begin([1, 2]), () => recorder.extend([3, 4]), () => recorder.begin([5, 6]), () => recorder.undo()]) {
    change();
    assert.notEqual(drawing.version, versions.at(-1));
    versions.push(drawing.version);
  }
  recorder.end();
  assert.equal(drawing.version, versions.at(-1));
});

test("a digit of a number has the strokes of its box, or its piece of a stroke across several digits", () => {
  const [four, dot, two] = [[[20, 40], [20, 200]], [[30, 60]], [[150, 50], [250, 220]]];
  const number = new DrawingInput({ strokes: [four, dot, two], isEmpty: false }, () => 640);
  const box = { left: 20, top: 40, width: 12, height: 160 };
  assert.deepEqual(number.part(box).request().strokes, [four, dot]);
  assert.deepEqual(number.part(box).request().width, 640);
  assert.notEqual(number.part(box).version, number.part({ ...box, left: 150, width: 100 }).version);
  const joined = new DrawingInput({ strokes: [[[10, 50], [20, 90], [200, 90], [30, 110], [250, 60]]], isEmpty: false }, () => 280);
  assert.deepEqual(joined.part(box).request().strokes, [[[10, 50], [20, 90]], [[30, 110]]]);
});

test("an image is sent as its file, and a crop as a PNG that is made once, when it is sent", async () => {
  const made = [];
  const encode = async (_, box) => made.push(box) && { png: new Blob([Object.values(box).join()], { type: "image/png" }), scale: 0.5 };
  const file = new Blob(["a photo"], { type: "image/jpeg" });
  const input = new ImageInput(file, bitmap, encode);
  const [version, whole] = [input.version, input.request()];
  assert.notEqual(new ImageInput(file, bitmap, encode).version, version);
  input.crop({ ...part, left: 0 });
  input.crop(part);
  assert.notEqual(input.version, version);
  const cropped = input.request();
  assert.deepEqual(made, []);
  for (const request of [cropped, input.request()]) assert.equal(await (await request.image()).text(), "1,2,10,10");
  assert.equal(made.length, 1);
  // A box in the answer counts pixels of the PNG, which is half as large.
  const digit = input.part({ left: 1, top: 1, width: 2, height: 3 });
  assert.notEqual(digit.version, input.version);
  assert.equal(await (await digit.request().image()).text(), "2,3,6,8");
  assert.deepEqual(input.place({ left: 1, top: 1, width: 2, height: 3 }, { width: 280, height: 280 }), { left: 21, top: 63, width: 28, height: 42 });
  assert.equal(await whole.image(), file); // an earlier question stays about the whole image
  input.crop(wholeBox(bitmap));
  assert.deepEqual([input.version, await input.request().image()], [version, file]);
});

test("a file beyond the API's limits or formats is encoded", async () => {
  const large = { width: 8000, height: 6000 };
  const huge = Object.defineProperty(new Blob([], { type: "image/png" }), "size", { value: MAX_BYTES + 1 });
  for (const [file, size] of [[new Blob([], { type: "image/heic" }), bitmap], [huge, bitmap], [new Blob([], { type: "image/png" }), large]]) {
    const encoded = new Blob();
    assert.equal(await new ImageInput(file, size, async () => ({ png: encoded, scale: 1 })).request().image(), encoded);
  }
  for (const size of [bitmap, large, { width: 20_000, height: 10 }, { width: 4000, height: 3000 }]) {
    const [width, height] = [size.width * scaleWithin(size), size.height * scaleWithin(size)];
    assert.ok(Math.max(width, height) <= 4096.1 && width * height <= 4096 * 3072 + 1, `${width} × ${height}`);
  }
  assert.equal(scaleWithin({ width: 4000, height: 3000 }), 1);
});
