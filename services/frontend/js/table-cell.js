/** Create a table cell. @param {string} text */
export function tableCell(text) {
  const element = document.createElement("td");
  element.textContent = text;
  return element;
}
