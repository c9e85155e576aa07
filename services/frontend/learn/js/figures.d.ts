// The figures of the learning path, and their controls.

export interface Position {
  x: number;
  y: number;
}

export interface Cell {
  row: number;
  column: number;
}

export interface SliderOptions {
  min: number;
  max: number;
  step: number;
  value: number;
  show?: (value: number) => string;
}

export interface Slider {
  element: HTMLElement;
  /** Setting the value does not call onInput. */
  value: number;
}

/** A line of the graph of chapter 4. */
export interface GraphLine {
  from: string;
  to: string;
  weight: string;
  isWide: boolean;
}
