// The figure of chapter 7: a polynomial that overfits its points, and the training and validation error.

import { button, html, inWords, partsAt, pictureFrame, slider, svg, tick } from "./elements.js";
import { curve, draw as drawPoints, errorOn, fits, HIGHEST, NOISE, valueAt } from "./training-well.js";

/** @import { Point } from "./training-well.js" */

const [WIDTH, HEIGHT] = [304, 240];
const BLUE = "#4a9eff";
const TALL = 2.2; // the curve's plot is from -TALL to TALL
const [LOWEST, LARGEST] = [0.05, 5]; // the axis of the errors
const EDGE = { left: 34, right: 8, top: 8, bottom: 38 };
const DECAYS = [0, 1e-5, 3e-5, 1e-4, 3e-4, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
const VALIDATION_POINTS = 40;
const TEST_POINTS = 1000;
const OTHERS = 1_000_000; // between the seeds of two sets

let seed = 8;
let looks = 0;
/** The last test error, and its degree. @type {{degree: number, error: number} | null} */
let tested = null;

const plot = svg("svg", { class: "stays", width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
const errors = svg("svg", { width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
errors.style.touchAction = "pan-y"; // dragging across chooses a degree, up and down moves the page
errors.style.cursor = "pointer";
const says = html("p", { class: "says", "aria-live": "polite" });
const degree = slider("degree", { min: 0, max: HIGHEST, step: 1, value: 12 }, draw);
const count = slider("points", { min: HIGHEST + 1, max: 120, step: 1, value: 18 }, draw);
const decay = slider("weight decay", { min: 0, max: DECAYS.length - 1, step: 1, value: 0, show: (i) => String(DECAYS[i]) }, draw);
const truth = tick("true curve", false, draw);

function draw() {
  const training = drawPoints(seed, count.value);
  const validation = drawPoints(seed + OTHERS, VALIDATION_POINTS);
  const fitted = fits(training, DECAYS[decay.value]);
  const onTraining = fitted.map((weights) => errorOn(weights, training));
  const onValidation = fitted.map((weights) => errorOn(weights, validation));
  const best = onValidation.indexOf(Math.min(...onValidation));
  const chosen = degree.value;
  drawPlot(training, validation, fitted[chosen]);
  drawErrors(onTraining, onValidation, best);
  const largest = Math.max(...fitted[chosen].map(Math.abs));
  says.textContent =
    `Degree ${chosen}: training error ${inWords(onTraining[chosen])}, validation error ${inWords(onValidation[chosen])}, ` +
    `largest weight ${largest.toLocaleString("en-US", { maximumFractionDigits: 1 })}. ` +
    (best === chosen ? "No degree does better on validation." : `Best on validation: degree ${best}, ${inWords(onValidation[best])}.`) +
    wordsOfTest();
  Object.assign(says.dataset, {
    training: JSON.stringify(training),
    validation: JSON.stringify(validation),
    trainingErrors: JSON.stringify(onTraining),
    validationErrors: JSON.stringify(onValidation),
    weights: JSON.stringify(fitted[chosen]),
    best: String(best),
  });
}

function wordsOfTest() {
  if (!tested) return "";
  const said = ` Test error of degree ${tested.degree}: ${inWords(tested.error)}.`;
  return looks === 1
    ? `${said} You have now used the test set: later changes can depend on it.`
    : `${said} Look number ${looks}: the test set is now one more validation set.`;
}


/** @param {readonly Point[]} training @param {readonly Point[]} validation @param {readonly number[]} weights */
function drawPlot(training, validation, weights) {
  const across = (/** @type {number} */ x) => ((x + 1) / 2) * WIDTH;
  const down = (/** @type {number} */ y) => ((TALL - Math.min(50, Math.max(-50, y))) / (2 * TALL)) * HEIGHT;
  const line = (/** @type {(x: number) => number} */ of) =>
    Array.from({ length: WIDTH + 1 }, (_, i) => `${i},${down(of((2 * i) / WIDTH - 1)).toFixed(2)}`).join(" ");
  const isCrowded = training.length > 40;
  const dots = training.map(({ x, y }) => svg("circle", { cx: across(x), cy: down(y), r: isCrowded ? 2.5 : 4, fill: "#ffd400", stroke: "#000" }));
  const points = line((x) => valueAt(weights, x));
  const lines = ["#000", "#ffd400"].map((stroke, i) => svg("polyline", { points, fill: "none", stroke, "stroke-width": i ? 2 : 5 }));
  plot.replaceChildren(
    svg("rect", { x: 0.5, y: 0.5, width: WIDTH - 1, height: HEIGHT - 1, fill: "none", stroke: "#3a382f" }),
    ...(truth.checked
      ? [svg("polyline", { points: line(curve), fill: "none", stroke: "#f2efe6", "stroke-width": 1.5, "stroke-dasharray": "5 5" })]
      : []),
    ...validation.map(({ x, y }) => svg("circle", { cx: across(x), cy: down(y), r: 3, fill: "none", stroke: BLUE, "stroke-width": 1.5 })),
    ...(isCrowded ? [...dots, ...lines] : [...lines, ...dots]),
  );
  plot.setAttribute(
    "aria-label",
    `${training.length} training points, ${validation.length} validation points, and the polynomial of degree ${weights.length - 1} fitted to the first`,
  );
}

/** @param {number} k */
function acrossDegree(k) {
  return EDGE.left + (k / HIGHEST) * (WIDTH - EDGE.left - EDGE.right);
}

/** @param {number} error */
function downError(error) {
  const part = Math.log(Math.min(LARGEST * 2, Math.max(LOWEST, error)) / LOWEST) / Math.log(LARGEST / LOWEST);
  return HEIGHT - EDGE.bottom - part * (HEIGHT - EDGE.top - EDGE.bottom);
}

/** @param {readonly number[]} onTraining @param {readonly number[]} onValidation @param {number} best */
function drawErrors(onTraining, onValidation, best) {
  const chosen = degree.value;
  const [left, right, floor] = [EDGE.left, WIDTH - EDGE.right, HEIGHT - EDGE.bottom];
  const line = (/** @type {readonly number[]} */ values, /** @type {string} */ stroke) =>
    svg("polyline", {
      points: values.map((error, k) => `${acrossDegree(k).toFixed(2)},${downError(error).toFixed(2)}`).join(" "),
      fill: "none",
      stroke,
      "stroke-width": 2,
    });
  const dot = (/** @type {number} */ k, /** @type {number} */ error, /** @type {string} */ fill) =>
    svg("circle", { cx: acrossDegree(k), cy: downError(Math.min(LARGEST, error)), r: 5, fill });
  const label = (/** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ text, anchor = "middle") => {
    const element = svg("text", { class: "muted", x, y, "text-anchor": anchor }, text);
    element.style.fontSize = "12px";
    return element;
  };
  errors.replaceChildren(
    ...[0.1, 0.3, 1, 3].flatMap((error) => [
      svg("line", { x1: left, x2: right, y1: downError(error), y2: downError(error), stroke: "#23221e" }),
      label(left - 6, downError(error) + 4, String(error), "end"),
    ]),
    svg("line", { x1: left, x2: right, y1: downError(NOISE), y2: downError(NOISE), stroke: "#a29d90", "stroke-dasharray": "2 4" }),
    svg("line", { x1: left, x2: right, y1: floor, y2: floor, stroke: "#6b675b" }),
    ...[0, 2, 4, 6, 8, 10, 12, 14].map((k) => label(acrossDegree(k), floor + 16, String(k))),
    label((left + right) / 2, HEIGHT - 5, "degree"),
    svg("line", { x1: acrossDegree(chosen), x2: acrossDegree(chosen), y1: EDGE.top, y2: floor, stroke: "#f2efe6" }),
    line(onTraining, "#ffd400"),
    line(onValidation, BLUE),
    svg("circle", { cx: acrossDegree(best), cy: downError(onValidation[best]), r: 8, fill: "none", stroke: "#f2efe6", "stroke-width": 1.5 }),
    dot(chosen, onTraining[chosen], "#ffd400"),
    dot(chosen, onValidation[chosen], BLUE),
    ...(tested ? [dot(tested.degree, tested.error, "#fff")] : []),
  );
  errors.setAttribute("aria-label", `Training and validation error over the degree, from 0 to ${HIGHEST}, with degree ${chosen} chosen`);
}

errors.addEventListener("pointerdown", chooseDegree);
errors.addEventListener("pointermove", (event) => {
  if (event.buttons > 0) chooseDegree(event);
});

/** @param {PointerEvent} event */
function chooseDegree(event) {
  const x = partsAt(errors, event).x * WIDTH;
  degree.value = Math.round(((x - EDGE.left) / (WIDTH - EDGE.left - EDGE.right)) * HIGHEST);
  draw();
}

const again = button("New points", () => {
  seed += 1;
  looks = 0;
  tested = null;
  draw();
});
const look = button("Look at the test", () => {
  looks += 1;
  const weights = fits(drawPoints(seed, count.value), DECAYS[decay.value])[degree.value];
  tested = { degree: degree.value, error: errorOn(weights, drawPoints(seed + 2 * OTHERS, TEST_POINTS)) };
  says.dataset.test = String(tested.error);
  draw();
});

/** @param {...(Node | string)} text */
function caption(...text) {
  const element = html("p", { class: "muted" }, ...text);
  element.style.fontSize = "0.875rem";
  return element;
}

const blue = (/** @type {string} */ text) => {
  const element = html("span", {}, text);
  element.style.color = BLUE;
  return element;
};
const yellow = (/** @type {string} */ text) => html("span", { class: "ink" }, text);
const part = (/** @type {HTMLElement} */ above, /** @type {Element} */ below) => html("div", {}, above, below);
const buttons = html("div", {}, again, look);
Object.assign(buttons.style, { display: "flex", flexWrap: "wrap", gap: "0.75rem" });
const controls = html("div", { class: "controls" }, ...[degree, count, decay, truth].map(({ element }) => element));
Object.assign(says.style, { minHeight: "4.5em", marginBottom: "0.5rem" });
pictureFrame().append(
  html(
    "div",
    { class: "parts" },
    part(caption(yellow("training points"), ", ", blue("validation points")), plot),
    part(caption(yellow("training error"), ", ", blue("validation error"), "; dotted: noise"), errors),
  ),
  says,
  html("div", { class: "parts" }, controls, buttons),
);
draw();
