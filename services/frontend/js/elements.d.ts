// The page's elements that each view needs.

export interface ResultElements {
  predictButton: HTMLElement;
  result: HTMLElement;
  confidence: HTMLElement;
  bestGuess: HTMLElement;
  error: HTMLElement;
  /** The image and the probabilities. */
  panel: HTMLElement;
  /** An empty list. */
  probabilities: HTMLElement;
  networkInput: HTMLCanvasElement;
  modelVersion: HTMLElement;
}

export interface NumberElements {
  /** Hidden without a number. */
  section: HTMLElement;
  /** An empty list for the buttons. */
  digits: HTMLElement;
  hint: HTMLElement;
  /** An empty layer above the canvas. */
  marks: HTMLElement;
}

export interface NumberLayerElements {
  /** An empty layer above the canvas. */
  layer: HTMLElement;
  words: HTMLElement;
  /** Toggles. */
  pieces: HTMLElement;
  cuts: HTMLElement;
  path: HTMLElement;
}

export interface ToolElements {
  /** Shows the eraser's cursor. */
  canvas: HTMLElement;
  undo: HTMLElement;
  redo: HTMLElement;
  /** A toggle. */
  eraser: HTMLElement;
  download: HTMLElement;
}

export interface ImageSourceElements {
  /** Opens the dialog of the file input. */
  button: HTMLElement;
  fileInput: HTMLInputElement;
  /** Shows that a file can be dropped. */
  board: HTMLElement;
}

export interface CropElements {
  /** Covers the canvas while the user crops. */
  layer: HTMLElement;
  /** Focusable, inside the layer. */
  box: HTMLElement;
}

export interface FeedbackElements {
  section: HTMLElement;
  /** Hidden once feedback is sent. */
  form: HTMLElement;
  /** An empty group for the buttons. */
  choices: HTMLElement;
  /** The choice as a hidden form field, for programs. */
  actualDigit: HTMLSelectElement;
  sendButton: HTMLButtonElement;
  status: HTMLElement;
}

export interface InsideElements {
  status: HTMLElement;
  /** Hidden while there is nothing to show. */
  body: HTMLElement;
  /** Hidden for a blank. */
  why: HTMLElement;
  saliency: HTMLCanvasElement;
  question: HTMLElement;
  rival: HTMLSelectElement;
  evidence: HTMLElement;
  /** Hidden until checked. */
  check: HTMLElement;
  occlusion: HTMLCanvasElement;
  layers: HTMLElement;
  /** The body of a table. */
  softmax: HTMLElement;
  softmaxHow: HTMLElement;
}

export interface UnitElements {
  /** Hidden while no unit is inspected. */
  panel: HTMLElement;
  title: HTMLElement;
  field: HTMLCanvasElement;
  inputs: HTMLCanvasElement;
  weights: HTMLCanvasElement;
  products: HTMLCanvasElement;
  /** Shown only if the layer has weights. */
  summed: HTMLElement[];
  arithmetic: HTMLElement;
  /** A button. */
  off: HTMLElement;
  /** The weight to edit, counted from 0. */
  which: HTMLInputElement;
  /** The value of that weight. */
  value: HTMLInputElement;
  /** A button. */
  close: HTMLElement;
}

export interface TrainingElements {
  label: HTMLSelectElement;
  /** A slider of powers of ten. */
  rate: HTMLInputElement;
  rateValue: HTMLElement;
  buttons: HTMLButtonElement[];
  status: HTMLElement;
  /** Hidden before the first step. */
  results: HTMLElement;
  /** A list of the model's probabilities. */
  before: HTMLElement;
  /** A list of the copy's probabilities. */
  after: HTMLElement;
  curve: SVGPolylineElement;
  layers: HTMLElement;
  forgotten: HTMLElement;
  /** A list. */
  known: HTMLElement;
}

export interface TimelineElements {
  status: HTMLElement;
  /** Hidden while there is nothing to show. */
  body: HTMLElement;
  slider: HTMLInputElement;
  /** A button. */
  play: HTMLElement;
  when: HTMLElement;
  prediction: HTMLElement;
  /** A list. */
  predictions: HTMLElement;
  trainCurve: SVGPolylineElement;
  validationCurve: SVGPolylineElement;
  marker: SVGLineElement;
  measured: HTMLElement;
  filters: HTMLCanvasElement;
  /** The body of a table. */
  layers: HTMLElement;
  map: SVGElement;
}
