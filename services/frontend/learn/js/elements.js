// HTML and SVG elements in one call, and the controls of the learning path's figures.

/** @import { Position, Slider, SliderOptions } from "./figures.js" */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * @template {Element} Kind
 * @param {Kind} element
 * @param {Record<string, string | number>} attributes
 * @param {(Node | string)[]} children
 * @returns {Kind}
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * Make a slider between its name and its value.
 * @param {string} name
 * @param {SliderOptions} options
 * @param {() => void} onInput
 * @returns {Slider}
 */
export function slider(name, { min, max, step, value, show = String }, onInput) {
  const input = /** @type {HTMLInputElement} */ (html("input", { type: "range", min, max, step, value }));
  const output = html("output", {}, show(value));
  input.addEventListener("input", () => {
    output.textContent = show(Number(input.value));
    onInput();
  });
  return {
    element: html("label", {}, html("span", {}, name), input, output),
    get value() {
      return Number(input.value);
    },
    set value(next) {
      input.value = String(next);
      output.textContent = show(Number(input.value));
    },
  };
}

/** @param {string} name @param {() => void} onClick @returns {HTMLElement} */
export function button(name, onClick) {
  const element = html("button", { type: "button" }, name);
  element.addEventListener("click", onClick);
  return element;
}

/**
 * Make a list of options to choose from.
 * @param {string} name
 * @param {string[]} options
 * @param {() => void} onChange
 * @returns {{element: HTMLElement, readonly index: number}}
 */
export function choice(name, options, onChange) {
  const select = /** @type {HTMLSelectElement} */ (html("select", {}, ...options.map((option) => html("option", {}, option))));
  select.addEventListener("change", onChange);
  return {
    element: html("label", {}, html("span", {}, name), select),
    get index() {
      return select.selectedIndex;
    },
  };
}

/**
 * @param {string} name
 * @param {boolean} checked
 * @param {() => void} onChange
 * @returns {{element: HTMLElement, readonly checked: boolean}}
 */
export function tick(name, checked, onChange) {
  const input = /** @type {HTMLInputElement} */ (html("input", { type: "checkbox" }));
  input.checked = checked;
  input.addEventListener("change", onChange);
  return {
    element: html("label", {}, html("span", {}, name), input),
    get checked() {
      return input.checked;
    },
  };
}

/**
 * Report the position of a pressed mouse button or finger as parts of an element's width and height. Both are 0 to 1 from the
 * upper left corner, or beyond after a drag across an edge.
 * @param {Element} element
 * @param {(place: Position) => void} onPlace
 */
export function onPress(element, onPlace) {
  const follow = (/** @type {PointerEvent} */ event) => onPlace(partsAt(element, event));
  element.addEventListener("pointerdown", (event) => {
    follow(/** @type {PointerEvent} */ (event));
    element.setPointerCapture(/** @type {PointerEvent} */ (event).pointerId); // last, because it throws after a very quick tap
  });
  element.addEventListener("pointermove", (event) => {
    if (/** @type {PointerEvent} */ (event).buttons > 0) follow(/** @type {PointerEvent} */ (event));
  });
}

/** Return a pointer's position on an element, as onPress reports it. @param {Element} element @param {MouseEvent} event */
export function partsAt(element, { clientX, clientY }) {
  const { left, top, width, height } = element.getBoundingClientRect();
  return { x: (clientX - left) / width, y: (clientY - top) / height };
}

/** Return the chapter's figure, without the message for browsers without JavaScript. @returns {HTMLElement} */
export function pictureFrame() {
  const frame = /** @type {HTMLElement} */ (document.getElementById("picture"));
  frame.replaceChildren();
  return frame;
}

/** @param {number} value @param {number} [decimals] with a true minus, and a sign always where `sign` @param {boolean} [sign] */
export function inWords(value, decimals = 2, sign = false) {
  const text = Math.abs(value).toFixed(decimals);
  const isZero = Number(text) === 0;
  return `${value < 0 && !isZero ? "−" : sign ? "+" : ""}${text}`;
}
