// The figure of chapter 9: a number, and the lattice of its candidates with the best path.

import { button, html, inWords, pictureFrame, slider, svg } from "./elements.js";
import { EXAMPLES } from "./numbers-examples.js";
import { COSTS, UNREADABLE, bestPath, textOf } from "./numbers.js";

/** @import { BestPath, Candidate, Costs, Example, Line } from "./lattice.js" */

const READ_URL = "../api/read?candidates=true";
const [WIDTH, HEIGHT] = [400, 160]; // of the paper
const BRUSH = 10;
const [MARGIN, PIECE] = [24, 64]; // of the lattice
const [LOWEST, ROW] = [30, 34]; // arcs over one piece, and how much higher one over another piece is
const [INK, FAINT] = ["#ffd400", "#8b8678"];
const OUTLINES = [
  { stroke: "#4a9eff", "stroke-dasharray": "none" },
  { stroke: "#ff8ad8", "stroke-dasharray": "6 4" },
  { stroke: "#7be07b", "stroke-dasharray": "2 3" },
];

/** @type {number[][][]} */
let strokes = [];
/** Null for a drawing that has not been read yet. @type {Line | null} */
let line = null;
/** The drawing is an example, which a stroke replaces. */
let isExample = true;
/** Grows with each drawing, which makes older answers void. */
let version = 0;
/** The selected candidate; -1 for the whole path. */
let selected = -1;

const paper = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, role: "img" });
Object.assign(paper.style, { touchAction: "none", cursor: "crosshair", border: "1px solid #3a382f" });
const lattice = html("div", { class: "scrolls", tabindex: 0, role: "group", "aria-label": "The lattice" });
const says = html("p", { class: "says", "aria-live": "polite" });
const show = (/** @type {number} */ value) => inWords(value, 1);
const gap = slider("gap cost", { min: 0, max: 20, step: 0.5, value: COSTS.gap, show }, changeCosts);
const cut = slider("cut cost", { min: 0, max: 10, step: 0.5, value: COSTS.cut, show }, changeCosts);
const buttons = EXAMPLES.map((example) => button(example.name, () => pick(example)));
const clear = button("Clear", () => begin([]));

/** @param {Example} example */
function pick(example) {
  begin(example.strokes);
  [line, isExample] = [example, true];
  draw();
}

function changeCosts() {
  selected = -1;
  draw();
}

/** Start another drawing. @param {number[][][]} next */
function begin(next) {
  version += 1;
  [strokes, line, isExample, selected] = [next, null, false, -1];
  draw();
}

// ---- Drawing

paper.addEventListener("pointerdown", (event) => {
  if (isExample) begin([]);
  strokes = [...strokes, [placeOf(event)]];
  version += 1;
  draw();
  paper.setPointerCapture(event.pointerId); // last, because it throws after a very quick tap
});
paper.addEventListener("pointermove", (event) => {
  if (event.buttons === 0 || isExample || strokes.length === 0) return;
  strokes[strokes.length - 1].push(placeOf(event));
  drawPaper();
});
paper.addEventListener("pointerup", () => {
  if (!isExample) readDrawing();
});

/** @param {PointerEvent} event */
function placeOf({ clientX, clientY }) {
  const { left, top, width } = paper.getBoundingClientRect();
  return [clientX - left, clientY - top].map((distance) => Math.round((distance * WIDTH) / width));
}

