// Changes: the edits of this page's copy of the network.

/** @import { Change } from "./requests.js" */

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

  /** Switch a unit off, or on again with its edits. @param {number} layer @param {number} unit */
  toggle(layer, unit) {
    const others = this.#list.filter((change) => !(change.weight === undefined && isOf(change, layer, unit)));
    // Edits come before switching off, so they take effect once the unit is on again.
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
