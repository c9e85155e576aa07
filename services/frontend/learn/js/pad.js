// A square of 28 x 28 pixels to draw on, by pointer or keyboard.

import { paint } from "../../js/layer-figures.js";
import { signedRgba } from "../../js/maps.js";
import { SIDE } from "./digits.js";
import { html, partsAt } from "./elements.js";

const RADIUS = 1.4; // of the brush, in pixels
const CURSOR = [255, 255, 255, 255];

/** @type {Record<string, [number, number]>} */
const STEPS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

/**
 * @param {string} label
 * @param {() => void} onChange
 * @param {() => number} ink 1 or -1 to draw, 0 to erase
 */
export function makePad(label, onChange, ink = () => 1) {
  const canvas = /** @type {HTMLCanvasElement} */ (html("canvas", { class: "pad", role: "application", tabindex: 0 }));
  canvas.setAttribute("aria-label", `${label}, ${SIDE} by ${SIDE} pixels. Arrow keys move the pen, Space draws.`);
  const values = new Float64Array(SIDE * SIDE);
  let [x, y] = [SIDE / 2, SIDE / 2];
  let isKeyed = false;

  function draw() {
    const rgba = signedRgba(values, 1);
    if (isKeyed) rgba.set(CURSOR, 4 * (Math.floor(y) * SIDE + Math.floor(x)));
    paint(canvas, SIDE, SIDE, rgba);
  }

  /** Put ink around a point; the brush's edge is soft. @param {number} atX @param {number} atY */
  function dab(atX, atY) {
    for (let i = 0; i < values.length; i += 1) {
      const distance = Math.hypot((i % SIDE) + 0.5 - atX, Math.floor(i / SIDE) + 0.5 - atY);
      const strength = Math.min(1, Math.max(0, RADIUS + 0.5 - distance));
      if (strength === 0) continue;
      const own = ink() * strength;
      values[i] = ink() === 0 ? values[i] * (1 - strength) : Math.sign(values[i]) === Math.sign(own) && Math.abs(values[i]) > strength ? values[i] : own;
    }
  }

  /** @param {number} toX @param {number} toY */
  function strokeTo(toX, toY) {
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(toX - x, toY - y)));
    for (let i = 1; i <= steps; i += 1) dab(x + ((toX - x) * i) / steps, y + ((toY - y) * i) / steps);
    [x, y] = [toX, toY];
    changed();
  }

  function changed() {
    draw();
    onChange();
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    isKeyed = false;
    const at = partsAt(canvas, event);
    [x, y] = [at.x * SIDE, at.y * SIDE];
    strokeTo(x, y);
    canvas.setPointerCapture(event.pointerId); // last, because it throws after a very quick tap
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!event.isPrimary || event.buttons === 0) return;
    const at = partsAt(canvas, event);
    strokeTo(at.x * SIDE, at.y * SIDE);
  });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in STEPS) {
      const within = (/** @type {number} */ place) => Math.min(SIDE - 0.5, Math.max(0.5, Math.floor(place) + 0.5));
      [x, y] = [within(x + STEPS[event.key][0]), within(y + STEPS[event.key][1])];
    } else if (event.key !== " ") return;
    event.preventDefault(); // arrows and Space would scroll the page
    isKeyed = true;
    if (event.key === " ") dab(x, y);
    changed();
  });
  draw();

  return {
    element: canvas,
    values,
    /** @param {ArrayLike<number>} next */
    show(next) {
      values.set(next);
      changed();
    },
    clear() {
      values.fill(0);
      changed();
    },
  };
}
