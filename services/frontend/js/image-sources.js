// Image sources: a button, a drop, and the clipboard.

/** @import { ImageSourceElements } from "./elements.js" */

const TEXT_FIELDS = "input:not([type=range], [type=file]), textarea, [contenteditable]";

/**
 * @param {ImageSourceElements} elements
 * @param {(file: File) => void} onFile
 * @param {() => void} onNoFile the clipboard has no file
 */
export function listenToImages({ button, fileInput, board }, onFile, onNoFile) {
  button.addEventListener("click", () => fileInput.click());
  fileInput.addEventListener("change", () => {
    if (fileInput.files?.[0]) onFile(fileInput.files[0]);
    fileInput.value = ""; // choosing the same file again is a change too
  });

  document.addEventListener("paste", (event) => {
    const file = imageIn(event.clipboardData);
    const isText = event.target instanceof Element && event.target.closest(TEXT_FIELDS) !== null;
    if (file === undefined && isText) return;
    event.preventDefault();
    if (file === undefined) onNoFile();
    else onFile(file);
  });

  // Everywhere, since a browser opens a file that is dropped beside the canvas in place of the page.
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    board.toggleAttribute("data-drop", true);
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) board.removeAttribute("data-drop"); // it left the window
  });
  document.addEventListener("drop", (event) => {
    board.removeAttribute("data-drop");
    const file = imageIn(event.dataTransfer);
    if (file === undefined) return;
    event.preventDefault();
    onFile(file);
  });
}

/** Return the first image, or else the first file. @param {DataTransfer | null} data */
function imageIn(data) {
  const files = Array.from(data?.files ?? []);
  return files.find(({ type }) => type.startsWith("image/")) ?? files[0];
}
