// Requests in the API's format, and their outcomes.

import type { NumberPrediction, Prediction, Spot } from "./results.js";
import type { Retry } from "./retry.js";
import type { Sequence } from "./sequence.js";
import type { Stroke } from "./strokes.js";

/** A drawing, or an image. Other fields of a request join it. */
export type PredictionRequest = DrawingRequest | ImageRequest;

export interface ImageRequest {
  /** Returns the bytes of a PNG, JPEG or WebP; rejects if memory is short. */
  image: () => Promise<Blob>;
}

export interface DrawingRequest {
  strokes: readonly Stroke[];
  /** Size of the canvas that the strokes were drawn on. */
  width: number;
  height: number;
  /** Width of the brush in the same units. */
  brush: number;
}

/** The signal cancels the request. */
export type RequestPrediction = (
  request: PredictionRequest,
  signal: AbortSignal,
) => Promise<Outcome<Prediction | NumberPrediction>>;

/** An edit of a copy of the network. Without a weight it switches the unit off. */
export interface Change {
  layer: number;
  unit: number;
  weight?: number | "bias";
  value?: number;
}

/** Without changes, the served network answers. */
export type ExplanationRequest = PredictionRequest & { changes?: readonly Change[] };

export type UnitRequest = ExplanationRequest & Spot;

export interface TrainingStep {
  label: number | null;
  learning_rate: number;
}

export type TrainingRequest = PredictionRequest & { lessons: TrainingStep[] };

export interface Connection {
  fetch: typeof fetch;
  /** Cancels the request. */
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** A failed request. `mayPass`: a retry may succeed. `retryAfterMs`: the service's Retry-After. */
export type Failure = { error: string } | { error: string; mayPass: true; retryAfterMs: number | null };

/** A function that promises an outcome never rejects. */
export type Outcome<Answer> = { answer: Answer } | Failure;

/** Shared by all requests of the page. */
export interface Shared {
  sequence: Sequence;
  retry: Retry;
}

/** A question, and the number of its input. */
export interface Asked<Question> {
  question: Question;
  number: number;
}

/** An input, and the edits of the copy. */
export type Question = PredictionRequest & { changes: readonly Change[] };
