// Error messages for the person who drew the digit. Each is a title, a colon and a reason.

/** @import { ErrorAnswer } from "./answers.js" */

// The title of each HTTP status.
const STATUS_TITLES = new Map([
  [400, "Bad Request"],
  [401, "Key Needed"],
  [404, "Not Found"],
  [413, "Drawing Too Large"],
  [415, "Unsupported Format"],
  [422, "Drawing Not Accepted"],
  [429, "Too Many Requests"],
  [500, "Server Error"],
  [503, "Service Unavailable"],
]);

// Reasons for statuses that arrive without one: the API always sends a detail, a proxy in front of it need not.
const STATUS_REASONS = new Map([
  [413, "clear the canvas and draw with fewer lines."],
  [429, "please wait a moment."],
  [503, "the prediction service is not ready yet."],
]);

// The proxy's own answers when the API behind it is down or silent.
const PROXY_FAILURES = new Map([
  [502, "the prediction service is not running."],
  [504, "the prediction service took too long."],
]);

const MAX_REASON_LENGTH = 200;

/** The server cannot be reached at all. */
export const UNREACHABLE = "Connection Failed: the server cannot be reached.";

/** The server began to answer and then went away. */
export const CUT_OFF = "Connection Failed: the connection was lost during the answer.";

/** @param {number} timeoutMs */
export function timedOut(timeoutMs) {
  return `Connection Failed: no answer within ${timeoutMs / 1000} seconds.`;
}

/** @param {string} problem */
export function unexpectedAnswer(problem) {
  return `Unexpected Answer: ${problem}.`;
}

/**
 * Return the message for an HTTP status other than 200.
 * @param {number} status
 * @param {ErrorAnswer | undefined} answer the parsed JSON body, or undefined when it was not JSON
 */
export function statusMessage(status, answer) {
  const proxyFailure = PROXY_FAILURES.get(status);
  if (proxyFailure) return `Connection Failed: ${proxyFailure}`;
  const title = STATUS_TITLES.get(status) ?? (status >= 500 ? "Server Error" : "Unexpected Answer");
  const reason = reasonFrom(answer?.detail) || STATUS_REASONS.get(status) || `the server answered with status ${status}.`;
  return `${title}: ${reason}`;
}

/**
 * Return the reason in an error's `detail`: usually text, but FastAPI's own validation sends a list of {msg: text}.
 * @param {unknown} detail
 * @returns {string} empty when there is no text in it
 */
function reasonFrom(detail) {
  const texts = Array.isArray(detail) ? detail.map((item) => item?.msg) : [detail];
  const reason = texts.filter((text) => typeof text === "string").join("; ").trim();
  return reason.length > MAX_REASON_LENGTH ? `${reason.slice(0, MAX_REASON_LENGTH)}…` : reason;
}
