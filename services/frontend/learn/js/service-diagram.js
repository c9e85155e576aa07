// The diagram of chapter 8's stack: boxes, lines between them, and dots that move along the lines.

import { svg } from "./elements.js";
import { isListed } from "./service.js";

/** @import { Stack } from "./stack.js" */

const [EDGE, FAINT, INK, BLUE] = ["#6b675b", "#4d4a40", "#ffd400", "#4a9eff"];
const FLIGHT = 650; // milliseconds
const WIDTH = 340;
const MIDDLE = WIDTH / 2;
const [PAGE_Y, NGINX_Y, REPLICA_Y, STORE_Y, TRAINER_Y] = [2, 66, 152, 272, 386];
const [BOX, STORE_HEIGHT, REPLICA_WIDTH, REPLICA_HEIGHT] = [36, 70, 76, 78];
const [UPPER_BUS, LOWER_BUS] = [128, 250];
const [PROMETHEUS_X, LOG_X, STORE_X, STORE_WIDTH, FIGURES_X] = [48, 68, 252, 174, 246];

/**
 * @param {number} most replicas
 * @param {(which: number) => void} onReplica when one is pressed
 * @param {MediaQueryList} isStill whether the user prefers reduced motion
 */
export function makeDiagram(most, onReplica, isStill) {
  const [lines, dots] = [svg("g"), svg("g")];
  const up = text(PROMETHEUS_X, NGINX_Y + 32, "", { class: "muted" });
  const log = text(LOG_X, STORE_Y + 43, "", { class: "muted" });
  const live = text(STORE_X, STORE_Y + 40, "", { class: "ink" });
  const candidate = text(STORE_X, STORE_Y + 58, "", { class: "muted" });
  const figures = /** @type {const} */ (["sent", "answered", "retried", "failed"]).map((name, i) => {
    const number = svg("tspan", { class: "ink" });
    const element = text(FIGURES_X, PAGE_Y + 20 + i * 26, "", { "text-anchor": "start" });
    element.append(number, ` ${name}`);
    return { name, number, element };
  });
  const replicas = Array.from({ length: most }, (_, i) => {
    const [version, beside] = [text(0, REPLICA_Y + 44, ""), text(0, REPLICA_Y + 64, "", { class: "muted" })];
    const outline = box(0, REPLICA_Y, REPLICA_WIDTH, REPLICA_HEIGHT);
    const element = svg("g", {}, outline, text(0, REPLICA_Y + 22, `replica ${i + 1}`), version, beside);
    element.style.cursor = "pointer";
    element.addEventListener("click", () => onReplica(i));
    return { element, outline, version, beside };
  });
  const element = svg(
    "svg",
    { class: "stays", viewBox: `0 0 ${WIDTH} ${TRAINER_Y + BOX + 2}`, width: WIDTH, role: "img" },
    lines,
    box(MIDDLE, PAGE_Y, 92, BOX),
    text(MIDDLE, PAGE_Y + 23, "the page"),
    box(MIDDLE, NGINX_Y, 92, BOX),
    text(MIDDLE, NGINX_Y + 23, "nginx"),
    box(PROMETHEUS_X, NGINX_Y - 6, 94, BOX + 8),
    text(PROMETHEUS_X, NGINX_Y + 13, "Prometheus"),
    up,
    ...figures.map((figure) => figure.element),
    ...replicas.map((replica) => replica.element),
    box(LOG_X, STORE_Y, 134, STORE_HEIGHT),
    text(LOG_X, STORE_Y + 23, "prediction log"),
    log,
    box(STORE_X, STORE_Y, STORE_WIDTH, STORE_HEIGHT),
    text(STORE_X, STORE_Y + 19, "model store"),
    live,
    candidate,
    box(STORE_X, TRAINER_Y, STORE_WIDTH, BOX),
    text(STORE_X, TRAINER_Y + 23, "trainer"),
    text(LOG_X + 4, TRAINER_Y + 36, "feedback", { class: "muted" }),
    dots
  );
  let size = 0;

  /** @param {number} which */
  function place(which) {
    return (WIDTH / size) * (which + 0.5);
  }

  /** @param {Stack} stack @param {number | null} answering the replica that has just answered */
  function show(stack, answering) {
    if (size !== stack.replicas.length) {
      size = stack.replicas.length;
      lines.replaceChildren(...linesTo(stack.replicas.map((_, i) => place(i))));
    }
    for (const [i, drawn] of replicas.entries()) {
      const replica = stack.replicas[i];
      drawn.element.setAttribute("display", replica ? "inline" : "none");
      if (!replica) continue;
      drawn.element.setAttribute("transform", `translate(${place(i)})`);
      drawn.outline.setAttribute("stroke", i === answering ? INK : replica.isUp ? EDGE : FAINT);
      drawn.outline.setAttribute("stroke-dasharray", replica.isUp ? "none" : "4 4");
      drawn.version.textContent = replica.isUp ? replica.live : "gone";
      drawn.version.setAttribute("class", replica.isUp ? "ink" : "muted");
      drawn.beside.textContent = replica.isUp ? (replica.candidate ?? "") : isListed(replica) ? "still listed" : "";
    }
    const { store, counts } = stack;
    for (const { name, number } of figures) number.textContent = String(counts[name]);
    up.textContent = `up ${stack.replicas.filter(({ isUp }) => isUp).length} of ${size}`;
    log.textContent = `${counts.answered} answers`;
    live.textContent = `live ${store.live}`;
    candidate.textContent = store.candidate === null ? "no candidate" : `candidate ${store.candidate}`;
    const state = stack.replicas.map((replica) => (replica.isUp ? replica.live : "gone")).join(" ");
    const named = `${live.textContent}, ${candidate.textContent}`;
    element.setAttribute("aria-label", `The stack. Replicas: ${state}. Model store: ${named}.`);
    Object.assign(element.dataset, { ...counts, replicas: state, live: store.live, candidate: store.candidate ?? "" });
  }

  /** Move a dot along these points. @param {number[][]} points @param {string} color */
  function move(points, color) {
    if (isStill.matches) return;
    const dot = svg("circle", { r: 5, fill: color });
    dots.append(dot);
    const far = [0];
    for (let i = 1; i < points.length; i += 1) {
      far.push(far[i - 1] + Math.hypot(points[i][0] - points[i - 1][0], points[i][1] - points[i - 1][1]));
    }
    const frames = points.map(([x, y], i) => ({ transform: `translate(${x}px, ${y}px)`, offset: far[i] / far[far.length - 1] }));
    dot.animate(frames, FLIGHT).finished.finally(() => dot.remove());
  }

  return {
    element,
    show,
    /** Move a drawing to the replicas that nginx asks, and back. @param {number[]} asked @param {boolean} isAnswered */
    flyToReplicas(asked, isAnswered) {
      const door = [MIDDLE, NGINX_Y + BOX];
      const visits = asked.map(place).flatMap((x) => {
        return [door, [MIDDLE, UPPER_BUS], [x, UPPER_BUS], [x, REPLICA_Y], [x, UPPER_BUS], [MIDDLE, UPPER_BUS]];
      });
      move([[MIDDLE, PAGE_Y + BOX], ...visits, door, [MIDDLE, PAGE_Y + BOX]], isAnswered ? INK : BLUE);
    },
    /** Move a model to the replica that loads it. @param {number} which */
    flyFromStore(which) {
      const x = place(which);
      move([[STORE_X, STORE_Y], [STORE_X, LOWER_BUS], [x, LOWER_BUS], [x, REPLICA_Y + REPLICA_HEIGHT]], BLUE);
    },
    flyToStore() {
      move([[STORE_X, TRAINER_Y], [STORE_X, STORE_Y + STORE_HEIGHT]], BLUE);
    },
  };
}

