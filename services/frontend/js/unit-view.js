// The unit view: one number of a layer, its receptive field, its arithmetic, and the controls that change it.

import { paint } from "./layer-figures.js";
import { unitTitle } from "./layer-wording.js";
import { mosaic, placeAt } from "./maps.js";
import { INPUT_SIZE } from "./prediction.js";
import { Staleness } from "./staleness.js";
import { arithmetic, fieldRgba, products } from "./unit.js";

/** @import { Changes } from "./changes.js" */
/** @import { UnitElements } from "./elements.js" */
/** @import { UnitCallbacks } from "./page.js" */
/** @import { Spot, Tensor, Unit } from "./results.js" */

const COLUMNS = 16;
const LARGEST_SCALE = 8; // CSS pixels for each number
const WIDTH = 190; // largest width of an image in CSS pixels

export class UnitView {
  #elements;
  #changes;
  #onSpot;
  #onChange;
  #staleness;

  /** @type {Spot | null} */
  #spot = null;
  #isKept = false;

  /** @type {Unit | null} */
  #unit = null;

  /** @param {UnitElements} elements @param {Changes} changes @param {UnitCallbacks} callbacks */
  constructor(elements, changes, { onSpot, onChange }) {
    this.#elements = elements;
    this.#changes = changes;
    this.#onChange = onChange;
    this.#onSpot = onSpot;
    elements.off.addEventListener("click", () => this.#change((layer, unit) => changes.toggle(layer, unit)));
    elements.which.addEventListener("input", () => this.#showWeight());
    elements.value.addEventListener("change", () => this.#edit());
    elements.weights.addEventListener("click", (event) => this.#choose(event));
    elements.close.addEventListener("click", () => this.release());
    this.#staleness = new Staleness(elements.panel);
  }

  /** The inspected unit. @returns {Spot | null} */
  get spot() {
    return this.#spot;
  }

  /**
   * Inspect a unit. A kept unit stays until the user keeps another, or until release().
   * @param {Spot} spot
   * @param {boolean} isKept
   */
  inspect(spot, isKept) {
    if (this.#isKept && !isKept) return;
    const isSame = this.#spot !== null && this.#spot.layer === spot.layer && String(this.#spot.place) === String(spot.place);
    this.#isKept ||= isKept;
    if (isSame) return;
    this.#spot = spot;
    this.#elements.which.value = "0";
    this.#onSpot(spot);
  }

  release() {
    this.#spot = this.#unit = null;
    this.#isKept = false;
    this.#elements.panel.hidden = true;
    this.#onSpot(null);
  }

  /**
   * @param {Spot} spot
   * @param {string} layer its name
   * @param {Unit} unit
   * @param {number[][]} input the drawing as the network read it
   */
  show(spot, layer, unit, input) {
    if (this.#spot === null) return;
    this.#unit = unit;
    const { panel, title, field, inputs, weights, products: summands, summed, arithmetic: words, off, which } = this.#elements;
    panel.hidden = false;
    // A screen reader announces a changed text, but not one that appears together with its live region.
    requestAnimationFrame(() => (title.textContent = unitTitle(layer, spot)));
    paint(field, INPUT_SIZE, INPUT_SIZE, fieldRgba(input, unit.field));
    paintNumbers(inputs, unit.inputs);
    for (const element of summed) element.hidden = unit.weights === null;
    if (unit.weights !== null) {
      paintNumbers(weights, unit.weights);
      paintNumbers(summands, products(unit));
      which.max = String(unit.weights.values.length - 1);
      this.#showWeight();
      off.textContent = this.#changes.isOff(spot.layer, spot.place[0]) ? "Switch it on again" : "Switch it off";
    }
    words.textContent = arithmetic(layer, unit);
    this.#staleness.show();
    // At full precision, for programs.
    Object.assign(panel.dataset, { layer: spot.layer, place: spot.place, value: unit.value, bias: unit.bias ?? "" });
  }

  /** Show a message, and dim the last answer. @param {string} message */
  showProblem(message) {
    this.#elements.panel.hidden = false;
    this.#elements.arithmetic.textContent = message;
    this.#staleness.dim();
  }

  #showWeight() {
    const weight = this.#unit?.weights?.values[Number(this.#elements.which.value)];
    if (document.activeElement === this.#elements.value) return;
    this.#elements.value.value = weight === undefined ? "" : String(Number(weight.toFixed(4)));
  }

  /** Choose the clicked weight. @param {MouseEvent} event */
  #choose(event) {
    const weights = this.#unit?.weights;
    if (!weights) return;
    const { left, top, width, height } = this.#elements.weights.getBoundingClientRect();
    const canvas = this.#elements.weights;
    const [x, y] = [((event.clientX - left) / width) * canvas.width, ((event.clientY - top) / height) * canvas.height];
    const place = placeAt(weights.shape, columnsOf(weights), Math.floor(x), Math.floor(y));
    if (place === null) return;
    this.#elements.which.value = String(place.reduce((index, at, axis) => index * weights.shape[axis] + at, 0));
    this.#showWeight();
    this.#elements.value.focus();
  }

  #edit() {
    const { which, value } = this.#elements;
    if (!which.checkValidity() || !value.checkValidity() || value.value === "" || which.value === "") return;
    this.#change((layer, unit) => this.#changes.edit(layer, unit, Number(which.value), Number(value.value)));
  }

  /** @param {(layer: number, unit: number) => void} change */
  #change(change) {
    if (this.#spot === null) return;
    this.#isKept = true;
    change(this.#spot.layer, this.#spot.place[0]);
    this.#onChange();
  }
}

/** @param {HTMLCanvasElement} canvas @param {Tensor} tensor */
function paintNumbers(canvas, tensor) {
  const { width, height, rgba } = mosaic(tensor, columnsOf(tensor));
  canvas.style.width = `${width * Math.min(LARGEST_SCALE, Math.max(1, Math.floor(WIDTH / width)))}px`;
  paint(canvas, width, height, rgba);
}

/** @param {Tensor} tensor */
function columnsOf({ shape }) {
  return shape.length === 3 ? Math.min(COLUMNS, Math.ceil(Math.sqrt(shape[0] * 2))) : 32;
}
