// The unit dock: the panel of one unit stays in sight at the foot of the window. Esc closes it, and it hides no focused map.

const FOCUS_RING = 8; // CSS pixels around what has the focus

/**
 * @param {HTMLElement} panel
 * @param {HTMLElement} maps the layers' maps, which scroll under the panel
 * @param {HTMLElement} closeButton hides the panel
 */
export function dockUnit(panel, maps, closeButton) {
  /** @type {HTMLElement | null} */
  let lastMap = null;
  maps.addEventListener("focusin", (event) => (lastMap = /** @type {HTMLElement} */ (event.target)));

  // Before the canvas, where Esc clears: the panel on top goes first.
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape" || panel.hidden) return;
      event.preventDefault();
      event.stopPropagation();
      closeButton.click();
    },
    { capture: true },
  );
  closeButton.addEventListener("click", () => {
    // A hidden element loses the focus, and with it the place on the page.
    if (panel.contains(document.activeElement)) lastMap?.focus({ preventScroll: true });
  });

  // The browser scrolls a focused map to where the panel does not hide it, and so does this when the panel grows.
  new ResizeObserver(() => {
    document.documentElement.style.scrollPaddingBottom = `${panel.offsetHeight + FOCUS_RING}px`;
    if (maps.contains(document.activeElement)) document.activeElement?.scrollIntoView({ block: "nearest" });
  }).observe(panel);
}