/** Draw all lines for replicas at these places. @param {number[]} places */
function linesTo(places) {
  const [first, last] = [Math.min(...places), Math.max(...places)];
  const dotted = { "stroke-dasharray": "2 4" };
  const trainerY = TRAINER_Y + BOX / 2;
  return [
    line(`M${MIDDLE} ${PAGE_Y + BOX}V${UPPER_BUS}M${Math.min(first, MIDDLE)} ${UPPER_BUS}H${Math.max(last, MIDDLE)}`),
    line(`M24 ${NGINX_Y + BOX}V${UPPER_BUS + 12}H${last}`, dotted),
    ...places.map((x) => line(`M${x} ${UPPER_BUS}V${REPLICA_Y}M${x} ${REPLICA_Y + REPLICA_HEIGHT}V${LOWER_BUS}`)),
    line(`M${Math.min(first, LOG_X)} ${LOWER_BUS}H${Math.max(last, STORE_X)}`),
    ...[LOG_X, STORE_X].map((x) => line(`M${x} ${LOWER_BUS}V${STORE_Y}`)),
    line(`M${STORE_X} ${TRAINER_Y}V${STORE_Y + STORE_HEIGHT}m-4 7l4 -7l4 7`),
    line(`M${LOG_X} ${STORE_Y + STORE_HEIGHT}V${trainerY}H${STORE_X - STORE_WIDTH / 2}`, dotted),
    line(`M${STORE_X - STORE_WIDTH / 2 - 7} ${trainerY - 4}l7 4l-7 4`),
  ];
}

/** @param {number} x its middle @param {number} y its top @param {number} width @param {number} height */
function box(x, y, width, height) {
  return svg("rect", { x: x - width / 2, y, width, height, rx: 8, fill: "#000", stroke: EDGE });
}

/** @param {number} x @param {number} y @param {string} words @param {Record<string, string | number>} [attributes] */
function text(x, y, words, attributes = {}) {
  return svg("text", { x, y, "text-anchor": "middle", ...attributes }, words);
}

/** @param {string} d @param {Record<string, string | number>} [attributes] */
function line(d, attributes = {}) {
  return svg("path", { d, fill: "none", stroke: FAINT, "stroke-width": 1.5, ...attributes });
}
