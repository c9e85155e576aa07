// Layer figures: a layer's numbers as an image, with the layer's name.

import { layerSize, layerTitle } from "./layer-wording.js";
import { mosaic } from "./maps.js";

/** @import { Layer, Tensor } from "./results.js" */

const MAPS_WIDTH = 940; // largest width of a layer's maps in CSS pixels
const LARGEST_SCALE = 6;

/** @param {Layer} layer @param {string} [of] a name for the numbers, if they are not the layer's output */
export function createFigure(layer, of = "") {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const size = document.createElement("small");
  size.textContent = layerSize(layer);
  const title = of ? `${of} at ${layerTitle(layer)}` : layerTitle(layer);
  caption.append(title, " ", size);
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${title}: ${layerSize(layer)}, as images`);
  figure.append(caption, canvas);
  return { figure, canvas };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Tensor} tensor
 * @param {{columns?: number, marked?: readonly number[] | null}} [options] marked: the place of a number
 */
export function paintMaps(canvas, tensor, { columns = columnsFor(tensor.shape), marked = null } = {}) {
  const { width, height, rgba } = mosaic(tensor, columns, marked);
  canvas.style.width = `${width * Math.min(LARGEST_SCALE, Math.max(1, Math.floor(MAPS_WIDTH / width)))}px`;
  paint(canvas, width, height, rgba);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @param {Uint8ClampedArray<ArrayBuffer>} rgba
 */
export function paint(canvas, width, height, rgba) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.putImageData(new ImageData(rgba, width, height), 0, 0);
}

/** Return the number of maps, or of numbers of a vector, in a row; half as many on a phone. @param {number[]} shape */
export function columnsFor(shape) {
  const share = window.matchMedia("(max-width: 40rem)").matches ? 2 : 1;
  if (shape.length !== 3) return 64 / share;
  return (shape[0] <= 64 ? 16 : 32) / share;
}
