// Images: finds its elements, opens image files as the page's input, and crops them.

import { wholeBox } from "./crop-box.js";
import { CropView } from "./crop-view.js";
import { element } from "./element.js";
import { NOTHING_TO_PASTE } from "./error-messages.js";
import { openImage } from "./image-file.js";
import { listenToImages } from "./image-sources.js";

/** @import { Box } from "./crop-box.js" */
/** @import { ImageInput } from "./image-input.js" */
/** @import { ImageCallbacks, ImagePanel } from "./page.js" */

/** @param {ImageCallbacks} callbacks @returns {ImagePanel} */
export function connectImages({ onOpen, onChange, onPredict, onError, say }) {
  const drawingTools = element("drawing-tools");
  const imageTools = element("image-tools");
  const cropButton = element("crop-btn");
  const cropBox = element("crop-box");

  /** @type {ImageInput | null} */
  let input = null;
  /** The crop box, kept while cropping is off. @type {Box | null} */
  let box = null;
  /** Whether this image has been cropped before. */
  let isKnown = false;
  /** Grows with each file and each removal, which cancels files that are still opening. */
  let generation = 0;

  const crop = new CropView(
    { layer: element("crop"), box: cropBox },
    {
      onBox: cropTo,
      onPredict,
      onClose() {
        setCropping(false);
        cropButton.focus();
      },
    },
  );
  element("image-note").textContent = `Sent only to this service, ${window.location.host}.`;
  listenToImages(
    { button: element("image-btn"), fileInput: element("image-file"), board: element("board") },
    open,
    () => onError(NOTHING_TO_PASTE),
  );
  cropButton.addEventListener("click", () => {
    setCropping(!isCropping());
    if (isCropping()) cropBox.focus();
  });

  /** @param {File} file */
  async function open(file) {
    const number = (generation += 1);
    const outcome = await openImage(file);
    const isWanted = number === generation;
    if ("error" in outcome) return isWanted && onError(outcome.error);
    if (!isWanted) return outcome.input.close();
    remove();
    input = outcome.input;
    drawingTools.hidden = true;
    imageTools.hidden = false;
    onOpen();
  }

  function remove() {
    generation += 1;
    if (input === null) return;
    showCrop(false);
    input.close();
    [input, box, isKnown] = [null, null, false];
    drawingTools.hidden = false;
    imageTools.hidden = true;
  }

  function isCropping() {
    return cropButton.getAttribute("aria-pressed") === "true";
  }

  /** @param {boolean} isOn */
  function setCropping(isOn) {
    if (input === null) return;
    isKnown = true;
    const whole = wholeBox(input.size);
    box ??= whole;
    if (isOn) crop.show(box, input.size);
    showCrop(isOn);
    input.crop(isOn ? box : whole);
    onChange();
  }

  /** @param {boolean} isOn */
  function showCrop(isOn) {
    cropButton.setAttribute("aria-pressed", String(isOn));
    for (const hint of [element("crop-hint"), element("crop-keys")]) hint.hidden = !isOn;
    element("keyboard-hint").hidden = isOn;
    if (!isOn) crop.hide();
  }

  /** @param {Box} chosen */
  function cropTo(chosen) {
    box = chosen;
    input?.crop(box);
    say(`Crop box: ${Math.round(box.width)} by ${Math.round(box.height)} pixels, at ${Math.round(box.left)}, ${Math.round(box.top)}`);
    onChange();
  }

  return {
    get input() {
      return input;
    },
    remove,
    proposeCrop() {
      if (input === null || isKnown) return;
      setCropping(true);
      say("No digit in the whole image. A crop box is open on the canvas.");
    },
  };
}
