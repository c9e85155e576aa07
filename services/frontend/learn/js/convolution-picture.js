// The figure of chapter 6: a drawing, a filter with its window, and the feature map.

import { signedRgba } from "../../js/maps.js";
import {
  cellsBetween,
  convolve,
  DRAWINGS,
  FILTERS,
  furthest,
  KERNEL,
  maxPool,
  moved,
  shortly,
  SIDE,
  windowAt,
} from "./convolution.js";
import { button, choice, html, partsAt, pictureFrame, slider, svg, tick } from "./elements.js";
import { relu, weightedSum } from "./neuron.js";

const CELL = 22; // pixels a side of a pixel of the drawing, and of a place of the map
const TILE = 48; // of a weight and of a product
const PLACES = SIDE - KERNEL + 1;
const OWN = FILTERS.length; // the option after the ready-made filters
const LINES = "#23221e";

let drawing = [...DRAWINGS[7]];
let weights = [...FILTERS[0].weights];
let chosen = 0; // the weight that the slider sets
let place = { row: 4, column: 7 }; // of the window's upper left corner

const input = grid(SIDE, "Your drawing, 14 by 14 pixels. Arrow keys move the window, Space changes the pixel in its middle.");
const output = grid(PLACES, "The feature map, one value for each place of the window. Arrow keys move the window.");
const products = svg("svg", { width: TILE * KERNEL, height: TILE * KERNEL, viewBox: `0 0 ${TILE * KERNEL} ${TILE * KERNEL}`, role: "img" });
const outputCaption = caption();
const says = html("p", { class: "says", "aria-live": "polite" });
const filter = choice("filter", [...FILTERS.map(({ name }) => name), "your own"], chooseFilter);
const weight = slider("weight", { min: -2, max: 2, step: 0.125, value: weights[0], show: shortly }, setWeight);
const bend = tick("ReLU", false, draw);
const pooling = tick("max pooling", false, draw);
const tiles = weights.map((_, i) => button("", () => choose(i)));

/** Make a square of cells for pointer and arrow keys. @param {number} side @param {string} label @returns {SVGElement} */
function grid(side, label) {
  const size = side * CELL;
  const element = svg("svg", { width: size, height: size, viewBox: `0 0 ${size} ${size}`, role: "application", "aria-label": label, tabindex: 0 });
  element.style.touchAction = "none"; // so a finger draws and does not move the page
  element.style.cursor = "crosshair";
  return element;
}

function draw() {
  const said = convolve(drawing, SIDE, weights);
  const map = bend.checked ? said.map(relu) : said;
  const isPooled = pooling.checked;
  const shown = isPooled ? maxPool(map, PLACES) : map;
  const scale = furthest(weights);

  input.replaceChildren(...cells(drawing, SIDE, CELL, 1), outline(place.row, place.column, KERNEL));
  input.dataset.values = JSON.stringify(drawing);
  const square = isPooled ? [Math.floor(place.row / 2) * 2, Math.floor(place.column / 2) * 2, 2] : [];
  output.replaceChildren(
    ...cells(shown, isPooled ? PLACES / 2 : PLACES, isPooled ? 2 * CELL : CELL, scale),
    isPooled ? outline(square[0], square[1], 2) : outline(place.row, place.column, 1),
  );
  output.dataset.values = JSON.stringify(shown);
  outputCaption.textContent = `feature map, ${isPooled ? "6 × 6 squares" : "12 × 12 places"}`;

  const seen = windowAt(drawing, SIDE, place.row, place.column);
  drawProducts(seen.map((pixel, i) => pixel * weights[i]));
  drawTiles();
  const sum = weightedSum(weights, 0, seen);
  const terms = seen.map((pixel, i) => `${shortly(pixel)}\u00a0·\u00a0${shortly(weights[i])}`).join(" + ");
  const largest = isPooled ? shown[(square[0] / 2) * (PLACES / 2) + square[1] / 2] : 0;
  says.textContent =
    `Row ${place.row + 1}, column ${place.column + 1}: ${terms} = ${shortly(sum)}.` +
    (bend.checked ? ` ReLU leaves ${shortly(relu(sum))}.` : "") +
    (isPooled ? ` The largest of its 2 × 2 square is ${shortly(largest)}.` : "");
  says.dataset.sum = String(sum);
  says.dataset.weights = JSON.stringify(weights);
}

