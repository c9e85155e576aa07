// Changes: what is different in the copy of the network that reads along on this page: units switched off, weights edited.

/**
 * As the API takes it; without a weight the unit is switched off.
 * @typedef {{layer: number, unit: number, weight?: number | "bias", value?: number}} Change
 */

export class Changes {
  /** @type {readonly Change[]} */
  #list = [];

  /** @returns {readonly Change[]} */
  get list() {
    return this.#list;
  }

  /** @param {number} layer @param {number} unit */
  isOff(layer, unit) {
    return this.#list.some((change) => change.weight === undefined && isOf(change, layer, unit));
  }

  /** Off, or on again; on as it was edited, if it was. @param {number} layer @param {number} unit */
  toggle(layer, unit) {
    const others = this.#list.filter((change) => !(change.weight === undefined && isOf(change, layer, unit)));
    // Switching off comes last: what is edited of a unit that is off is not seen until it is on again.
    this.#list = others.length < this.#list.length ? others : [...this.#list, { layer, unit }];
  }

  /** @param {number} layer @param {number} unit @param {number | "bias"} weight @param {number} value */
  edit(layer, unit, weight, value) {
    const others = this.#list.filter((change) => !(change.weight === weight && isOf(change, layer, unit)));
    this.#list = [{ layer, unit, weight, value }, ...others];
  }

  undo() {
    this.#list = [];
  }
}

/** @param {Change} change @param {number} layer @param {number} unit */
function isOf(change, layer, unit) {
  return change.layer === layer && change.unit === unit;
}

/** @param {readonly Change[]} changes */
export function changesInWords(changes) {
  if (changes.length === 0) return "";
  const off = changes.filter(({ weight }) => weight === undefined).length;
  const edited = changes.length - off;
  const parts = [off > 0 ? `${off} ${off === 1 ? "unit is" : "units are"} off` : "", edited > 0 ? `${edited} ${edited === 1 ? "weight is" : "weights are"} edited` : ""];
  return `Edited copy: ${parts.filter(Boolean).join(", and ")}.`;
}
