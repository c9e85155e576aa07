// The API's answers, see docs/api.md. Each parse function checks the fields that it uses, since the page trusts no server.

export interface Answer {
  digit: number | null;
  is_digit: boolean;
  best_guess: number | null;
  probabilities: number[];
  confidence: number;
  no_digit: { probability: number; threshold: number } | null;
}

export interface PredictAnswer extends Answer {
  model_version: string;
  prediction_id: string;
  input: number[][];
}

/** POST /predict and /explain for a drawing that is a number, and POST /read with its candidates. */
export interface ReadAnswer {
  lines: ReadLine[];
  model_version: string;
}

export interface ReadLine {
  text: string;
  digits: ReadDigit[];
  pieces: { box: number[]; is_cut: boolean }[];
  candidates: { start: number; end: number; digit: number; score: number }[];
  path: number[];
}

export interface ReadDigit extends Answer {
  /** Left, top, width and height. */
  box: number[];
  /** Null if the service has not logged it. */
  prediction_id: string | null;
}

/** An array. `float32` is base64 of little-endian 32-bit floats. */
export interface EncodedTensor {
  shape: number[];
  float32: string;
}

/** A layer's name, and its declaration: the name alone, or the name with its options. */
export interface NamedLayer {
  name: string;
  declaration: string | Record<string, Record<string, number>>;
}

export interface ExplainAnswer extends PredictAnswer {
  layers: (NamedLayer & { activations: EncodedTensor })[];
  logits: number[];
  temperature: number;
  gradients: EncodedTensor;
  occlusion?: EncodedTensor;
  number?: ReadAnswer | null;
}

export interface UnitAnswer {
  value: number;
  inputs: EncodedTensor;
  weights: EncodedTensor | null;
  bias: number | null;
  field: { top: number; left: number; bottom: number; right: number };
}

export interface LearnAnswer {
  losses: number[];
  before: Answer;
  after: Answer | null;
  layers: LearnLayer[];
  known: LearnKnownDigit[];
}

export interface LearnLayer extends NamedLayer {
  gradient: EncodedTensor;
  parameters_norm: number;
  gradient_norm: number;
  update_norm: number;
}

export interface LearnKnownDigit {
  input: EncodedTensor;
  before: Answer;
  after: Answer | null;
}

/** GET /snapshots */
export interface SnapshotsAnswer {
  model_version: string;
  epochs: number | null;
  layers: string[];
  mapped: number[];
  moments: SnapshotAnswer[];
}

export interface SnapshotAnswer {
  step: number;
  learning_rate: number | null;
  train_loss: number | null;
  validation_loss: number | null;
  validation_accuracy: number;
  gradient_norm: (number | null)[];
  update_ratio: (number | null)[];
  dead_units: (number | null)[];
  filters: EncodedTensor;
  points: EncodedTensor;
}

/** POST /snapshots */
export interface SnapshotPredictionsAnswer {
  model_version: string;
  readings: SnapshotPrediction[];
}

export type SnapshotPrediction = Answer & { place: [number, number] };

/** Any error, and the confirmation of feedback. */
export interface ErrorAnswer {
  detail?: string | { msg?: string }[];
}

export interface FeedbackAnswer {
  message?: string;
}
