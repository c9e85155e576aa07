// The figure of the chapter on reading the reader: a small network learns, then shows why it predicts a digit.

import { paint } from "../../js/layer-figures.js";
import { mosaic, signedRgba } from "../../js/maps.js";
import { SIDE, centered, readDigits } from "./digits.js";
import { button, choice, html, inWords, pictureFrame, svg } from "./elements.js";
import { occlusion, place, principalPlane, saliency } from "./explaining.js";
import { makePad } from "./pad.js";
import { forward, newLayers, predicted, probabilities, train } from "./perceptron.js";
import { randomOf } from "./random.js";

const SETTINGS = { epochs: 20, batchSize: 10, rate: 0.03, momentum: 0.9, augments: true };
const SLICE = 14; // milliseconds of training between two frames
const [UNITS, SHOWN] = [50, 5]; // of the first layer
const [MAP, EDGE] = [320, 2.6]; // pixels, and the distance from the middle that the map shows

const { training, heldOut } = await readDigits();
const random = randomOf(7);
const layers = newLayers([SIDE * SIDE, UNITS, 20, 10], random);
/** @type {number[]} */
let wrong = [];
/** @type {ReturnType<typeof principalPlane> | null} */
let plane = null;
let shown = -1;
/** @type {Float64Array} */
let image = new Float64Array(SIDE * SIDE);

const canvasOf = (/** @type {string} */ label) =>
  /** @type {HTMLCanvasElement} */ (html("canvas", { class: "pad", role: "img", "aria-label": label }));
const pad = makePad("The digit", () => isReady && show(centered(pad.values)));
const why = canvasOf("Ink for the predicted digit in yellow, ink against it in blue");
const hidden = canvasOf("Change of the lead without the ink around each pixel");
const filters = /** @type {HTMLCanvasElement} */ (html("canvas", { class: "wide", role: "img", "aria-label": "The weights of the five most active units" }));
const map = svg("svg", { viewBox: `0 0 ${MAP} ${MAP}`, width: MAP, role: "img", "aria-label": "Map of the held-out digits, and the digit above as a ring" });
const ring = svg("circle", { r: 9, fill: "none", stroke: "#fff", "stroke-width": 3 });
const says = html("p", { class: "says", "aria-live": "polite" });
const rival = choice("and not", ["the runner-up", ...Array.from({ length: 10 }, (_, digit) => String(digit))], explain);
let isReady = false;

/** Learn for a moment in each frame, then show the first digit. */
function learn() {
  const run = train(layers, training, SETTINGS, random);
  const next = () => {
    const begin = performance.now();
    let state = run.next();
    while (!state.done && performance.now() - begin < SLICE) state = run.next();
    if (!state.done) {
      says.textContent = `A small network is learning: ${Math.round((100 * state.value.step) / state.value.steps)}%.`;
      requestAnimationFrame(next);
    } else finish();
  };
  next();
}

function finish() {
  isReady = true;
  wrong = heldOut.flatMap(({ image: each, label }, i) => (predicted(layers, each) === label ? [] : [i]));
  const features = heldOut.map(({ image: each }) => forward(layers, each)[layers.length - 1]);
  plane = principalPlane(features);
  features.forEach((each, i) => {
    const [x, y] = onMap(each);
    map.append(svg("text", { x, y: y + 5, "text-anchor": "middle", class: wrong.includes(i) ? "ink" : "muted" }, String(heldOut[i].label)));
  });
  map.append(ring);
  showDigit(0);
}

/** @param {Float64Array} features @returns {[number, number]} */
function onMap(features) {
  const [x, y] = place(/** @type {NonNullable<typeof plane>} */ (plane), features);
  return [(MAP / 2) * (1 + x / EDGE), (MAP / 2) * (1 - y / EDGE)];
}

/** @param {number} which */
function showDigit(which) {
  shown = which;
  isReady = false; // the digit is MNIST's, so it is centered already
  pad.show(heldOut[which].image);
  isReady = true;
  show(heldOut[which].image);
}

/** @param {Float64Array} next */
function show(next) {
  image = next;
  explain();
}

function explain() {
  if (!isReady) return;
  const found = probabilities(layers, image);
  const order = [...found.keys()].sort((a, b) => found[b] - found[a]);
  const digit = order[0];
  const other = rival.index === 0 || rival.index - 1 === digit ? order[1] : rival.index - 1;
  const evidence = saliency(layers, image, digit, other);
  const drop = occlusion(layers, image, digit, other);
  for (const [canvas, values] of /** @type {const} */ ([[why, evidence], [hidden, drop]])) {
    paint(canvas, SIDE, SIDE, signedRgba(values, Math.max(...values.map(Math.abs)) || 1));
  }
  const outputs = forward(layers, image);
  const active = [...outputs[1].keys()].sort((a, b) => outputs[1][b] - outputs[1][a]).slice(0, SHOWN);
  const values = new Float32Array(SHOWN * SIDE * SIDE);
  active.forEach((unit, i) => values.set(layers[0].weights.subarray(unit * SIDE * SIDE, (unit + 1) * SIDE * SIDE), i * SIDE * SIDE));
  const maps = mosaic({ shape: [SHOWN, SIDE, SIDE], values }, SHOWN);
  paint(filters, maps.width, maps.height, maps.rgba);
  const [x, y] = onMap(outputs[layers.length - 1]);
  ring.setAttribute("cx", String(x));
  ring.setAttribute("cy", String(y));
  const logits = outputs[layers.length];
  const sum = evidence.reduce((total, each) => total + each, 0);
  says.textContent =
    `The network predicts ${digit}, with ${inWords(100 * found[digit], 0)}%. Its lead over ${other} is ${inWords(logits[digit] - logits[other], 1)}: ` +
    `the ink gives ${inWords(sum, 1)}, and the biases the rest.`;
  Object.assign(says.dataset, { digit: String(digit), other: String(other), lead: String(logits[digit] - logits[other]), ink: String(sum) });
}

const part = (/** @type {string} */ text, /** @type {Element} */ below) => html("div", {}, html("p", { class: "muted small" }, text), below);
const buttons = html(
  "div",
  { class: "row" },
  button("Next digit", () => isReady && showDigit((shown + 1) % heldOut.length)),
  button("Next error", () => isReady && wrong.length > 0 && showDigit(wrong.find((each) => each > shown) ?? wrong[0])),
  button("Clear", pad.clear),
);
pictureFrame().append(
  html("div", { class: "parts stays pair" }, part("the digit", pad.element), part("why: saliency", why)),
  html("div", { class: "controls" }, buttons, rival.element),
  says,
  html("div", { class: "parts" }, part("check: occlusion", hidden), part("the map; errors in yellow", map)),
  part("the filters that fit best", filters),
);
learn();
