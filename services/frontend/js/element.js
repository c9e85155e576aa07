/**
 * Return the element of the page with an id.
 * @template {Element} [Kind=HTMLElement]
 * @param {string} id
 */
export function element(id) {
  return /** @type {Kind} */ (/** @type {unknown} */ (document.getElementById(id)));
}
