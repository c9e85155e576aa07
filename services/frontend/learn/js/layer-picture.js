// The figure of chapter 2: a hidden layer of three units, the output of each, and the network's output.

import { paint } from "../../js/layer-figures.js";
import { signedRgba } from "../../js/maps.js";
import { button, html, inWords, onPress, pictureFrame, slider, tick } from "./elements.js";
import {
  CORNERS,
  asOneNeuron,
  biasFor,
  fold,
  freshLayers,
  isExactlyOne,
  isRight,
  normalFrom,
  outputSays,
  unitSays,
} from "./layer.js";
import { field } from "./neuron.js";

/** @import { Layers, Place } from "./networks.js" */

const LOW = -0.25; // the corners lie a little inside the squares
const HIGH = 1.25;
const SMALL = 48; // places along each edge
const LARGE = 160;
const PIXELS = 512; // of the large square, for fine lines
const LOUDEST = 2; // the output that has the full color
const LIMIT = 3; // of all sliders
const STEP = 0.1;

/** Make an or, an and, and a unit to play with. @param {number} v of the and @returns {Layers} */
const orAndAnd = (v) => ({
  units: [
    { weights: [1, 1], bias: -0.5, v: 1 },
    { weights: [1, 1], bias: -1.5, v },
    { weights: [1, -1], bias: 0, v: 0 },
  ],
  bias: -0.2,
});

let layers = orAndAnd(0);
let chosen = 1;

const canvas = /** @type {HTMLCanvasElement} */ (
  html("canvas", { class: "square stays", role: "img", "aria-label": "The network's output at each pair of inputs, and the four corners" })
);
canvas.style.imageRendering = "auto";
canvas.style.cursor = "crosshair";
const says = html("p", { class: "says", "aria-live": "polite" });
const units = layers.units.map((_, i) => unitButton(i));
const range = { min: -LIMIT, max: LIMIT, step: STEP, value: 0, show: (/** @type {number} */ value) => inWords(value, 1) };
const w1 = slider("weight w₁", range, read);
const w2 = slider("weight w₂", range, read);
const bias = slider("bias b", range, read);
const v = slider("weight v", range, read);
const c = slider("bias c", range, read);
const bends = tick("with ReLU", true, draw);
const unitTitle = html("p", { class: "muted" });

/** @param {number} i */
function unitButton(i) {
  const map = /** @type {HTMLCanvasElement} */ (html("canvas", { role: "img", "aria-label": `Unit ${i + 1}` }));
  const times = html("span");
  const element = button("", () => {
    chosen = i;
    show();
  });
  element.append(map, times);
  Object.assign(element.style, { padding: "0.25rem", flex: "1 1 0", display: "grid", gap: "0.25rem" });
  map.style.width = "100%";
  return { element, map, times };
}

/** Set the numbers from the sliders. */
function read() {
  layers.units[chosen] = { weights: [w1.value, w2.value], bias: bias.value, v: v.value };
  layers.bias = c.value;
  draw();
}

/** Set the sliders from the numbers. */
function show() {
  const unit = layers.units[chosen];
  [w1.value, w2.value] = unit.weights;
  [bias.value, v.value, c.value] = [unit.bias, unit.v, layers.bias];
  unitTitle.textContent = `Unit ${chosen + 1}`;
  draw();
}

/** @param {Layers} next */
function start(next) {
  layers = next;
  show();
}

/** Map a place of the square, -1 to 1, to the inputs. @param {[number, number]} place @returns {Place} */
function inputsAt([column, row]) {
  return [LOW + ((column + 1) / 2) * (HIGH - LOW), LOW + ((row + 1) / 2) * (HIGH - LOW)];
}

function draw() {
  units.forEach(({ element, map, times }, i) => {
    const unit = layers.units[i];
    const values = field((place) => unitSays(unit, inputsAt(place), bends.checked), SMALL);
    paint(map, SMALL, SMALL, signedRgba(values, LOUDEST));
    times.textContent = `× ${inWords(unit.v, 1)}`;
    times.style.color = unit.v > 0 ? "var(--ink)" : unit.v < 0 ? "#4a9eff" : "var(--on-black-muted)";
    element.setAttribute("aria-pressed", String(i === chosen));
    element.style.borderColor = i === chosen ? "var(--ink)" : "";
  });
  drawSum();
  sayIt();
}

const sum = document.createElement("canvas"); // painted small, then drawn large

