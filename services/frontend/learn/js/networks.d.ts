// The small networks of the chapters.

/** Two inputs. */
export type Place = [number, number];

/** A unit of a hidden layer. The output multiplies it by `v`. */
export interface Unit {
  weights: number[];
  bias: number;
  v: number;
}

/** A hidden layer, and the output's bias. */
export interface Layers {
  units: Unit[];
  bias: number;
}

/** Numbers that the reader sets. */
export type Input = "x" | "w1" | "b1" | "w2" | "b2" | "v1" | "v2" | "c" | "t";

/** Numbers that the network computes. */
export type Made = "z1" | "h1" | "z2" | "h2" | "y" | "L";

export type Given = Record<Input, number>;

/** One step of backpropagation. */
export interface Step {
  node: Input | Made;
  isBack: boolean;
  /** The numbers that this step computes, or on the way back the gradients. */
  shows: (Input | Made)[];
  rule: string;
}

/** An image of 28 x 28 pixels from 0 to 1, row after row, and its label. */
export interface Digit {
  image: Float64Array;
  label: number;
}

/** A dense layer: weights (units, inputs) row after row, bias (units). */
export interface DenseLayer {
  units: number;
  inputs: number;
  weights: Float64Array;
  bias: Float64Array;
}

/** The settings of a training. */
export interface Settings {
  epochs: number;
  batchSize: number;
  /** The learning rate of the first step. */
  rate: number;
  momentum: number;
  /** Whether each epoch shifts and slants the digits anew. */
  augments: boolean;
}

export interface TrainingStep {
  /** Steps so far. */
  step: number;
  steps: number;
  /** The mean over the batch. */
  loss: number;
}
