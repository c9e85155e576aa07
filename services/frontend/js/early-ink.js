// Early ink: sets the canvas's width, and keeps and shows strokes until the modules have loaded. main.js then replays their events. It is a classic script,
// because a module would wait for the whole page.

"use strict";

document.documentElement.dataset.scripted = "";
try {
  // wide-canvas.js writes it.
  if (localStorage.getItem("doodle-wide") !== null) document.documentElement.dataset.wide = "";
} catch {
  // Storage is forbidden.
}

(() => {
  const TYPES = /** @type {const} */ (["pointerdown", "pointermove", "pointerup", "pointercancel"]);
  const MAX_EVENTS = 5000;

  /** @type {PointerEvent[]} */
  const events = [];
  /** @type {[number, number]} */
  let last = [0, 0];

  /** @param {PointerEvent} event */
  function keep(event) {
    const canvas = event.target;
    if (!(canvas instanceof HTMLCanvasElement) || canvas.id !== "doodle-canvas" || events.length >= MAX_EVENTS) return;
    events.push(event);
    if (event.isPrimary && event.buttons === 1) paint(canvas, event);
  }

  /** @param {HTMLCanvasElement} canvas @param {PointerEvent} event */
  function paint(canvas, event) {
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    const { left, top, width, height } = canvas.getBoundingClientRect();
    /** @type {[number, number]} */
    const point = [((event.clientX - left) / width) * canvas.width, ((event.clientY - top) / height) * canvas.height];
    if (event.type === "pointerdown") last = point;
    context.strokeStyle = "#ffd400";
    context.lineWidth = canvas.height / 14;
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(...last);
    context.lineTo(...point);
    context.stroke();
    last = point;
    document.getElementById("placeholder")?.setAttribute("hidden", "");
  }

  for (const type of TYPES) document.addEventListener(type, keep, { capture: true });

  window.takeEarlyInk = () => {
    for (const type of TYPES) document.removeEventListener(type, keep, { capture: true });
    return events;
  };
})();
