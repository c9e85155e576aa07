// The drawing tools: the buttons Undo, Redo, Eraser and Download PNG.

/** @import { ToolElements } from "./elements.js" */
/** @import { ToolCallbacks } from "./page.js" */
/** @import { StrokeRecorder } from "./strokes.js" */

export class DrawingTools {
  #elements;
  #recorder;

  /** @param {ToolElements} elements @param {StrokeRecorder} recorder @param {ToolCallbacks} callbacks */
  constructor(elements, recorder, { onUndo, onRedo, toPng }) {
    this.#elements = elements;
    this.#recorder = recorder;
    elements.undo.addEventListener("click", onUndo);
    elements.redo.addEventListener("click", onRedo);
    elements.eraser.addEventListener("click", () => this.#setErasing(!this.isErasing && !recorder.isEmpty));
    elements.download.addEventListener("click", async () => {
      if (!recorder.isEmpty) save(await toPng(), "doodle.png");
    });
    this.show();
  }

  /** Return whether the main button, or a finger, erases. */
  get isErasing() {
    return this.#elements.eraser.getAttribute("aria-pressed") === "true";
  }

  /** Enable the tools that can be used now. An empty canvas switches back to the pen. */
  show() {
    const { undo, redo, eraser, download } = this.#elements;
    setEnabled(undo, this.#recorder.canUndo);
    setEnabled(redo, this.#recorder.canRedo);
    for (const tool of [eraser, download]) setEnabled(tool, !this.#recorder.isEmpty);
    if (this.#recorder.isEmpty) this.#setErasing(false);
  }

  /** @param {boolean} isErasing */
  #setErasing(isErasing) {
    this.#elements.eraser.setAttribute("aria-pressed", String(isErasing));
    this.#elements.canvas.dataset.tool = isErasing ? "eraser" : "pen";
  }
}

/** Set aria-disabled, since `disabled` would drop the focus. @param {HTMLElement} button @param {boolean} isEnabled */
export function setEnabled(button, isEnabled) {
  button.setAttribute("aria-disabled", String(!isEnabled));
}

/** @param {Blob | null} blob @param {string} name */
function save(blob, name) {
  if (blob === null) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // some browsers read it after the click
}
