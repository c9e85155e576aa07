// The figure of chapter 1: a neuron with two inputs, its output for every pair of inputs, and its sum at one point.

import { paint } from "../../js/layer-figures.js";
import { signedRgba } from "../../js/maps.js";
import { html, inWords, onPress, pictureFrame, slider } from "./elements.js";
import { field, relu, weightedSum } from "./neuron.js";
import { ownDigit } from "./own-digit.js";

const SIDE = 81;
const AXIS = [107, 103, 91, 255]; // the lines x₁ = 0 and x₂ = 0
const LOUDEST = 3; // the output that has the full color

const canvas = /** @type {HTMLCanvasElement} */ (
  html("canvas", { class: "square", role: "img", "aria-label": "The neuron's output at each pair of inputs" })
);
const says = html("p", { class: "says", "aria-live": "polite" });
const range = { min: -2, max: 2, step: 0.1, show: (/** @type {number} */ value) => inWords(value, 1) };
const w1 = slider("weight w₁", { ...range, value: 1 }, draw);
const w2 = slider("weight w₂", { ...range, value: 1.5 }, draw);
const bias = slider("bias b", { ...range, value: -0.5 }, draw);
const x1 = slider("input x₁", { ...range, min: -1, max: 1, value: 0.5 }, draw);
const x2 = slider("input x₂", { ...range, min: -1, max: 1, value: 0.4 }, draw);

function draw() {
  const weights = [w1.value, w2.value];
  const values = field((x) => relu(weightedSum(weights, bias.value, x)), SIDE);
  const rgba = signedRgba(values, LOUDEST);
  for (let i = 0; i < SIDE; i += 1) for (const place of [(SIDE >> 1) * SIDE + i, i * SIDE + (SIDE >> 1)]) rgba.set(AXIS, place * 4);
  mark(rgba, x1.value, x2.value);
  paint(canvas, SIDE, SIDE, rgba);
  const z = weightedSum(weights, bias.value, [x1.value, x2.value]);
  says.textContent =
    `z = ${inWords(w1.value, 1)} · ${inWords(x1.value, 1)} + ${inWords(w2.value, 1)} · ${inWords(x2.value, 1)} + ${inWords(bias.value, 1)} ` +
    `= ${inWords(z)}, so y = max(0, z) = ${inWords(relu(z))}.`;
  says.dataset.y = String(relu(z));
}

/** Draw a white ring around the point. @param {Uint8ClampedArray} rgba @param {number} x @param {number} y */
function mark(rgba, x, y) {
  const [column, row] = [((x + 1) / 2) * (SIDE - 1), ((1 - y) / 2) * (SIDE - 1)];
  for (let i = 0; i < SIDE * SIDE; i += 1) {
    const distance = Math.hypot((i % SIDE) - column, Math.floor(i / SIDE) - row);
    if (Math.abs(distance - 2) < 0.7) rgba.set([255, 255, 255], i * 4);
  }
}

onPress(canvas, ({ x, y }) => {
  x1.value = 2 * x - 1;
  x2.value = 1 - 2 * y;
  draw();
});

const ends = ["x₂ = 1", "x₂ = −1", "x₁ = −1", "x₁ = 1"].map((text) => html("span", { class: "small" }, text));
const square = html("div", { class: "axes stays" }, canvas, ...ends);
const controls = html("div", { class: "controls" }, ...[w1, w2, bias, x1, x2].map(({ element }) => element));
const frame = pictureFrame();
frame.append(html("div", { class: "parts" }, square, controls), says);
draw();
ownDigit().then((figure) => frame.after(figure));
