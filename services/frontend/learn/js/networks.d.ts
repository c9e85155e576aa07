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
