// The kept drawing: survives a reload of its tab, until the tab closes.

import { CANVAS_SIZE, WIDE_WIDTH } from "./coordinates.js";
import { MAX_POINTS, buildPredictionRequest } from "./prediction-request.js";
import { countPoints } from "./thinning.js";

/** @import { Stroke } from "./strokes.js" */

export const STORAGE_KEY = "doodle-drawing";

export class KeptDrawing {
  #storage;

  /** @param {() => Storage} storage returns sessionStorage; throws if storage is forbidden */
  constructor(storage) {
    this.#storage = storage;
  }

  /** Return the kept strokes; [] without a valid drawing. @returns {readonly Stroke[]} */
  read() {
    try {
      const found = JSON.parse(this.#storage().getItem(STORAGE_KEY) ?? "[]");
      return isDrawing(found) ? found : [];
    } catch {
      return [];
    }
  }

  /** Store at most MAX_POINTS points. @param {readonly Stroke[]} strokes */
  write(strokes) {
    try {
      if (strokes.length === 0) this.#storage().removeItem(STORAGE_KEY);
      else this.#storage().setItem(STORAGE_KEY, JSON.stringify(buildPredictionRequest(strokes).strokes));
    } catch {
      // Storage is forbidden or full.
    }
  }
}

/** @param {unknown} found @returns {found is Stroke[]} */
function isDrawing(found) {
  return Array.isArray(found) && found.every(isStroke) && countPoints(found) <= MAX_POINTS;
}

/** @param {unknown} found */
function isStroke(found) {
  return Array.isArray(found) && found.length > 0 && found.every(isPoint);
}

/** @param {unknown} found */
function isPoint(found) {
  return Array.isArray(found) && found.length === 2 && isWithin(found[0], WIDE_WIDTH) && isWithin(found[1], CANVAS_SIZE);
}

/** @param {unknown} found @param {number} limit */
function isWithin(found, limit) {
  return Number.isFinite(found) && Number(found) >= 0 && Number(found) <= limit;
}