function drawSum() {
  const values = field((place) => outputSays(layers, inputsAt(place), bends.checked), LARGE);
  paint(sum, LARGE, LARGE, signedRgba(values, LOUDEST));
  if (canvas.width !== PIXELS) [canvas.width, canvas.height] = [PIXELS, PIXELS];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(sum, 0, 0, PIXELS, PIXELS);
  if (bends.checked) layers.units.forEach((_, i) => drawFold(context, i));
  for (const corner of CORNERS) drawCorner(context, corner);
}

/** @param {Place} place @returns {[number, number]} */
function pixelAt([x1, x2]) {
  return [((x1 - LOW) / (HIGH - LOW)) * PIXELS, ((HIGH - x2) / (HIGH - LOW)) * PIXELS];
}

/** Draw a unit's fold, if the output uses the unit. @param {CanvasRenderingContext2D} context @param {number} i */
function drawFold(context, i) {
  const ends = fold(layers.units[i], LOW, HIGH);
  if (!ends || (layers.units[i].v === 0 && i !== chosen)) return;
  context.beginPath();
  for (const end of ends) context.lineTo(...pixelAt(end));
  context.setLineDash(i === chosen ? [] : [6, 10]);
  context.lineWidth = 3;
  context.strokeStyle = "#fff";
  context.stroke();
}

/** Draw a corner in its intended color. @param {CanvasRenderingContext2D} context @param {Place} corner */
function drawCorner(context, corner) {
  const [x, y] = pixelAt(corner);
  const isAbove = isExactlyOne(corner);
  context.setLineDash([]);
  context.beginPath();
  context.arc(x, y, 22, 0, 2 * Math.PI);
  context.fillStyle = isAbove ? "#ffd400" : "#4a9eff";
  context.fill();
  context.lineWidth = 6;
  context.strokeStyle = "#000";
  context.stroke();
  context.beginPath();
  context.moveTo(x - 10, y);
  context.lineTo(x + 10, y);
  if (isAbove) {
    context.moveTo(x, y - 10);
    context.lineTo(x, y + 10);
  }
  context.stroke();
}

function sayIt() {
  const values = CORNERS.map((corner) => outputSays(layers, corner, bends.checked));
  const right = values.filter((y, i) => isRight(CORNERS[i], y)).length;
  const each = CORNERS.map(([x1, x2], i) => `${inWords(values[i])} at (${x1}, ${x2})`).join(", ");
  const verdict = right === 4 ? "All four are right: exactly one of two." : `${right} of 4 are right.`;
  says.textContent = `The output is ${each}. ${verdict}${bends.checked ? "" : ` ${flatly()}`}`;
  says.dataset.corners = values.join(" ");
  says.dataset.right = String(right);
}

function flatly() {
  const one = asOneNeuron(layers);
  const [a, b] = one.weights.map((weight) => inWords(weight));
  return `Without ReLU this is one neuron, y = ${a} · x₁ + ${b} · x₂ + ${inWords(one.bias)}, with one straight border.`;
}

// A press moves the chosen unit's fold there.
onPress(canvas, ({ x, y }) => {
  bias.value = biasFor(layers.units[chosen], inputsAt([2 * x - 1, 1 - 2 * y]));
  read();
});

function drawFresh() {
  const fresh = freshLayers(layers.units.length, () => onSlider(normalFrom(Math.random)));
  start({ ...fresh, units: fresh.units.map((unit) => ({ ...unit, v: onSlider(unit.v) })) });
}

/** @param {number} value */
function onSlider(value) {
  return Math.max(-LIMIT, Math.min(LIMIT, Math.round(value / STEP) / 10));
}

const row = html("div", { class: "parts" }, ...units.map(({ element }) => element));
row.style.gap = "0.5rem";
row.style.width = "16rem";
const maps = html("div", { class: "controls" }, row, canvas);
const buttons = html("div", { class: "parts" }, button("Solve it", () => start(orAndAnd(-3))), button("Fresh weights", drawFresh));
buttons.style.gap = "0.75rem";
const controls = html(
  "div",
  { class: "controls" },
  unitTitle,
  ...[w1, w2, bias, v].map(({ element }) => element),
  html("p", { class: "muted" }, "Output"),
  c.element,
  bends.element,
  buttons,
);
pictureFrame().append(html("div", { class: "parts" }, maps, controls), says);
show();
