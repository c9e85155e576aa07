// Changes: the edits of this page's copy of the network: units switched off, weights edited.

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
    // Switching off comes last: edits of a unit that is off show once it is on again.
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
  const parts = [];
  if (off > 0) parts.push(`${off} ${off === 1 ? "unit is" : "units are"} off`);
  if (edited > 0) parts.push(`${edited} ${edited === 1 ? "weight is" : "weights are"} edited`);
  return `Edited copy: ${parts.join(", and ")}.`;
}
