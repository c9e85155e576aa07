// Number layers: the pieces, the cuts and the path of a number over the drawing, each behind a toggle.

import { formatScore, workText } from "./wording.js";

/** @import { Box } from "./crop-box.js" */
/** @import { NumberLayerElements } from "./elements.js" */
/** @import { NumberPrediction, LineCandidates } from "./results.js" */

export class NumberLayers {
  #elements;
  #placeOf;
  #toggles;

  /** @type {NumberPrediction | null} */
  #number = null;

  /** @param {NumberLayerElements} elements @param {(box: Box) => Box} placeOf returns a box's place in percent of the canvas */
  constructor(elements, placeOf) {
    this.#elements = elements;
    this.#placeOf = placeOf;
    this.#toggles = { pieces: elements.pieces, cuts: elements.cuts, path: elements.path };
    for (const toggle of Object.values(this.#toggles)) {
      toggle.addEventListener("click", () => {
        toggle.setAttribute("aria-pressed", String(!isOn(toggle)));
        this.place();
      });
    }
  }

  /** Null removes the layers. @param {NumberPrediction | null} number */
  show(number) {
    this.#number = number;
    this.#elements.words.textContent = number === null ? "" : workText(number);
    this.place();
  }

  /** Draw what is switched on, also after the canvas has got another shape. */
  place() {
    const { pieces, cuts, path } = this.#toggles;
    const lines = this.#number?.candidates ?? [];
    this.#elements.layer.replaceChildren(
      ...(isOn(pieces) ? lines.flatMap((line) => line.pieces.map(({ box }, index) => this.#box("piece", box, String(index + 1)))) : []),
      ...(isOn(cuts) ? lines.flatMap((line) => this.#cutsOf(line)) : []),
      ...(isOn(path) ? this.#path(lines) : []),
    );
  }

  /** @param {LineCandidates[]} lines */
  #path(lines) {
    const chosen = lines.flatMap(({ candidates, path }) => path.map((index) => candidates[index]));
    const digits = this.#number?.digits ?? [];
    return chosen.map(({ digit, score }, index) => this.#box("chosen", digits[index].box, `${digit} ${formatScore(score)}`));
  }

  /** @param {LineCandidates} line */
  #cutsOf({ pieces, candidates, path }) {
    const [tops, bottoms] = [pieces.map(({ box }) => box.top), pieces.map(({ box }) => box.top + box.height)];
    const [top, bottom] = [Math.min(...tops), Math.max(...bottoms)];
    const starts = path.map((index) => candidates[index].start);
    return pieces.flatMap(({ box, isCut }, index) => {
      if (!isCut) return [];
      const { left, width, ...place } = this.#placeOf({ left: box.left, top, width: 0, height: bottom - top });
      const cut = makeBox("cut", { ...place, left: left + width / 2, width: 0 });
      cut.toggleAttribute("data-used", starts.includes(index));
      return [cut];
    });
  }

  /** @param {string} kind @param {Box} box @param {string} label */
  #box(kind, box, label) {
    const element = makeBox(kind, this.#placeOf(box));
    const text = document.createElement("span");
    text.textContent = label;
    element.append(text);
    return element;
  }
}

/** @param {HTMLElement} toggle */
function isOn(toggle) {
  return toggle.getAttribute("aria-pressed") === "true";
}

/** @param {string} kind @param {Box} place in percent */
function makeBox(kind, { left, top, width, height }) {
  const element = document.createElement("div");
  element.className = kind;
  Object.assign(element.style, { left: `${left}%`, top: `${top}%`, width: `${width}%`, height: `${height}%` });
  return element;
}
