// Feedback on a prediction: its request, its outcomes, and the interfaces of the modules that ask for it and keep it.

import type { KeptFeedback } from "./kept-feedback.js";
import type { Failure } from "./requests.js";
import type { LoggedAnswer } from "./results.js";

/** In the API's format. The digit is null for "not a digit". */
export interface FeedbackRequest {
  prediction_id: string;
  actual_digit: number | null;
}

/**
 * The outcome of one attempt to send feedback. `isUnknown`: the service does not know the prediction.
 * A function that promises a delivery never rejects.
 */
export type Delivery = { received: true } | { error: string; isUnknown?: true } | Failure;

/** Where feedback waits. Only on the device it outlives the page. */
export type Place = "on the device" | "on the page";

/** The outcome of kept feedback. */
export type LaterOutcome = { received: true } | { error: string };

export type FeedbackOutcome = LaterOutcome | { kept: Place };

/** Kept feedback. `time` is in milliseconds since 1970. */
export interface Entry {
  time: number;
  request: FeedbackRequest;
}

export interface RetryQueueOptions {
  kept: KeptFeedback;
  timer: Pick<Window, "setTimeout" | "clearTimeout">;
  /** Browsers have locks only on localhost and with TLS. */
  locks?: Pick<LockManager, "request">;
  /** Gets the outcome of kept feedback. */
  onSettled: (predictionId: string, outcome: LaterOutcome) => void;
}

/** Asks whether an answer was right. FeedbackSession implements it. */
export interface Feedback {
  ask(prediction: LoggedAnswer): void;
  forget(): void;
}

/** FeedbackView implements it. */
export interface FeedbackDisplay {
  /** Show the question, with this choice preselected. */
  ask(choice: string): void;
  hide(): void;
  setBusy(busy: boolean): void;
  thank(): void;
  showKept(place: Place): void;
  /** Show an error, and keep the question for another attempt. */
  showError(message: string): void;
}
