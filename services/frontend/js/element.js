// An element of the page, by its id.

/**
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {string} id
 */
export function element(id) {
  return /** @type {Kind} */ (document.getElementById(id));
}
