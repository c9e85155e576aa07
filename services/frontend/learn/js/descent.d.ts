// Gradient descent of chapter 5.

/** Two weights. */
export type Point = readonly [number, number];

/** A function of two weights. */
export type Loss = (w: readonly number[]) => number;

/** Take one step, and return the new weights. */
export type Update = (w: number[], gradient: number[], rate: number) => number[];

/** Return the learning rate of a step, counted from 0. */
export type Schedule = (step: number, steps: number, peak: number) => number;

export interface Landscape {
  name: string;
  loss: Loss;
  gradient: (w: readonly number[]) => number[];
  lowest: Point;
}

export interface Run {
  landscape: Landscape;
  /** Fresh, without momentum from another run. */
  update: Update;
  schedule: Schedule;
  /** The rate at the schedule's peak. */
  rate: number;
  start: Point;
  steps: number;
  /** How many of the steps to take. */
  taken: number;
  /** The standard deviation of the gradient's error. */
  noise?: number;
}
