// The figure of chapter 3: five logits, their probabilities, the loss, and minus the gradient.

import { button, choice, html, inWords, partsAt, pictureFrame, slider, svg } from "./elements.js";
import { crossEntropy, gradient, softmax, stepDownhill } from "./loss.js";

const START = [0.5, -1, 2.5, 1, -0.5];
const START_LABEL = 3;
const RATE = 1;
const LIMIT = 6; // of the logits' sliders
const BLUE = "#4a9eff";

// The bars, in the units of their drawing.
const [WIDTH, COLUMN, BAR] = [320, 64, 34];
const [FLOOR, TALLEST] = [170, 120]; // of the probabilities
const [ZERO, LONGEST] = [262, 40]; // of the steps
// The curve of the loss.
const CURVE = { left: 30, right: 310, top: 14, bottom: 144, most: 5 };

const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;

let logits = [...START];
const sliders = START.map((value, i) =>
  slider(`logit of ${i}`, { min: -LIMIT, max: LIMIT, step: 0.1, value, show: (each) => inWords(each, 1) }, () => {
    logits[i] = sliders[i].value;
    draw();
  }),
);
const truth = choice(
  "the truth",
  START.map((_, i) => String(i)),
  draw,
);
const select = /** @type {HTMLSelectElement} */ (truth.element.querySelector("select"));
select.selectedIndex = START_LABEL;
const says = html("p", { class: "says", "aria-live": "polite" });
says.style.flex = "1 1 14rem";

/**
 * Make an element that moves smoothly when a number changes.
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 */
function moving(tag, attributes = {}) {
  const element = svg(tag, attributes);
  if (!isStill) element.style.transition = "all 0.15s";
  return element;
}

/** @param {number} x @param {number} y @param {string} text @param {Record<string, string>} [more] */
function label(x, y, text, more = {}) {
  return svg("text", { x, y, "text-anchor": "middle", ...more }, text);
}

const columns = START.map((_, i) => {
  const middle = (i + 0.5) * COLUMN;
  const x = middle - BAR / 2;
  return {
    bar: moving("rect", { x, width: BAR, rx: 3 }),
    percent: label(middle, FLOOR, ""),
    digit: label(middle, FLOOR + 20, String(i)),
    ring: svg("rect", { x: middle - 13, y: FLOOR + 4, width: 26, height: 23, rx: 5, fill: "none", stroke: "#f2efe6" }),
    step: moving("rect", { x, width: BAR, rx: 3 }),
    much: label(middle, ZERO, ""),
  };
});
const bars = svg(
  "svg",
  { class: "stays", viewBox: `0 0 ${WIDTH} 325`, width: WIDTH, role: "img", "aria-label": "The five probabilities, and minus the gradient of each logit" },
  label(4, 14, "probabilities p", { "text-anchor": "start", class: "muted" }),
  svg("path", { d: `M0 ${FLOOR}H${WIDTH}`, stroke: "#6b675b" }),
  label(4, 217, "minus the gradient", { "text-anchor": "start", class: "muted" }),
  svg("path", { d: `M0 ${ZERO}H${WIDTH}`, stroke: "#6b675b" }),
  ...columns.flatMap(({ bar, percent, digit, ring, step, much }) => [bar, percent, digit, ring, step, much]),
);

/** @param {number} p @param {number} loss @returns {[number, number]} */
function onCurve(p, loss) {
  const { left, right, top, bottom, most } = CURVE;
  return [left + p * (right - left), Math.max(top, bottom - (loss / most) * (bottom - top))];
}

const point = moving("circle", { r: 7, class: "ink", stroke: "#000", "stroke-width": 2 });
const drop = svg("path", { fill: "none", stroke: "#a29d90", "stroke-dasharray": "3 4" });
const curve = svg(
  "svg",
  { viewBox: `0 0 ${WIDTH} 180`, width: WIDTH, role: "img", "aria-label": "The loss for each probability of the true class" },
  svg("path", { d: `M${CURVE.left} ${CURVE.top}V${CURVE.bottom}H${CURVE.right}`, fill: "none", stroke: "#6b675b" }),
  svg("path", { d: curvePath(), fill: "none", stroke: "#f2efe6", "stroke-width": 2 }),
  drop,
  point,
  label(CURVE.left - 12, CURVE.bottom + 5, "0", { class: "muted" }),
  label(CURVE.left - 12, CURVE.top + 9, String(CURVE.most), { class: "muted" }),
  label(CURVE.left, CURVE.bottom + 20, "0", { class: "muted" }),
  label(CURVE.right - 4, CURVE.bottom + 20, "1", { class: "muted" }),
  label((CURVE.left + CURVE.right) / 2, CURVE.bottom + 20, "p of the true class", { class: "muted" }),
  label(CURVE.left + 60, CURVE.top + 14, "loss = −log(p)", { "text-anchor": "start" }),
);

