// The map: digits as points in a plane, similar ones close together, with the drawing among them.

const SVG = "http://www.w3.org/2000/svg";
const EDGE = 2.6; // of the SVG's viewBox, from its center; points beyond it are drawn on it

export class MapView {
  #svg;

  /** @type {SVGElement[]} */
  #digits = [];

  #drawing;

  /** @param {SVGElement} svg */
  constructor(svg) {
    this.#svg = svg;
    this.#drawing = document.createElementNS(SVG, "circle");
    this.#drawing.setAttribute("r", "0.14");
    this.#drawing.setAttribute("class", "drawing");
  }

  /** Create the digits, which move() then moves. @param {readonly number[]} labels */
  show(labels) {
    this.#digits = labels.map((label) => {
      const digit = document.createElementNS(SVG, "text");
      digit.textContent = String(label);
      digit.dataset.digit = String(label);
      return digit;
    });
    this.#svg.replaceChildren(...this.#digits, this.#drawing);
  }

  /**
   * @param {ArrayLike<number>} points x and y of each digit, y up
   * @param {readonly [number, number] | null} drawing its place; null for an empty canvas
   */
  move(points, drawing) {
    this.#digits.forEach((digit, i) => place(digit, points[2 * i], points[2 * i + 1]));
    this.#drawing.style.display = drawing === null ? "none" : "";
    if (drawing !== null) place(this.#drawing, ...drawing);
  }
}

/** @param {SVGElement} element @param {number} x @param {number} y */
function place(element, x, y) {
  const [left, top] = [x, -y].map((at) => Math.max(-EDGE, Math.min(EDGE, at)));
  element.style.transform = `translate(${left.toFixed(3)}px, ${top.toFixed(3)}px)`;
  Object.assign(element.dataset, { x, y });
}
