// The figure of chapter 5: a loss of two weights as a map, the way down from a chosen start, and the loss after each step.

import { button, choice, html, inWords, partsAt, pictureFrame, slider, svg, tick } from "./elements.js";
import { EDGE, LANDSCAPES, OPTIMIZERS, SCHEDULES, average, contour, descend } from "./gradient-descent.js";

/** @import { Landscape } from "./descent.js" */

const STEPS = 100; // of a run
const STEPS_A_SECOND = 40;
const NOISE = 2;
const AVERAGED = 25; // steps
const SIDE = 320;
const CELLS = 160;
const LEVELS = Array.from({ length: 11 }, (_, i) => 0.04 * 2 ** i); // above the lowest point
const [CURVE_WIDTH, CURVE_HEIGHT, LEFT, TOP, BOTTOM] = [320, 236, 44, 12, 30];
const POWERS = { 2: "100", 0: "1", "-2": "0.01", "-4": "10⁻⁴", "-6": "10⁻⁶" }; // of ten, on the curve's axis
const [HIGHEST, DEEPEST] = [2, -6];
const INK = "#ffd400";

const map = svg("svg", {
  class: "stays",
  width: SIDE,
  height: SIDE,
  viewBox: `0 0 ${SIDE} ${SIDE}`,
  role: "img",
  "aria-label": "The loss as a map with lines of equal height, w₁ to the right and w₂ upwards, and the path of the weights",
});
map.style.touchAction = "none"; // a finger moves the start, not the page
map.style.boxShadow = "0 0 0 1px #3a382f";
map.style.cursor = "crosshair";
const curve = svg("svg", {
  width: CURVE_WIDTH,
  height: CURVE_HEIGHT,
  viewBox: `0 0 ${CURVE_WIDTH} ${CURVE_HEIGHT}`,
  role: "img",
  "aria-label": "The loss above the lowest point after each step, on a scale of powers of ten",
});
const lines = svg("g");
const trail = svg("g");
const rise = svg("g");
map.append(
  lines,
  svg("text", { x: SIDE - 8, y: SIDE - 10, "text-anchor": "end", class: "muted" }, "w₁ →"),
  svg("text", { x: 8, y: 20, class: "muted" }, "↑ w₂"),
  trail,
);
curve.append(axes(), rise);
const says = html("p", { class: "says", "aria-live": "polite" });

const landscape = choice("landscape", LANDSCAPES.map(({ name }) => name), () => {
  drawLines();
  draw();
});
const optimizer = choice("steps", OPTIMIZERS.map(({ name }) => name), draw);
const schedule = choice("schedule", SCHEDULES.map(({ name }) => name), draw);
const rate = slider(
  "rate η",
  { min: -3, max: 0, step: 0.02, value: -1.14, show: (power) => String(rateOf(power)) },
  draw,
);
const across = { min: -EDGE, max: EDGE, step: 0.01, show: (/** @type {number} */ value) => inWords(value) };
const start1 = slider("start at w₁", { ...across, value: -1.8 }, draw);
const start2 = slider("start at w₂", { ...across, value: 1.2 }, draw);
const noise = tick("noise", false, draw);
const runButton = button("Run", () => (frame === null ? run() : pause()));

let taken = STEPS; // of the run's steps
/** @type {number | null} */
let frame = null;

/** Turn the slider's power of ten into the rate, rounded to two digits. @param {number} power */
function rateOf(power) {
  return Number((10 ** power).toPrecision(2));
}

function draw() {
  const place = LANDSCAPES[landscape.index];
  const path = descend({
    landscape: place,
    update: OPTIMIZERS[optimizer.index].create(),
    schedule: SCHEDULES[schedule.index].rate,
    rate: rateOf(rate.value),
    start: [start1.value, start2.value],
    steps: STEPS,
    taken,
    noise: noise.checked ? NOISE : 0,
  });
  const mean = noise.checked && path.length > 1 ? average(path.slice(1), AVERAGED) : null;
  drawTrail(place, path, mean);
  drawCurve(place, path);
  say(place, path, mean);
  rate.element.querySelector("input")?.setAttribute("aria-valuetext", String(rateOf(rate.value)));
}