/** @param {readonly number[]} values @param {number} side @param {number} size @param {number} scale */
function cells(values, side, size, scale) {
  const colors = colorsOf(values, scale);
  const background = svg("rect", { width: side * size, height: side * size, fill: LINES });
  return [background, ...colors.map((fill, i) => cell(i, side, size, fill))];
}

/** @param {number} i @param {number} side @param {number} size @param {string} fill */
function cell(i, side, size, fill) {
  const [x, y] = [(i % side) * size, Math.floor(i / side) * size];
  return svg("rect", { x: x + 0.5, y: y + 0.5, width: size - 1, height: size - 1, fill });
}

/** @param {readonly number[]} values @param {number} scale */
function colorsOf(values, scale) {
  const rgba = signedRgba(values, scale);
  return values.map((_, i) => `rgb(${rgba.slice(4 * i, 4 * i + 3).join(", ")})`);
}

/** Outline a square of `side` cells in white. @param {number} row @param {number} column @param {number} side */
function outline(row, column, side) {
  const size = side * CELL;
  return svg("rect", { x: column * CELL, y: row * CELL, width: size, height: size, fill: "none", stroke: "#fff", "stroke-width": 3 });
}

/** @param {readonly number[]} values */
function drawProducts(values) {
  const texts = values.map((value, i) => {
    const text = svg("text", { x: ((i % KERNEL) + 0.5) * TILE, y: (Math.floor(i / KERNEL) + 0.5) * TILE + 5, "text-anchor": "middle" }, shortly(value));
    text.style.fill = textOn(value);
    return text;
  });
  products.replaceChildren(...cells(values, KERNEL, TILE, largestWeight()), ...texts);
  products.setAttribute("aria-label", `Each of the window's pixels times its weight: ${values.map(shortly).join(", ")}`);
}

function drawTiles() {
  const colors = colorsOf(weights, largestWeight());
  tiles.forEach((tile, i) => {
    tile.textContent = shortly(weights[i]);
    tile.setAttribute("aria-label", `weight in row ${Math.floor(i / KERNEL) + 1}, column ${(i % KERNEL) + 1}: ${shortly(weights[i])}`);
    tile.setAttribute("aria-pressed", String(i === chosen));
    tile.style.background = colors[i];
    tile.style.color = textOn(weights[i]);
    tile.style.outline = i === chosen ? "3px solid #fff" : "";
  });
}

/** Return a text color that contrasts with a weight or product. @param {number} value */
function textOn(value) {
  return Math.abs(value) / largestWeight() > 0.3 ? "#000" : "#f2efe6";
}

function largestWeight() {
  return Math.max(...weights.map(Math.abs)) || 1;
}

/** @param {number} i */
function choose(i) {
  chosen = i;
  weight.value = weights[i];
  draw();
}

function setWeight() {
  weights[chosen] = weight.value;
  /** @type {HTMLSelectElement} */ (filter.element.querySelector("select")).selectedIndex = OWN;
  draw();
}

function chooseFilter() {
  if (filter.index !== OWN) weights = [...FILTERS[filter.index].weights];
  choose(chosen);
}

/** Move the window's middle as near to a cell as possible. @param {number} row @param {number} column */
function look(row, column) {
  const within = (/** @type {number} */ at) => Math.min(PLACES - 1, Math.max(0, at - 1));
  place = { row: within(row), column: within(column) };
}

/** @param {PointerEvent} event @param {SVGElement} element @param {number} side */
function cellAt(event, element, side) {
  const within = (/** @type {number} */ part) => Math.min(side - 1, Math.max(0, Math.floor(part * side)));
  const { x, y } = partsAt(element, event);
  return { row: within(y), column: within(x) };
}

/** The pen's ink and last position; null while it is up. @type {{ink: number, row: number, column: number} | null} */
let pen = null;

