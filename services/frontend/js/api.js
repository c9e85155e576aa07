// The API client: sends a request, and returns its outcome, which is a checked answer or an error message. It never throws.

import { CUT_OFF, NOT_ENCODED, UNREACHABLE, statusMessage, timedOut, unexpectedAnswer } from "./error-messages.js";
import { parseExplanation } from "./explanation.js";
import { parseDigitOrNumber } from "./number.js";
import { UnexpectedAnswerError } from "./prediction.js";
import { parseSnapshotPredictions, parseTrainingHistory } from "./snapshots.js";
import { parseTrainingResult } from "./training-result.js";
import { parseUnit } from "./unit.js";

/** @import { ErrorAnswer, FeedbackAnswer } from "./answers.js" */
/** @import { Delivery, FeedbackRequest } from "./feedback.js" */
/** @import { Connection, Failure, Outcome } from "./requests.js" */
/** @import { ExplanationRequest, PredictionRequest, TrainingRequest, UnitRequest } from "./requests.js" */
/** @import { TrainingHistory } from "./results.js" */

// Relative, so that the page also works below a path such as https://example.org/doodle/.
export const PREDICT_URL = "api/predict?input=true&number=true";
export const EXPLAIN_URL = "api/explain";
export const LEARN_URL = "api/learn";
export const UNIT_URL = "api/unit";
export const SNAPSHOTS_URL = "api/snapshots";
export const FEEDBACK_URL = "api/feedback";
export const MODEL_URL = "api/model";

export const TIMEOUT_MS = 10_000;
export const IMAGE_TIMEOUT_MS = 60_000; // an upload of several megabytes takes a phone this long

/** Statuses below 500 for which a retry may succeed: a slow request, or too many requests. */
const PASSING_STATUSES = new Set([408, 429]);

/** @typedef {{status: number, body: string, headers: Headers}} Reply */

/**
 * Ask for the digit, or for the number of a drawing that is one. The service decides, and logs only its answer.
 * @param {PredictionRequest} request
 * @param {Connection} connection
 */
export async function requestPrediction(request, connection) {
  return outcomeOf(parseDigitOrNumber, await post(PREDICT_URL, request, connection));
}

/**
 * Ask for an explanation, with each stroke: the service does not log it. The served network also reads the number. An occlusion
 * takes 784 forward passes.
 * @param {ExplanationRequest} request
 * @param {Connection} connection
 */
export async function requestExplanation(request, connection, { occlusion = false } = {}) {
  const isEdited = (request.changes ?? []).length > 0;
  const query = occlusion ? "?occlusion=true" : isEdited ? "" : "?number=true";
  return outcomeOf(parseExplanation, await post(`${EXPLAIN_URL}${query}`, request, connection));
}

/** @param {TrainingRequest} request @param {Connection} connection */
export async function requestTraining(request, connection) {
  return outcomeOf(parseTrainingResult, await post(LEARN_URL, request, connection));
}

/** @param {UnitRequest} request @param {Connection} connection */
export async function requestUnit(request, connection) {
  return outcomeOf(parseUnit, await post(UNIT_URL, request, connection));
}

/**
 * Ask for the live model's training. The answer is null for a model without snapshots.
 * @param {Connection} connection
 * @returns {Promise<Outcome<TrainingHistory | null>>}
 */
export async function requestTrainingHistory(connection) {
  const reply = await send(SNAPSHOTS_URL, { headers: { Accept: "application/json" } }, connection);
  return "status" in reply && reply.status === 404 ? { answer: null } : outcomeOf(parseTrainingHistory, reply);
}

/** Ask for the prediction of each snapshot. @param {PredictionRequest} request @param {Connection} connection */
export async function requestSnapshotPredictions(request, connection) {
  return outcomeOf(parseSnapshotPredictions, await post(SNAPSHOTS_URL, request, connection));
}

/** Ask for the version of Doodle that serves the page. @param {Connection} connection */
export async function requestVersion(connection) {
  return outcomeOf(parseVersion, await send(MODEL_URL, { headers: { Accept: "application/json" } }, connection));
}

/** @param {{doodle_version?: unknown} | null} card */
function parseVersion(card) {
  const version = card?.doodle_version;
  if (typeof version !== "string") throw new UnexpectedAnswerError("the model card has no doodle_version");
  return version;
}

