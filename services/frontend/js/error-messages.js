// Error messages for the page. Each is a title, a colon and a reason.

/** @import { ErrorAnswer } from "./answers.js" */

const STATUS_TITLES = new Map([
  [400, "Bad Request"],
  [401, "Key Needed"],
  [404, "Not Found"],
  [413, "Input Too Large"],
  [415, "Unsupported Format"],
  [422, "Input Not Accepted"],
  [429, "Too Many Requests"],
  [500, "Server Error"],
  [503, "Service Unavailable"],
]);

// Reasons for errors without a detail, which come from a proxy and not from the API.
const STATUS_REASONS = new Map([
  [413, "draw with fewer lines, or crop the image."],
  [429, "please wait a moment."],
  [503, "the prediction service is not ready yet."],
]);

// Errors of the proxy when the API is down or silent.
const PROXY_FAILURES = new Map([
  [502, "the prediction service is not running."],
  [504, "the prediction service took too long."],
]);

const MAX_REASON_LENGTH = 200;

export const UNREACHABLE = "Connection Failed: the server cannot be reached.";

export const CUT_OFF = "Connection Failed: the connection was lost during the answer.";

export const NOT_AN_IMAGE = "Not an Image: the browser cannot read this file. Choose a PNG, JPEG or WebP image.";

export const HEIC = "HEIC Not Supported: this browser cannot read HEIC photos. Export the photo as JPEG, then choose that file.";

export const NOTHING_TO_PASTE = "Nothing to Paste: the clipboard has no image. Copy an image, then paste again.";

export const NOT_ENCODED = "Image Not Sent: the browser is short of memory. Choose a smaller image.";

/** @param {string} size with its unit @param {string} limit */
export function imageTooLarge(size, limit) {
  return `Image Too Large: it has ${size}, and this page opens at most ${limit}. Choose a smaller one.`;
}

/** @param {number} timeoutMs */
export function timedOut(timeoutMs) {
  return `Connection Failed: no answer within ${timeoutMs / 1000} seconds.`;
}

/** @param {string} problem */
export function unexpectedAnswer(problem) {
  return `Unexpected Answer: ${problem}.`;
}

/** Return the message for an HTTP status other than 200. @param {number} status @param {ErrorAnswer | undefined} answer */
export function statusMessage(status, answer) {
  const proxyFailure = PROXY_FAILURES.get(status);
  if (proxyFailure) return `Connection Failed: ${proxyFailure}`;
  const title = STATUS_TITLES.get(status) ?? (status >= 500 ? "Server Error" : "Unexpected Answer");
  const reason = reasonFrom(answer?.detail) || STATUS_REASONS.get(status) || `the server answered with status ${status}.`;
  return `${title}: ${reason}`;
}

/** Return the reason in an error's `detail`: text, or a list of {msg: text} from FastAPI's validation. @param {unknown} detail */
function reasonFrom(detail) {
  const texts = Array.isArray(detail) ? detail.map((item) => item?.msg) : [detail];
  const reason = texts.filter((text) => typeof text === "string").join("; ").trim();
  return reason.length > MAX_REASON_LENGTH ? `${reason.slice(0, MAX_REASON_LENGTH)}…` : reason;
}
