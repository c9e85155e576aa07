// The figure of the chapter on a whole network: it trains in the page on a few hundred digits.

import { paint } from "../../js/layer-figures.js";
import { mosaic } from "../../js/maps.js";
import { SIDE, centered, readDigits } from "./digits.js";
import { button, html, inWords, pictureFrame, slider, svg, tick } from "./elements.js";
import { makePad } from "./pad.js";
import { newLayers, predicted, probabilities, train } from "./perceptron.js";
import { randomOf } from "./random.js";

/** @import { DenseLayer, TrainingStep } from "./networks.js" */

const SIZES = [SIDE * SIDE, 50, 20, 10];
const [EPOCHS, BATCH_SIZE, MOMENTUM] = [60, 10, 0.9];
const [ACROSS, MAPS_ACROSS] = [20, 10]; // digits and first-layer units in a row
const SLICE = 14; // milliseconds of training between two frames
const [WIDTH, HEIGHT, LEFT, BOTTOM] = [320, 170, 40, 24]; // the curve's drawing
const MEASURED = 20; // points of the curve

const { training, heldOut } = await readDigits();
let seed = 7;
/** @type {DenseLayer[]} */
let layers = [];
/** @type {Generator<TrainingStep>} */
let run;
/** @type {TrainingStep | null} */
let latest = null;
let seconds = 0;
/** The share of held-out digits that are right, and the part of the training done. @type {[number, number][]} */
let curve = [];
/** @type {number | null} */
let frame = null;

const board = /** @type {HTMLCanvasElement} */ (html("canvas", { class: "wide", role: "img" }));
const units = /** @type {HTMLCanvasElement} */ (
  html("canvas", { class: "wide", role: "img", "aria-label": "The weights of the 50 units of the first layer, 28 by 28 each" })
);
const line = svg("polyline", { fill: "none", stroke: "#ffd400", "stroke-width": 2 });
const dot = svg("circle", { r: 4, class: "ink" });
const plot = svg("svg", { class: "stays", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, role: "img" }, ...axes(), line, dot);
plot.setAttribute("aria-label", "The share of held-out digits that the network predicts right, during the training");
const says = html("p", { class: "says", "aria-live": "polite" });
const toggle = button("Train", () => (frame === null ? start() : pause()));
const count = slider("digits", { min: 50, max: training.length, step: 50, value: training.length }, restart);
const rate = slider("rate η", { min: -3, max: -0.5, step: 0.1, value: -1.7, show: (power) => String(rateOf(power)) }, restart);
const augments = tick("shift and slant", true, restart);
const pad = makePad("Your digit", showOwn);
const bars = Array.from({ length: 10 }, (_, digit) => ({ digit, bar: html("span"), row: html("li") }));
const own = html("p", { class: "own", "aria-live": "polite" });

/** Turn the slider's power of ten into the rate, rounded to one digit. @param {number} power */
function rateOf(power) {
  return Number((10 ** power).toPrecision(1));
}

function axes() {
  return [0, 0.5, 0.9, 1].flatMap((share) => [
    svg("path", { d: `M${LEFT} ${down(share)}H${WIDTH}`, stroke: share === 0.9 ? "#a29d90" : "#3a382f", "stroke-dasharray": share === 0.9 ? "2 4" : "none" }),
    svg("text", { x: LEFT - 6, y: down(share) + 5, "text-anchor": "end", class: "muted" }, share === 1 ? "" : `${100 * share}%`),
  ]).concat(svg("text", { x: WIDTH, y: HEIGHT - 6, "text-anchor": "end", class: "muted" }, `${EPOCHS} epochs →`));
}

/** @param {number} share */
function down(share) {
  return 6 + (1 - share) * (HEIGHT - BOTTOM - 6);
}

function restart() {
  if (frame !== null) cancelAnimationFrame(frame);
  [frame, latest, seconds] = [null, null, 0];
  const random = randomOf(seed);
  layers = newLayers(SIZES, random);
  const settings = { epochs: EPOCHS, batchSize: BATCH_SIZE, rate: rateOf(rate.value), momentum: MOMENTUM, augments: augments.checked };
  run = train(layers, training.slice(0, count.value), settings, random);
  curve = [];
  measure();
  toggle.textContent = "Train";
}

