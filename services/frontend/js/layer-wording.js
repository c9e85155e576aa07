// Layer wording: a layer's operation and output size as text.

/** @import { Layer, Spot } from "./results.js" */

/** Layers whose output equals their input at prediction time. */
const UNSEEN = ["flatten", "dropout"];

/** @param {Layer} layer */
export function isWorthSeeing({ name }) {
  return !UNSEEN.includes(name);
}

/** @param {Layer} layer */
export function layerTitle({ name, options }) {
  switch (name) {
    case "conv2d":
      return `Convolution: ${options.filters} filters of ${options.kernel_size} × ${options.kernel_size}`;
    case "maxpool2d":
      return `Max pooling: the largest of each ${options.size} × ${options.size}`;
    case "relu":
      return "ReLU: negative numbers become zero";
    case "dense":
      return `Dense: ${options.units} units, each a weighted sum of all inputs`;
    default:
      return name;
  }
}

/** @param {Layer} layer */
export function layerSize({ activations: { shape } }) {
  if (shape.length !== 3) return `${shape[0]} numbers`;
  const [maps, height, width] = shape;
  return `${maps} ${maps === 1 ? "map" : "maps"} of ${height} × ${width}`;
}

/** Return a unit's title. @param {string} name of its layer @param {Spot} spot */
export function unitTitle(name, { place }) {
  if (place.length === 1) return `${name === "dense" ? "Unit" : `${kind(name)} of unit`} ${place[0]}`;
  const [channel, row, column] = place;
  return `${name === "conv2d" ? "Filter" : `${kind(name)} of filter`} ${channel}, at row ${row}, column ${column}`;
}

/** @param {string} name */
function kind(name) {
  return name === "relu" ? "ReLU" : name === "maxpool2d" ? "Pooling" : name;
}