function drawLines() {
  const { loss, lowest } = LANDSCAPES[landscape.index];
  lines.replaceChildren(
    ...LEVELS.map((level, i) => {
      const pieces = contour(loss, loss(lowest) + level, CELLS);
      const d = pieces.map((ends) => `M${ends.map(([a, b]) => `${across1(a)} ${down2(b)}`).join("L")}`).join("");
      const shade = Math.round(170 - (110 * i) / LEVELS.length); // the lower, the lighter
      return svg("path", { d, fill: "none", stroke: `rgb(${shade} ${shade - 4} ${shade - 14})`, "stroke-width": 1 });
    }),
  );
}

/** @param {Landscape} place @param {number[][]} path @param {number[] | null} mean */
function drawTrail({ lowest }, path, mean) {
  const points = path.map(([a, b]) => [across1(a), down2(b)]);
  const [x, y] = points[0];
  const [lowX, lowY] = [across1(lowest[0]), down2(lowest[1])];
  const parts = [
    svg("path", { d: `M${lowX - 5} ${lowY}h10m-5 -5v10`, stroke: "#fff", "stroke-width": 1.5 }),
    svg("path", { d: `M${points.map((point) => point.join(" ")).join("L")}`, fill: "none", stroke: INK, opacity: 0.7 }),
    ...points.slice(1).map(([cx, cy]) => svg("circle", { cx, cy, r: 2.5, class: "ink" })),
    svg("circle", { cx: x, cy: y, r: 7, fill: "none", stroke: "#fff", "stroke-width": 2 }),
  ];
  if (mean) {
    const [cx, cy] = [across1(mean[0]), down2(mean[1])];
    parts.push(svg("circle", { cx, cy, r: 6, fill: "#4a9eff", stroke: "#000", "stroke-width": 2 }));
  }
  trail.replaceChildren(...parts);
}

/** @param {Landscape} place @param {number[][]} path */
function drawCurve({ loss, lowest }, path) {
  const heights = path.map((w) => curveDown(loss(w) - loss(lowest)));
  const d = `M${heights.map((y, step) => `${curveAcross(step)} ${y}`).join("L")}`;
  const last = path.length - 1;
  rise.replaceChildren(
    svg("path", { d, fill: "none", stroke: INK, "stroke-width": 1.5 }),
    svg("circle", { cx: curveAcross(last), cy: heights[last], r: 3.5, class: "ink" }),
  );
}

function axes() {
  const parts = [];
  for (const [power, name] of Object.entries(POWERS)) {
    const y = curveDown(10 ** Number(power));
    parts.push(svg("path", { d: `M${LEFT} ${y}H${CURVE_WIDTH}`, stroke: "#3a382f" }));
    parts.push(svg("text", { x: LEFT - 8, y: y + 5, "text-anchor": "end", class: "muted" }, name));
  }
  for (const step of [0, STEPS / 2, STEPS]) {
    const anchor = step === STEPS ? "end" : step === 0 ? "start" : "middle";
    const name = step === STEPS ? `step ${step}` : String(step);
    parts.push(svg("text", { x: curveAcross(step), y: CURVE_HEIGHT - 8, "text-anchor": anchor, class: "muted" }, name));
  }
  return svg("g", {}, ...parts);
}

/** @param {Landscape} place @param {number[][]} path @param {number[] | null} mean */
function say(place, path, mean) {
  const w = path[path.length - 1];
  const above = (/** @type {readonly number[]} */ point) => heightInWords(place.loss(point) - place.loss(place.lowest));
  const steps = path.length - 1;
  const at = (/** @type {readonly number[]} */ point) => `(${inWords(point[0])}, ${inWords(point[1])}), ${above(point)} above`;
  const isFar = Math.hypot(...w) > 100;
  const sentences = [
    isFar
      ? `After ${steps} ${steps === 1 ? "step" : "steps"} the weights are far off the map.`
      : `After ${steps} ${steps === 1 ? "step" : "steps"} the weights are ${at(w)} the lowest point.`,
  ];
  if (mean && !isFar) sentences.push(`The mean of the last ${AVERAGED}, blue, is ${at(mean)} it.`);
  if (landscape.index === 0 && optimizer.index === 0 && schedule.index === 0) sentences.push(factors());
  says.textContent = sentences.join(" ");
  says.setAttribute("aria-live", frame === null ? "polite" : "off");
  const numbers = { steps, rate: rateOf(rate.value), path: JSON.stringify(path), mean: JSON.stringify(mean) };
  Object.assign(says.dataset, numbers);
}

