// Elements: HTML and SVG made in one call, and the controls that the pictures of the learning path have.

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
 * A slider with its name before it and its value behind it.
 * @param {string} name
 * @param {{min: number, max: number, step: number, value: number, show?: (value: number) => string}} range
 * @param {() => void} onInput
 * @returns {{element: HTMLElement, value: number}} value can be set, too: that calls onInput no more than the program would
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
 * One of several, to choose from a list.
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
 * While a mouse button or a finger is down on an element: where it is there, as parts of its width and height, 0 to 1 from the left
 * and from the top; less or more where it was dragged beyond an edge.
 * @param {Element} element
 * @param {(place: {x: number, y: number}) => void} onPlace
 */
export function onPress(element, onPlace) {
  const follow = (/** @type {PointerEvent} */ event) => onPlace(partsAt(element, event));
  element.addEventListener("pointerdown", (event) => {
    follow(/** @type {PointerEvent} */ (event));
    element.setPointerCapture(/** @type {PointerEvent} */ (event).pointerId); // last: after a very quick tap it throws
  });
  element.addEventListener("pointermove", (event) => {
    if (/** @type {PointerEvent} */ (event).buttons > 0) follow(/** @type {PointerEvent} */ (event));
  });
}

/** Where a pointer is on an element, as onPress has it. @param {Element} element @param {MouseEvent} event */
export function partsAt(element, { clientX, clientY }) {
  const { left, top, width, height } = element.getBoundingClientRect();
  return { x: (clientX - left) / width, y: (clientY - top) / height };
}

/** Where the chapter has its picture; what it shows without a script goes. @returns {HTMLElement} */
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
