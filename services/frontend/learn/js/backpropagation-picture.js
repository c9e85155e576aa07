// The figure of chapter 4: a tiny network as a graph. Numbers go forward, then gradients go back, node by node.

import { GIVEN, backward, forward, steps, written } from "./backpropagation.js";
import { button, html, inWords, pictureFrame, slider, svg } from "./elements.js";

/** @import { GraphLine, Position } from "./figures.js" */

const ABOVE = "#ffd400";
const BELOW = "#4a9eff";
const NOTHING = "#a29d90"; // zero
const UNKNOWN = "#3a382f"; // not computed yet
const KNOWN = "#6b675b";
const GIVEN_COLOR = "#f2efe6";
const [BOX_WIDTH, BOX_HEIGHT] = [88, 44];
const WIDE = 560; // pixels; a wider graph runs from left to right, a narrower one from top to bottom

const LINES = /** @type {const} */ ([
  ["x", "z1", "w1"],
  ["x", "z2", "w2"],
  ["z1", "h1", ""],
  ["z2", "h2", ""],
  ["h1", "y", "v1"],
  ["h2", "y", "v2"],
  ["y", "L", ""],
]);
const HEADS = { x: "x", z1: "z₁", z2: "z₂", h1: "h₁", h2: "h₂", y: "y", L: "L" };
/** @type {Partial<Record<string, "b1" | "b2" | "c">>} */
const BIASES = { z1: "b1", z2: "b2", y: "c" };

/** @typedef {keyof typeof HEADS} Node */

const range = { min: -4, max: 4, step: 0.1, show: (/** @type {number} */ value) => inWords(value, 1) };
const sliders = {
  x: slider("input x", { ...range, value: GIVEN.x }, () => moved("x")),
  t: slider("target t", { ...range, value: GIVEN.t }, () => moved("t")),
  w1: slider("weight w₁", { ...range, value: GIVEN.w1 }, () => moved("w1")),
  w2: slider("weight w₂", { ...range, value: GIVEN.w2 }, () => moved("w2")),
  v1: slider("weight v₁", { ...range, value: GIVEN.v1 }, () => moved("v1")),
  v2: slider("weight v₂", { ...range, value: GIVEN.v2 }, () => moved("v2")),
};

const holder = html("div", { class: "stays" });
const says = html("p", { class: "says", "aria-live": "polite" });
let given = { ...GIVEN };
let done = 1; // steps
/** The numbers before the slider's current move. @type {typeof GIVEN | null} */
let before = null;

/** @param {keyof typeof sliders} name */
function moved(name) {
  before ??= given;
  given = { ...given, [name]: sliders[name].value };
  draw(promise(name));
}

/** Compare the change of the loss with the gradient's prediction, in words. @param {keyof typeof sliders} name */
function promise(name) {
  if (before === null || done < steps(given).length) return "";
  const by = given[name] - before[name];
  const [was, is] = [forward(before).L, forward(given).L];
  const slope = backward(before)[name];
  says.dataset.promised = String(by * slope);
  return (
    `You moved ${written(name)} by ${inWords(by, 1, true)}. Its gradient was ${inWords(slope)}, and predicted a change of the loss by ` +
    `${inWords(by * slope, 2, true)}. It changed by ${inWords(is - was, 2, true)}, from ${inWords(was)} to ${inWords(is)}.`
  );
}

/** @param {number} next */
function goTo(next) {
  done = Math.min(Math.max(next, 1), steps(given).length);
  draw();
}

function reset() {
  given = { ...GIVEN };
  for (const name of /** @type {(keyof typeof sliders)[]} */ (Object.keys(sliders))) sliders[name].value = GIVEN[name];
  goTo(1);
}

function draw(instead = "") {
  const all = steps(given);
  const current = all[done - 1];
  const made = known(all, false, { ...given, ...forward(given) });
  const grad = known(all, true, backward(given));
  holder.replaceChildren(graph(made, grad, current));
  says.textContent = instead || `${done} of ${all.length}, ${current.isBack ? "back" : "forward"}: ${current.rule}`;
  says.dataset.step = String(done);
  says.dataset.numbers = JSON.stringify(made);
  says.dataset.gradients = JSON.stringify(grad);
}