/** @param {number} height */
function heightInWords(height) {
  return height < 0.0001 ? "less than 0.0001" : inWords(height, 4);
}

/** Describe the effect of a plain step on each weight of the ravine. */
function factors() {
  const step = rateOf(rate.value);
  const [along, across] = [1 - step, 1 - 25 * step];
  const verdict =
    step > 0.08
      ? "grows: the rate is above 2/25 = 0.08"
      : step === 0.08
        ? "changes sides forever: the rate is 2/25 = 0.08"
        : step > 0.04
          ? "changes sides each time"
          : "shrinks";
  return (
    `Each step multiplies w₁ by 1 − ${step} · 1 = ${inWords(along, 3)}, ` +
    `and w₂ by 1 − ${step} · 25 = ${inWords(across, 3)}: w₂ ${verdict}.`
  );
}

function run() {
  if (taken === STEPS) taken = 0;
  if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
    taken = STEPS;
    draw();
    return;
  }
  const [first, begin] = [taken, performance.now()];
  const next = (/** @type {number} */ now) => {
    taken = Math.min(STEPS, first + Math.max(0, Math.floor(((now - begin) / 1000) * STEPS_A_SECOND)));
    frame = taken < STEPS ? requestAnimationFrame(next) : null;
    if (frame === null) runButton.textContent = "Run";
    draw();
  };
  runButton.textContent = "Pause";
  frame = requestAnimationFrame(next);
}

function pause() {
  if (frame !== null) cancelAnimationFrame(frame);
  frame = null;
  runButton.textContent = "Run";
  draw();
}

/** @param {number} next */
function goTo(next) {
  taken = next;
  pause();
}

/** Map a weight to pixels. The limits keep far points drawable. @param {number} a */
function across1(a) {
  return clamp(((a + EDGE) / (2 * EDGE)) * SIDE);
}

/** @param {number} b */
function down2(b) {
  return clamp(((EDGE - b) / (2 * EDGE)) * SIDE);
}

/** @param {number} pixels */
function clamp(pixels) {
  return Number(Math.min(5000, Math.max(-5000, pixels)).toFixed(2));
}

/** @param {number} step */
function curveAcross(step) {
  return LEFT + (step / STEPS) * (CURVE_WIDTH - LEFT - 4);
}

/** @param {number} height above the lowest point */
function curveDown(height) {
  const power = Math.log10(Math.max(height, 10 ** DEEPEST));
  const part = (HIGHEST - Math.min(power, HIGHEST + 2)) / (HIGHEST - DEEPEST);
  return TOP + part * (CURVE_HEIGHT - TOP - BOTTOM);
}

map.addEventListener("pointerdown", (event) => {
  map.setPointerCapture(event.pointerId);
  goTo(0);
  startAt(event);
});
map.addEventListener("pointermove", (event) => {
  if (map.hasPointerCapture(event.pointerId)) startAt(event);
});
map.addEventListener("pointerup", (event) => {
  if (map.hasPointerCapture(event.pointerId)) run();
});

/** @param {PointerEvent} event */
function startAt(event) {
  const { x, y } = partsAt(map, event);
  start1.value = 2 * EDGE * x - EDGE;
  start2.value = EDGE - 2 * EDGE * y;
  draw();
}

const buttons = html(
  "div",
  { class: "parts" },
  runButton,
  button("Step", () => goTo(taken === STEPS ? 1 : taken + 1)),
  button("Reset", () => goTo(0)),
);
buttons.style.gap = "0.5rem";
const controls = html(
  "div",
  { class: "parts" },
  html("div", { class: "controls" }, ...[optimizer, rate, schedule, noise].map(({ element }) => element)),
  html("div", { class: "controls" }, ...[landscape, start1, start2].map(({ element }) => element)),
);
const beside = html("div", {}, html("p", { class: "muted" }, "Loss above the lowest point"), curve, buttons);
buttons.style.marginTop = "1rem";
for (const select of controls.querySelectorAll("select")) select.style.paddingInline = "0.5rem";
const caption = html("p", { class: "muted" }, "White ring: the start; press anywhere to move it. Cross: the lowest point.");
pictureFrame().append(html("div", { class: "parts" }, html("div", {}, map), beside), controls, says, caption);
controls.style.marginTop = "1rem";
controls.style.gap = "0.5rem";
caption.style.marginTop = "0.5rem";
drawLines();
draw();