/** Ask the service of this page for the candidates. It logs nothing. */
async function readDrawing() {
  const asked = version;
  let answer = null;
  try {
    const body = JSON.stringify({ strokes, width: WIDTH, height: HEIGHT, brush: BRUSH });
    const reply = await fetch(READ_URL, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    if (reply.ok) answer = await reply.json();
  } catch {
    // The service is away.
  }
  if (asked !== version) return;
  const found = answer?.lines?.[0];
  if (found?.pieces?.length > 0 && found.candidates?.length > 0) {
    [line, selected] = [found, -1];
    draw();
  } else {
    says.textContent = "The service did not read this drawing. Draw with a running Doodle, or choose a number.";
  }
}

// ---- The figure

function draw() {
  drawPaper();
  buttons.forEach((each, i) => {
    const isShown = line === EXAMPLES[i];
    each.setAttribute("aria-pressed", String(isShown));
    each.style.borderColor = isShown ? INK : "";
  });
  if (line === null) {
    lattice.replaceChildren();
    says.textContent = "Draw a number on the paper, or choose one.";
    return;
  }
  const best = bestPath(line, costs());
  drawLattice(line, best);
  sayIt(line, best);
}

/** @returns {Costs} */
function costs() {
  return { gap: gap.value, cut: cut.value };
}

function drawPaper() {
  const ink = strokes.map((stroke) =>
    svg("polyline", {
      points: [...stroke, stroke[0]].slice(0, Math.max(stroke.length, 2)).join(" "),
      fill: "none",
      stroke: INK,
      "stroke-width": BRUSH,
      "stroke-linecap": "round",
      "stroke-linejoin": "round",
    }),
  );
  paper.setAttribute("aria-label", line === null ? "Paper to draw on" : `A drawing of ${line.pieces.length} pieces`);
  paper.replaceChildren(...ink, ...(line?.pieces ?? []).map(({ box }, i) => pieceOutline(box, i)));
}

/** @param {number[]} box @param {number} i */
function pieceOutline([x, y, width, height], i) {
  const [left, top] = [x - BRUSH / 2, y - BRUSH / 2];
  const look = OUTLINES[i % OUTLINES.length];
  const outline = svg("rect", { x: left, y: top, width: width + BRUSH, height: height + BRUSH, fill: "none", "stroke-width": 2, ...look });
  const name = svg("text", { x: left + 2, y: top - 4 }, String(i + 1));
  name.style.fill = look.stroke;
  return svg("g", {}, outline, name);
}

/** @param {Line} shown @param {BestPath} best */
function drawLattice({ pieces, candidates }, best) {
  const width = Math.max(WIDTH, PIECE * pieces.length + 2 * MARGIN);
  const across = (/** @type {number} */ node) => MARGIN + (node * (width - 2 * MARGIN)) / pieces.length;
  const longest = Math.max(...candidates.map(({ start, end }) => end - start));
  const base = LOWEST + ROW * (longest - 1) + 24;
  const nodes = Array.from({ length: pieces.length + 1 }, (_, node) => svg("circle", { cx: across(node), cy: base, r: 5, fill: "#fff" }));
  const names = pieces.map((_, i) => {
    const name = svg("text", { x: (across(i) + across(i + 1)) / 2, y: base + 18, "text-anchor": "middle" }, `piece ${i + 1}`);
    name.classList.add("muted");
    return name;
  });
  const edges = candidates.map((candidate, index) => edge(candidate, index, across, base, best.path.includes(index)));
  const focused = document.activeElement?.getAttribute("data-candidate");
  const element = svg("svg", { viewBox: `0 0 ${width} ${base + 26}`, width }, ...edges, ...nodes, ...names);
  if (width > WIDTH) element.style.maxWidth = "none";
  lattice.replaceChildren(element);
  if (focused) /** @type {SVGElement | null} */ (lattice.querySelector(`[data-candidate="${focused}"]`))?.focus();
}

/**
 * @param {Candidate} candidate
 * @param {number} index
 * @param {(node: number) => number} across
 * @param {number} base
 * @param {boolean} isBest
 */
function edge({ start, end, digit, score }, index, across, base, isBest) {
  const [left, right] = [across(start), across(end)];
  const height = LOWEST + ROW * (end - start - 1);
  const control = base - (height * 4) / 3;
  const path = { d: `M ${left} ${base} C ${left} ${control} ${right} ${control} ${right} ${base}`, fill: "none" };
  const dash = score > UNREADABLE ? "none" : "3 4";
  const line = svg("path", { ...path, stroke: isBest ? INK : FAINT, "stroke-width": isBest ? 5 : 1.5, "stroke-dasharray": dash });
  const wide = svg("path", { ...path, stroke: "transparent", "stroke-width": 24 }); // a fingertip
  const label = svg("text", { x: (left + right) / 2, y: base - height - 6, "text-anchor": "middle" }, `${digit}: ${inWords(score, 1)}`);
  label.classList.add(isBest ? "ink" : "muted");
  if (isBest) label.style.fontWeight = "700";
  const name = `${inPieces(start, end)}: a ${digit}, score ${inWords(score, 1)}${isBest ? ", on the best path" : ""}`;
  const element = svg("g", { tabindex: 0, role: "button", "aria-label": name, "data-candidate": index }, line, wide, label);
  element.style.cursor = "pointer";
  const select = () => {
    selected = index;
    if (line !== null) sayCandidate(index);
  };
  element.addEventListener("click", select);
  element.addEventListener("focus", select);
  return element;
}

/** @param {number} start @param {number} end */
function inPieces(start, end) {
  return end - start === 1 ? `Piece ${end}` : `Pieces ${start + 1} to ${end}`;
}

/** @param {Line} shown @param {BestPath} best */
function sayIt({ candidates }, best) {
  const { path, steps } = best;
  const text = textOf(candidates, path);
  const total = steps[path[path.length - 1]].total;
  const sum = (/** @type {"score" | "gap" | "cut" | "overlap"} */ name) => path.reduce((all, index) => all + steps[index][name], 0);
  if (selected < 0) {
    const parts = `scores ${inWords(sum("score"))}, gaps ${inWords(-sum("gap"))}, cuts ${inWords(-sum("cut"))}, overlaps ${inWords(-sum("overlap"))}`;
    says.textContent = `The best path reads ${text}. Its total is ${inWords(total)}: ${parts}.`;
  } else {
    sayCandidate(selected);
  }
  Object.assign(says.dataset, { text, path: path.join(" "), total: String(total) });
}

/** @param {number} index */
function sayCandidate(index) {
  if (line === null) return;
  const { start, end, digit } = line.candidates[index];
  const { path, steps } = bestPath(line, costs());
  const { score, gap, cut, overlap, before, total } = steps[index];
  const after = before < 0 ? "" : `, after ${inWords(steps[before].total)}`;
  const part = path.includes(index) ? "It is on the best path." : "The best path avoids it.";
  says.textContent =
    `${inPieces(start, end)}, a ${digit}: score ${inWords(score)}, gap ${inWords(-gap)}, cut ${inWords(-cut)}, overlap ${inWords(-overlap)}${after}.` +
    ` Total ${inWords(total)}. ${part}`;
}

const picks = html("div", { class: "parts" }, ...buttons, clear);
picks.style.gap = "0.5rem";
const controls = html("div", { class: "controls" }, picks, gap.element, cut.element);
const sheets = html("div", { class: "controls stays" }, paper, lattice);
Object.assign(sheets.style, { gridTemplateColumns: "minmax(0, 1fr)", maxWidth: "100%" }); // a long lattice scrolls
pictureFrame().append(html("div", { class: "parts" }, sheets, controls), says);
pick(EXAMPLES[1]);
