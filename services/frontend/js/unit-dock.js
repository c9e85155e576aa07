// The unit dock: keeps the panel of a unit at the bottom of the window. Esc closes it, and it never covers the focused map.

const FOCUS_RING = 8; // CSS pixels around the focused element

/**
 * @param {HTMLElement} panel
 * @param {HTMLElement} maps the layers' maps, which scroll under the panel
 * @param {HTMLElement} closeButton hides the panel
 */
export function dockUnit(panel, maps, closeButton) {
  /** @type {HTMLElement | null} */
  let lastMap = null;
  maps.addEventListener("focusin", (event) => (lastMap = /** @type {HTMLElement} */ (event.target)));

  // Captured before the canvas, where Esc clears the drawing.
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
    // A hidden element loses the focus, so move it back to the map.
    if (panel.contains(document.activeElement)) lastMap?.focus({ preventScroll: true });
  });

  // With the padding, the browser scrolls a focused map above the panel. When the panel grows, scroll again.
  new ResizeObserver(() => {
    document.documentElement.style.scrollPaddingBottom = `${panel.offsetHeight + FOCUS_RING}px`;
    if (maps.contains(document.activeElement)) document.activeElement?.scrollIntoView({ block: "nearest" });
  }).observe(panel);
}