/**
 * Return the numbers that the steps so far have computed.
 * @param {ReturnType<typeof steps>} all
 * @param {boolean} isBack
 * @param {Record<string, number>} numbers
 */
function known(all, isBack, numbers) {
  const shown = all.slice(0, done).flatMap((step) => (step.isBack === isBack ? step.shows : []));
  return /** @type {Record<string, number>} */ (Object.fromEntries(shown.map((name) => [name, numbers[name]])));
}

/** @param {Record<string, number>} made @param {Record<string, number>} grad @param {{node: string, isBack: boolean}} current */
function graph(made, grad, current) {
  const width = Math.min(Math.max(holder.clientWidth, 300), 720);
  const isWide = width >= WIDE;
  const height = isWide ? 264 : 440;
  says.style.minHeight = isWide ? "3em" : "6em"; // so that what stands below stays there
  const places = isWide ? acrossPlaces(width) : downPlaces(width);
  const picture = svg("svg", {
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-label": "The network as a graph: the numbers on the way forward in boxes, the gradients on the way back beside them",
  });
  for (const [from, to, weight] of LINES) {
    picture.append(...line(places[from], places[to], { from, to, weight, isWide }, made, grad));
  }
  for (const node of /** @type {Node[]} */ (Object.keys(HEADS))) {
    const isCurrent = current.node === node || (current.node === "w1" && node === "x");
    picture.append(...box(node, places[node], made, grad, isCurrent, isWide));
  }
  const { L } = places;
  const [x, y, anchor] = isWide ? [L.x, L.y + 46, "middle"] : [L.x + BOX_WIDTH / 2 + 10, L.y + 5, "start"];
  picture.append(words(Number(x), Number(y), String(anchor), [["t ", NOTHING], [inWords(given.t, 1), GIVEN_COLOR]]));
  return picture;
}

/** @param {number} width @returns {Record<Node, Position>} */
function acrossPlaces(width) {
  const [x, z, h, y, L] = [0, 0.29, 0.5, 0.8, 1].map((part) => BOX_WIDTH / 2 + 2 + part * (width - BOX_WIDTH - 4));
  const [top, middle, bottom] = [40, 126, 212];
  return {
    x: { x, y: middle },
    z1: { x: z, y: top },
    z2: { x: z, y: bottom },
    h1: { x: h, y: top },
    h2: { x: h, y: bottom },
    y: { x: y, y: middle },
    L: { x: L, y: middle },
  };
}

/** @param {number} width @returns {Record<Node, Position>} */
function downPlaces(width) {
  const [left, middle, right] = [BOX_WIDTH / 2 + 2, width / 2, width - BOX_WIDTH / 2 - 2];
  return {
    x: { x: middle, y: 26 },
    z1: { x: left, y: 128 },
    z2: { x: right, y: 128 },
    h1: { x: left, y: 216 },
    h2: { x: right, y: 216 },
    y: { x: middle, y: 326 },
    L: { x: middle, y: 412 },
  };
}

/**
 * @param {Node} node
 * @param {Position} place
 * @param {Record<string, number>} made
 * @param {Record<string, number>} grad
 * @param {boolean} isCurrent
 * @param {boolean} isWide
 */
function box(node, { x, y }, made, grad, isCurrent, isWide) {
  const isKnown = node in made;
  const frame = svg("rect", {
    x: x - BOX_WIDTH / 2,
    y: y - BOX_HEIGHT / 2,
    width: BOX_WIDTH,
    height: BOX_HEIGHT,
    rx: 8,
    fill: "#000",
    stroke: isCurrent ? "#fff" : isKnown ? KNOWN : UNKNOWN,
    "stroke-width": isCurrent ? 3 : 1.5,
  });
  const bias = BIASES[node];
  const head = bias ? `${HEADS[node]} (${written(bias)} ${inWords(given[bias], 1)})` : HEADS[node];
  const parts = [frame, words(x, y - 5, "middle", [[head, NOTHING]])];
  if (isKnown) parts.push(words(x, y + 14, "middle", [[inWords(made[node]), color(made[node])]]));
  if (node in grad && node !== "L") {
    const [gradX, gradY, anchor] = isWide
      ? [x, y + BOX_HEIGHT / 2 + 18, "middle"]
      : node === "z2" || node === "h2"
        ? [x - BOX_WIDTH / 2 - 8, y + 5, "end"]
        : [x + BOX_WIDTH / 2 + 8, y + 5, "start"];
    parts.push(gradientLabel(gradX, gradY, anchor, grad[node], isWide));
  }
  return parts;
}