input.addEventListener("pointerdown", (event) => {
  if (!event.isPrimary || event.button !== 0) return;
  const at = cellAt(event, input, SIDE);
  pen = { ink: 1 - drawing[at.row * SIDE + at.column], ...at };
  put(at);
  look(at.row, at.column);
  draw();
  input.setPointerCapture(event.pointerId); // last, because it throws after a very quick tap
});
input.addEventListener("pointermove", (event) => {
  if (!event.isPrimary) return;
  const at = cellAt(event, input, SIDE);
  if (pen && event.buttons > 0) {
    cellsBetween(pen, at).forEach(put);
    pen = { ...pen, ...at };
  }
  look(at.row, at.column);
  draw();
});
for (const end of ["pointerup", "pointercancel"]) input.addEventListener(end, () => (pen = null));

/** @param {{row: number, column: number}} at */
function put({ row, column }) {
  if (pen) drawing[row * SIDE + column] = pen.ink;
}

for (const type of ["pointerdown", "pointermove"]) {
  output.addEventListener(type, (event) => {
    const { row, column } = cellAt(/** @type {PointerEvent} */ (event), output, PLACES);
    look(row + 1, column + 1);
    draw();
  });
}

/** @type {Record<string, [number, number]>} */
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

for (const element of [input, output]) {
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const middle = { row: place.row + 1, column: place.column + 1 };
    if (event.key in STEPS) {
      look(middle.row + STEPS[event.key][0], middle.column + STEPS[event.key][1]);
    } else if (event.key === " " && element === input) {
      drawing[middle.row * SIDE + middle.column] = 1 - drawing[middle.row * SIDE + middle.column];
    } else return;
    event.preventDefault(); // arrows and Space would scroll the page
    draw();
  });
}

/** @param {string} name @param {string} label @param {() => readonly number[]} make */
function drawingButton(name, label, make) {
  const element = button(name, () => {
    drawing = [...make()];
    draw();
  });
  element.setAttribute("aria-label", label);
  return element;
}

const drawings = [
  ...Object.entries(DRAWINGS).map(([digit, ready]) => drawingButton(digit, `draw a ${digit}`, () => ready)),
  drawingButton("Clear", "Clear", () => drawing.map(() => 0)),
  drawingButton("←", "move the drawing left", () => moved(drawing, -1)),
  drawingButton("→", "move the drawing right", () => moved(drawing, 1)),
];

/** @param {string} [text] */
function caption(text = "") {
  const element = html("p", { class: "muted" }, text);
  element.style.fontSize = "0.875rem";
  return element;
}

/** @param {Partial<CSSStyleDeclaration>} style @param {Record<string, string>} attributes @param {...Node} children */
function styled(style, attributes, ...children) {
  const element = html("div", attributes, ...children);
  Object.assign(element.style, style);
  return element;
}

const part = (/** @type {HTMLElement} */ above, /** @type {Element} */ below) => html("div", {}, above, below);
const buttons = styled({ display: "flex", flexWrap: "wrap", gap: "0.5rem" }, {}, ...drawings);
const square = styled(
  { display: "grid", gridTemplateColumns: `repeat(${KERNEL}, ${TILE}px)` },
  { role: "group", "aria-label": "The filter's nine weights" },
  ...tiles,
);
for (const tile of tiles) {
  Object.assign(tile.style, { height: `${TILE}px`, padding: "0", fontSize: "0.875rem", borderRadius: "0", borderColor: LINES, outlineOffset: "-3px" });
}
Object.assign(says.style, { flex: "1 1 14rem", minHeight: "9rem" });
/** @type {HTMLElement} */ (filter.element.lastElementChild).style.gridColumn = "2 / 4";
for (const { element } of [bend, pooling]) element.style.gridTemplateColumns = "7rem 1.25rem";

const ninths = styled({ display: "flex", gap: "1rem" }, {}, part(caption("the filter"), square), part(caption("pixel · weight"), products));
const settings = html("div", { class: "controls" }, filter.element, weight.element);
const ticks = html("div", { class: "controls" }, bend.element, pooling.element);
const rows = [
  [part(caption("your drawing, 14 × 14 pixels"), input), part(outputCaption, output)],
  [ninths, says],
  [settings, ticks],
];
const [boards, ...others] = rows.map((row) => html("div", { class: "parts" }, ...row));
boards.classList.add("stays", "pair");
pictureFrame().append(styled({ display: "grid", gap: "1rem" }, {}, buttons, boards, ...others));
draw();