function start() {
  if (latest?.step === latest?.steps) restart(); // also before the first step
  toggle.textContent = "Pause";
  const next = () => {
    const begin = performance.now();
    let isDone = false;
    while (!isDone && performance.now() - begin < SLICE) {
      const { value, done } = run.next();
      if (value) latest = value;
      isDone = done === true;
    }
    seconds += (performance.now() - begin) / 1000;
    frame = isDone ? null : requestAnimationFrame(next);
    if (frame === null) toggle.textContent = "Train";
    if (isDone || (latest && latest.step / latest.steps >= curve.length / MEASURED)) measure();
  };
  frame = requestAnimationFrame(next);
}

function pause() {
  if (frame !== null) cancelAnimationFrame(frame);
  frame = null;
  toggle.textContent = "Train";
}

/** Predict the held-out digits, and draw everything. */
function measure() {
  const right = heldOut.map(({ image, label }) => predicted(layers, image) === label);
  const share = right.filter(Boolean).length / heldOut.length;
  curve.push([latest ? latest.step / latest.steps : 0, share]);
  const points = curve.map(([part, each]) => [LEFT + part * (WIDTH - LEFT - 4), down(each)]);
  line.setAttribute("points", points.map((point) => point.join(",")).join(" "));
  const [x, y] = points[points.length - 1];
  dot.setAttribute("cx", String(x));
  dot.setAttribute("cy", String(y));
  drawMaps(board, heldOut.map(({ image }, i) => (right[i] ? image : image.map((pixel) => -pixel))), ACROSS);
  drawMaps(units, Array.from({ length: SIZES[1] }, (_, unit) => layers[0].weights.subarray(unit * SIZES[0], (unit + 1) * SIZES[0])), MAPS_ACROSS);
  const wrong = right.length - right.filter(Boolean).length;
  board.setAttribute("aria-label", `${heldOut.length} held-out digits, ${wrong} of them wrong, in blue`);
  says.textContent = latest
    ? `Step ${latest.step} of ${latest.steps}, ${inWords(seconds, 1)} s: ${inWords(100 * share, 1)}% of ${heldOut.length} held-out digits are right. The loss of this batch was ${inWords(latest.loss)}.`
    : `Random weights: ${inWords(100 * share, 1)}% of ${heldOut.length} held-out digits are right. Press Train.`;
  Object.assign(says.dataset, { step: String(latest?.step ?? 0), share: String(share), seconds: String(seconds) });
  showOwn();
}

/** @param {HTMLCanvasElement} canvas @param {Float64Array[]} images @param {number} columns */
function drawMaps(canvas, images, columns) {
  const values = new Float32Array(images.length * SIDE * SIDE);
  images.forEach((image, i) => values.set(image, i * SIDE * SIDE));
  const { width, height, rgba } = mosaic({ shape: [images.length, SIDE, SIDE], values }, columns);
  paint(canvas, width, height, rgba);
}

function showOwn() {
  const image = centered(pad.values);
  const isBlank = image.every((pixel) => pixel === 0);
  const found = isBlank ? [] : probabilities(layers, image);
  for (const { digit, bar, row } of bars) {
    bar.style.width = `${100 * (found[digit] ?? 0)}%`;
    row.className = found[digit] === Math.max(...found) ? "likeliest" : "";
  }
  own.textContent = isBlank ? "Draw your digit here." : `Your digit: ${found.indexOf(Math.max(...found))}, with ${inWords(100 * Math.max(...found), 0)}%.`;
}

/** @param {string} text @param {...Node} below */
function part(text, ...below) {
  return html("div", {}, html("p", { class: "muted small" }, text), ...below);
}

for (const { digit, bar, row } of bars) row.append(String(digit), html("span", { class: "track" }, bar));
const buttons = html("div", { class: "row" }, toggle, button("New seed", () => ((seed += 1), restart())), button("Clear", pad.clear));
const controls = html("div", { class: "controls" }, buttons, count.element, rate.element, augments.element);
const ownDigit = html("div", { class: "row" }, pad.element, html("ol", { class: "bars", "aria-label": "Probability of each digit" }, ...bars.map(({ row }) => row)));
pictureFrame().append(
  html("div", { class: "parts" }, plot, controls),
  says,
  html("div", { class: "parts" }, part("held-out digits: yellow is right, blue is wrong", board), part("your digit", ownDigit, own)),
  part("weights of the first layer", units),
);
restart();