function curvePath() {
  const from = Math.exp(-CURVE.most);
  const places = Array.from({ length: 101 }, (_, i) => from ** (1 - i / 100)); // close together where it is steep
  return `M${places.map((p) => onCurve(p, -Math.log(p)).map((value) => value.toFixed(1)).join(" ")).join("L")}`;
}

function draw() {
  const correct = truth.index;
  const probabilities = softmax(logits);
  const grad = gradient(logits, correct);
  const loss = crossEntropy(logits, correct);
  columns.forEach(({ bar, percent, digit, ring, step, much }, i) => {
    const height = TALLEST * probabilities[i];
    place(bar, FLOOR - height, height, i === correct ? "#ffd400" : "#8b8678");
    percent.textContent = `${inWords(100 * probabilities[i], 1)} %`;
    percent.setAttribute("y", String(FLOOR - height - 7));
    digit.setAttribute("font-weight", i === correct ? "700" : "400");
    ring.setAttribute("visibility", i === correct ? "visible" : "hidden");
    const length = LONGEST * Math.abs(grad[i]);
    const isUp = grad[i] < 0;
    place(step, isUp ? ZERO - length : ZERO, length, isUp ? "#ffd400" : BLUE);
    much.textContent = push(grad[i]);
    much.setAttribute("y", String(isUp ? ZERO + 18 : ZERO + length + 18));
  });
  const [x, y] = onCurve(probabilities[correct], loss);
  point.setAttribute("cx", String(x));
  point.setAttribute("cy", String(y));
  drop.setAttribute("d", `M${CURVE.left} ${y}H${x}V${CURVE.bottom}`);
  sayIt(correct, probabilities, grad, loss);
}

/** Return minus the gradient as text, without a sign if it is near zero. @param {number} grad */
function push(grad) {
  return inWords(-grad, 2, Math.abs(grad) >= 0.005);
}

/** @param {SVGElement} rect @param {number} y @param {number} height @param {string} color */
function place(rect, y, height, color) {
  rect.setAttribute("y", y.toFixed(2));
  rect.setAttribute("height", height.toFixed(2));
  rect.setAttribute("fill", color);
}

/** @param {number} correct @param {number[]} probabilities @param {number[]} grad @param {number} loss */
function sayIt(correct, probabilities, grad, loss) {
  const answer = logits.indexOf(Math.max(...logits));
  const verdict = answer === correct ? "correctly" : "incorrectly";
  const p = probabilities[correct];
  says.textContent =
    `The network predicts ${answer}, ${verdict}. The true class, ${correct}, has p ` +
    `${p < 0.0005 ? "below 0.001" : `= ${inWords(p, 3)}`}, and the loss is −log(p) = ${inWords(loss, 3)}. ` +
    `Downhill is ${push(grad[correct])} for logit ${correct}, and ${push(-grad[correct])} for all others together.`;
  says.dataset.logits = logits.join(" ");
  says.dataset.probabilities = probabilities.join(" ");
  says.dataset.gradient = grad.join(" ");
  says.dataset.loss = String(loss);
}

/** @param {number[]} next */
function moveTo(next) {
  logits = next;
  sliders.forEach((each, i) => {
    each.value = logits[i];
  });
  draw();
}

bars.style.cursor = "pointer";
bars.addEventListener("click", (event) => {
  const { x } = partsAt(bars, event);
  select.selectedIndex = Math.max(0, Math.min(START.length - 1, Math.floor(START.length * x)));
  draw();
});

const buttons = html(
  "div",
  { class: "parts" },
  button("One step downhill", () => moveTo(stepDownhill(logits, truth.index, RATE))),
  button("Start again", () => moveTo([...START])),
);
buttons.style.gap = "0.75rem";
const controls = html("div", { class: "controls" }, ...sliders.map(({ element }) => element), truth.element, buttons);
const below = html("div", { class: "parts" }, curve, says);
below.style.marginTop = "1rem";
pictureFrame().append(html("div", { class: "parts" }, bars, controls), below);
draw();
