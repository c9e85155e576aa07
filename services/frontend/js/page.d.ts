// Interfaces between the page's modules: displays, panels and callbacks.

import type { Box, Size } from "./crop-box.js";
import type { PredictionRequest, Shared } from "./requests.js";
import type { Explanation, NumberDigit, NumberPrediction, Prediction, Spot, TrainingResult } from "./results.js";

/** What is on the canvas: a drawing or an image. */
export interface Input {
  readonly isEmpty: boolean;
  /** Differs between an input and the next one. */
  readonly version: string;
  request(): PredictionRequest;
  /** Paint it on an empty canvas. */
  paint(context: CanvasRenderingContext2D, canvas: Size): void;
  /** Return the place on the canvas of a box in the unit of the request. */
  place(box: Box, canvas: Size): Box;
  /** Return the part in a box in the unit of the request. */
  part(box: Box): Input;
}

export interface ResultCallbacks {
  /** The answer to the current input is "no digit". */
  onNoDigit: () => void;
  /** The number of the answer has changed; null without one. */
  onNumber: (number: NumberPrediction | null) => void;
}

export interface NumberCallbacks {
  /** The user has selected a digit; null for the whole number. */
  onSelect: (digit: NumberDigit | null) => void;
  /** Another number, or none, is shown. */
  onChange: (number: NumberPrediction | null) => void;
  /** Return the place of a digit's box in percent of the canvas. */
  place: (box: Box) => Box;
}

export interface ImageCallbacks {
  /** An image has replaced the input. */
  onOpen: () => void;
  /** The part of the image to send has changed. */
  onChange: () => void;
  onPredict: () => void;
  onError: (error: string) => void;
  /** Announce a text to screen readers. */
  say: (text: string) => void;
}

export interface ImagePanel {
  /** Null without an image. */
  readonly input: Input | null;
  /** Remove the image. */
  remove(): void;
  /** Open the crop box, unless this image has been cropped before. */
  proposeCrop(): void;
}

export interface CropCallbacks {
  /** The user has chosen a box. */
  onBox: (box: Box) => void;
  onPredict: () => void;
  onClose: () => void;
}

/** ResultView implements it. */
export interface PredictionDisplay {
  setBusy(busy: boolean): void;
  /** Remove the result, the error, the bars and the input image. */
  reset(): void;
  /** Remove the result and the error. */
  withdraw(): void;
  showHint(text: string): void;
  showPrediction(prediction: Prediction): void;
  showNumber(number: NumberPrediction): void;
  showError(message: string): void;
}

/** TrainingView implements it. */
export interface TrainingDisplay {
  setBusy(busy: boolean): void;
  reset(): void;
  showMessage(text: string): void;
  showResult(result: TrainingResult): void;
}

export interface InsideConnections {
  fetch: typeof fetch;
  shared: Shared;
  /** Gets the served network's answer. `isCurrent`: its input is still on the canvas. */
  onPrediction: (explanation: Explanation, isCurrent: boolean) => void;
  /** The served network does not answer. */
  onFailure: () => void;
}

/** A part of the page that follows the input. */
export interface Panel {
  /** Handle a changed input. */
  watch(): void;
  /** Handle an empty canvas. */
  clear(): void;
}

export interface InsidePanel extends Panel {
  readonly isOpen: boolean;
}

export interface TimelinePanel extends Panel {
  /** Handle an answer of the served model. */
  follow(modelVersion: string): void;
}

export interface UnitCallbacks {
  /** Another unit is inspected. */
  onSpot: (spot: Spot | null) => void;
  /** The copy of the network has changed. */
  onChange: () => void;
}

/** The pointer that draws or erases. */
export interface PointerDrawing {
  id: number;
  type: string;
  since: number;
  /** The button's bit in PointerEvent.buttons. */
  heldButton: number;
}

export interface PointerCallbacks {
  /** Whether the main button erases. */
  isErasing: () => boolean;
  /** A gesture begins. */
  onStart: () => void;
  /** The drawing has changed. */
  onChange: () => void;
  /** A gesture has ended. */
  onEnd: () => void;
}

export interface KeyboardCallbacks {
  /** The pen has moved, or gone down or up. */
  onChange: () => void;
  onPredict: () => void;
  onRemoveLast: () => void;
  onClear: () => void;
}

export interface HistoryCallbacks {
  onUndo: () => void;
  onRedo: () => void;
}

export interface ToolCallbacks extends HistoryCallbacks {
  toPng: () => Promise<Blob | null>;
}
