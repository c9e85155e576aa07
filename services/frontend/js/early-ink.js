// Early ink: sets the canvas's width, and keeps and shows strokes until the modules have loaded. main.js then replays their events.
// It is a classic script, because a module would wait for the whole page.

"use strict";

document.documentElement.dataset.scripted = "";

(() => {
  // Room for a wide canvas beside the results. style.css has the same query.
  const room = matchMedia("(min-width: 75rem) and (min-height: 30.01rem)");
  window.wideCanvas = { room, choice: readChoice() };
  if (window.wideCanvas.choice ?? room.matches) document.documentElement.dataset.wide = "";

  /** Return whether the user wants a wide canvas; null without a choice. wide-canvas.js writes it. */
  function readChoice() {
    try {
      const choice = localStorage.getItem("doodle-wide");
      return choice === null ? null : choice !== "no";
    } catch {
      return null; // storage is forbidden
    }
  }

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
    const pixels = Math.round((canvas.height * width) / height);
    if (canvas.width !== pixels) canvas.width = pixels; // the canvas may be wide
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
