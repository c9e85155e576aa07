// The second figure of chapter 1: a neuron with 784 inputs, whose weights the reader paints against a drawing.

import { paint } from "../../js/layer-figures.js";
import { signedRgba } from "../../js/maps.js";
import { SIDE, readDigits } from "./digits.js";
import { button, choice, html, inWords, slider } from "./elements.js";
import { relu, weightedSum } from "./neuron.js";
import { makePad } from "./pad.js";

const PAINTS = /** @type {const} */ ([["for (yellow)", 1], ["against (blue)", -1], ["eraser", 0]]);

/** Return the figure. @returns {Promise<HTMLElement>} */
export async function ownDigit() {
  const { heldOut } = await readDigits();
  const examples = Array.from({ length: 10 }, (_, digit) => heldOut[heldOut.findIndex(({ label }) => label === digit)]);
  const paints = choice("paint", PAINTS.map(([name]) => name), draw);
  const pad = makePad("Your digit", draw);
  const weights = makePad("The weights", draw, () => PAINTS[paints.index][1]);
  const bias = slider("bias", { min: -80, max: 0, step: 1, value: -20, show: (value) => inWords(value, 0) }, draw);
  const tells = html("p", { class: "tells", "aria-live": "polite" });
  const others = examples.map(({ image, label }) => {
    const canvas = /** @type {HTMLCanvasElement} */ (html("canvas", { role: "img", "aria-label": `A ${label} by somebody else` }));
    paint(canvas, SIDE, SIDE, signedRgba(image, 1));
    const output = html("span");
    return { image, output, element: html("li", {}, canvas, output) };
  });

  function draw() {
    const outputOf = (/** @type {ArrayLike<number>} */ image) => relu(weightedSum([...weights.values], bias.value, Array.from(image)));
    const own = weightedSum([...weights.values], 0, [...pad.values]);
    const y = outputOf(pad.values);
    let on = 0;
    for (const { image, output, element } of others) {
      const other = outputOf(image);
      output.textContent = inWords(other, 0);
      element.className = other > 0 ? "ink" : "muted";
      on += other > 0 ? 1 : 0;
    }
    tells.textContent =
      `Your digit: the sum of 784 products is ${inWords(own, 1)}, with the bias ${inWords(own + bias.value, 1)}, so y = ${inWords(y, 1)}. ` +
      (y > 0 && on === 0 ? "The neuron switches on for your digit only." : `It is on for ${on} of the ten others.`);
    tells.dataset.y = String(y);
  }

  const part = (/** @type {string} */ text, /** @type {Node} */ below) => html("div", {}, html("p", { class: "muted small" }, text), below);
  const buttons = html(
    "div",
    { class: "row" },
    button("Weights = my digit", () => weights.show(pad.values)),
    button("Clear digit", pad.clear),
    button("Clear weights", weights.clear),
  );
  const figure = html(
    "figure",
    { class: "picture", id: "own-digit", "aria-label": "A neuron with 784 inputs" },
    html("div", { class: "parts stays pair" }, part("your digit", pad.element), part("the weights", weights.element)),
    html("div", { class: "controls" }, paints.element, bias.element, buttons),
    tells,
    html("ol", { class: "others", "aria-label": "The neuron's output for ten other digits" }, ...others.map(({ element }) => element)),
  );
  pad.show(/** @type {{image: Float64Array}} */ (heldOut.findLast(({ label }) => label === 3)).image);
  return figure;
}