/** @param {FeedbackRequest} request @param {Connection} connection @returns {Promise<Delivery>} */
export async function sendFeedback(request, connection) {
  const reply = await post(FEEDBACK_URL, request, connection);
  if ("error" in reply) return reply;
  /** @type {(ErrorAnswer & FeedbackAnswer) | undefined} */
  const answer = parseJson(reply.body);
  if (reply.status === 404) return { error: statusMessage(reply.status, answer), isUnknown: true };
  if (reply.status !== 200) return failure(reply, answer);
  // Only the API's message confirms it, since a proxy's page may also have status 200.
  return typeof answer?.message === "string" ? { received: true } : { error: unexpectedAnswer("the server did not confirm it") };
}

/**
 * Send a request as JSON, or an image as the body with the other fields in the query.
 * @param {string} url
 * @param {PredictionRequest | FeedbackRequest | TrainingRequest} request
 * @param {Connection} connection
 */
async function post(url, request, connection) {
  if (!("image" in request)) return send(url, bodyOf("application/json", JSON.stringify(request)), connection);
  const { image, ...fields } = request;
  let bytes;
  try {
    bytes = await image();
  } catch {
    return { error: NOT_ENCODED };
  }
  return send(withOptions(url, fields), bodyOf(bytes.type, bytes), { timeoutMs: IMAGE_TIMEOUT_MS, ...connection });
}

/** @param {string} type @param {BodyInit} body @returns {RequestInit} */
function bodyOf(type, body) {
  return { method: "POST", headers: { "Content-Type": type, Accept: "application/json" }, body };
}

/** @param {string} url @param {object} fields */
function withOptions(url, fields) {
  if (Object.keys(fields).length === 0) return url;
  return `${url}${url.includes("?") ? "&" : "?"}options=${encodeURIComponent(JSON.stringify(fields))}`;
}

/**
 * @param {string} url
 * @param {RequestInit} options
 * @param {Connection} connection
 * @returns {Promise<Reply | Failure>}
 */
async function send(url, options, { fetch, signal, timeoutMs = TIMEOUT_MS }) {
  // One controller for the caller's signal and the timeout, until the body is complete: a server can also stall there.
  const controller = new AbortController();
  const abort = () => controller.abort();
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    abort();
  }, timeoutMs);

  let response;
  let body;
  try {
    response = await fetch(url, { ...options, signal: controller.signal });
    body = await response.text();
  } catch {
    // fetch rejects for every kind of network failure, and browsers do not tell which.
    const error = isLate ? timedOut(timeoutMs) : response ? CUT_OFF : UNREACHABLE;
    return { error, mayPass: true, retryAfterMs: null };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
  return { status: response.status, body, headers: response.headers };
}

/**
 * @template Json, Answer
 * @param {(json: Json) => Answer} parse throws UnexpectedAnswerError
 * @param {Reply | Failure} reply
 * @returns {Outcome<Answer>}
 */
function outcomeOf(parse, reply) {
  if ("error" in reply) return reply;
  const answer = parseJson(reply.body);
  if (reply.status !== 200) return failure(reply, answer);
  if (answer === undefined) return { error: unexpectedAnswer("the server did not send JSON") };
  try {
    return { answer: parse(answer) };
  } catch (error) {
    if (error instanceof UnexpectedAnswerError) return { error: unexpectedAnswer(error.message) };
    throw error;
  }
}

/** @param {Reply} reply not of status 200 @param {ErrorAnswer | undefined} answer its parsed body @returns {Failure} */
function failure({ status, headers }, answer) {
  const error = statusMessage(status, answer);
  const mayPass = status >= 500 || PASSING_STATUSES.has(status);
  return mayPass ? { error, mayPass, retryAfterMs: inMilliseconds(headers.get("Retry-After")) } : { error };
}

/** @param {string} text @returns {any} undefined when the text is not JSON */
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {string | null} retryAfter in seconds; the service sends no date, so null stands for one */
function inMilliseconds(retryAfter) {
  return /^\d+$/.test(retryAfter ?? "") ? 1000 * Number(retryAfter) : null;
}
