// The unit dock: the panel of one unit stays in sight at the foot of the window. It closes by Esc, and hides no focused map.

/**
 * @param {HTMLElement} panel
 * @param {HTMLElement} maps the layers' maps, which scroll under the panel
 * @param {() => void} close
 */
export function dockUnit(panel, maps, close) {
  // Before the canvas, where Esc clears: the panel on top goes first.
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape" || panel.hidden) return;
      event.preventDefault();
      event.stopPropagation();
      close();
    },
    { capture: true },
  );

  // The browser scrolls a focused map to where the panel does not hide it, and so does this when the panel grows.
  new ResizeObserver(() => {
    const isDocked = getComputedStyle(panel).position === "sticky";
    document.documentElement.style.scrollPaddingBottom = isDocked ? `${panel.offsetHeight}px` : "";
    if (maps.contains(document.activeElement)) document.activeElement?.scrollIntoView({ block: "nearest" });
  }).observe(panel);
}
