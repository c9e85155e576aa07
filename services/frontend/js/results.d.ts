// The API's answers after a parse function has checked them, as the page uses them.

import type { Box } from "./crop-box.js";

/** A network's answer to one image. */
export interface Answer {
  /** 0 to 9; null if the answer is "no digit". */
  digit: number | null;
  isDigit: boolean;
  /** The likeliest digit, even if the answer is "no digit"; null for a blank or a dot. */
  bestGuess: number | null;
  /** Of the ten digits, summing to 1. */
  probabilities: number[];
  /** In the answer, 0 to 1. */
  confidence: number;
  /** Null if the network has no class for "no digit". A probability above the threshold makes the answer "no digit". */
  noDigit: { probability: number; threshold: number } | null;
}

/** An answer in the prediction log, which takes feedback. */
export interface LoggedAnswer extends Answer {
  predictionId: string;
}

/** One mark of a number. The box is in the unit of the request. */
export interface NumberDigit extends Answer {
  /** Null for a preview, which is not in the log. */
  predictionId: string | null;
  box: Box;
}

/** A part of a line that belongs to one digit. */
export interface Piece {
  box: Box;
  /** Whether it begins at a cut. */
  isCut: boolean;
}

/** Neighboring pieces that may be a digit: from `start` up to but not including `end`. */
export interface Candidate {
  start: number;
  end: number;
  /** The likeliest one. */
  digit: number;
  /** Its log probability. */
  score: number;
}

/** The pieces of a line, and the candidates that its digits were chosen from. */
export interface LineCandidates {
  pieces: Piece[];
  candidates: Candidate[];
  /** The indices of the chosen ones. */
  path: number[];
}

/** The numbers of a drawing. */
export interface NumberPrediction {
  /** Its lines, separated by spaces; "?" stands for an unreadable mark. */
  text: string;
  /** Line by line. */
  digits: NumberDigit[];
  /** Of each line. */
  candidates: LineCandidates[];
  modelVersion: string;
}

export interface Prediction extends LoggedAnswer {
  modelVersion: string;
  /** The network's input: 28 rows of 28 values from 0 (paper) to 1 (ink). */
  input: number[][];
}

/** An array in C order: the last axis varies fastest. */
export interface Tensor {
  shape: number[];
  values: Float32Array;
}

export interface Layer {
  name: string;
  options: Record<string, number>;
  activations: Tensor;
}

export interface Explanation extends Prediction {
  /** First to last. */
  layers: Layer[];
  /** Ten, and an eleventh if the network has a class for "no digit". */
  logits: number[];
  temperature: number;
  /** (logits, 28, 28): the gradient of each logit with respect to each pixel. */
  gradients: Tensor;
  /** (logits, 28, 28): how far each logit falls without the ink around a pixel; null if not requested. */
  occlusion: Tensor | null;
  /** Null for a drawing that is no number. */
  number: NumberPrediction | null;
}

/** The layer and place of a unit, both from 0. The place is [channel, row, column] or [feature]. */
export interface Spot {
  layer: number;
  place: readonly number[];
}

/** A receptive field in the image. Bottom and right are exclusive. */
export interface Field {
  top: number;
  left: number;
  bottom: number;
  right: number;
}

export interface Unit {
  value: number;
  inputs: Tensor;
  /** In the shape of the inputs; null if the layer has none. */
  weights: Tensor | null;
  bias: number | null;
  field: Field;
}

/** A golden digit of the model, and the answers of the model and its copy; `after` is null if the copy diverged. */
export interface KnownDigit {
  input: Tensor;
  before: Answer;
  after: Answer | null;
}

/** One training step of a layer. `activations` is the gradient of the loss with respect to the layer's output. */
export interface LayerStep extends Layer {
  parametersNorm: number;
  gradientNorm: number;
  updateNorm: number;
}

export interface TrainingResult {
  /** Before each step's update. */
  losses: number[];
  /** The model's answer. */
  before: Answer;
  /** The copy's answer; null if the copy diverged. */
  after: Answer | null;
  /** Of the last step, first layer to last. */
  layers: LayerStep[];
  known: KnownDigit[];
}

/** The model after some steps of its training. The arrays have one value for each layer. */
export interface Snapshot {
  /** The number of steps taken. */
  step: number;
  learningRate: number | null;
  trainLoss: number | null;
  validationLoss: number | null;
  /** 0 to 1 */
  validationAccuracy: number;
  /** Null for a layer without parameters, or before the first step. */
  gradientNorm: (number | null)[];
  updateRatio: (number | null)[];
  /** 0 to 1; null if the layer is not a ReLU. */
  deadUnits: (number | null)[];
  filters: Tensor;
  /** (digits, 2): places of the mapped digits on this snapshot's map. */
  points: Tensor;
}

export interface TrainingHistory {
  modelVersion: string;
  epochs: number | null;
  layers: string[];
  /** The labels of the digits on the maps. */
  mapped: number[];
  snapshots: Snapshot[];
}

/** The place is on the snapshot's map. */
export type SnapshotPrediction = Answer & { place: readonly [number, number] };

export interface SnapshotPredictions {
  modelVersion: string;
  predictions: SnapshotPrediction[];
}