/**
 * Draw an arrow, gray on the way forward. On the way back, width and color show the gradient.
 * @param {Position} start
 * @param {Position} end
 * @param {GraphLine} what
 * @param {Record<string, number>} made
 * @param {Record<string, number>} grad
 */
function line(start, end, { from, to, weight, isWide }, made, grad) {
  const [x1, y1] = isWide ? [start.x + BOX_WIDTH / 2, start.y] : [start.x, start.y + BOX_HEIGHT / 2];
  const [x2, y2] = isWide ? [end.x - BOX_WIDTH / 2, end.y] : [end.x, end.y - BOX_HEIGHT / 2];
  const hasPassed = from in grad || (weight !== "" && weight in grad);
  const passes = hasPassed ? (weight ? given[/** @type {"w1"} */ (weight)] * grad[to] : grad[from]) : 0;
  const drawn = svg("line", {
    x1,
    y1,
    x2,
    y2,
    stroke: hasPassed ? color(passes) : to in made ? NOTHING : UNKNOWN,
    "stroke-width": hasPassed ? 1.5 + Math.min(5, Math.abs(passes)) : 1.5,
  });
  if (hasPassed && passes === 0) drawn.setAttribute("stroke-dasharray", "2 6");
  if (!weight) return [drawn];

  const isFirst = weight.endsWith("1");
  const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
  /** @type {[string, string][]} */
  const value = [
    [`${written(weight)} `, NOTHING],
    [inWords(given[/** @type {"w1"} */ (weight)], 1), GIVEN_COLOR],
  ];
  const isBefore = isWide ? weight.startsWith("w") : isFirst; // the label's side of the line
  const anchor = isBefore ? "end" : "start";
  const aside = x + (isBefore ? -10 : 10);
  const top = isWide ? y + (isFirst ? -26 : 22) : y + (weight.startsWith("w") ? -24 : 18);
  const label = [drawn, words(aside, top, anchor, value)];
  if (weight in grad) label.push(gradientLabel(aside, top + 18, anchor, grad[weight], isWide));
  return label;
}

/** @param {number} x @param {number} y @param {string} anchor @param {number} value @param {boolean} isWide */
function gradientLabel(x, y, anchor, value, isWide) {
  return words(x, y, anchor, [[`${isWide ? "←" : "↑"} ${inWords(value)}`, color(value)]]);
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} anchor
 * @param {[string, string][]} parts text, and its color
 */
function words(x, y, anchor, parts) {
  const text = svg("text", { x, y, "text-anchor": anchor });
  for (const [part, fill] of parts) {
    const span = svg("tspan", {}, part);
    span.style.fill = fill;
    text.append(span);
  }
  return text;
}

/** @param {number} value */
function color(value) {
  if (Math.abs(value) < 0.005) return NOTHING;
  return value > 0 ? ABOVE : BELOW;
}

const buttons = html(
  "div",
  { class: "parts" },
  button("Step", () => goTo(done + 1)),
  button("Undo", () => goTo(done - 1)),
  button("All", () => goTo(Infinity)),
  button("Reset", reset),
);
buttons.style.gap = "0.5rem";
buttons.style.marginTop = "1rem";
const controls = html("div", { class: "controls" }, ...Object.values(sliders).map(({ element }) => element));
controls.style.marginTop = "1rem";
controls.style.gridTemplateColumns = "repeat(auto-fit, minmax(min(100%, 21.5rem), 1fr))";
controls.addEventListener("change", () => (before = null)); // the move is over

pictureFrame().append(holder, buttons, says, controls);
new ResizeObserver(() => draw()).observe(holder);
draw();
