import assert from "node:assert/strict";
import { test } from "node:test";

import { PREDICT_URL, requestPrediction, sendFeedback } from "../../services/frontend/js/api.js";
import { exampleAnswer } from "./example-answer.js";

const request = { strokes: [[[1, 2]]], width: 280, height: 280, brush: 20 };

/** A fetch that answers with this status and body. */
const answering = (status, body, headers = {}) => async () => ({
  status,
  headers: new Headers(headers),
  text: async () => (typeof body === "string" ? body : JSON.stringify(body)),
});

/** A promise that only an abort ends, as a silent server's. */
const silence = (signal) =>
  new Promise((_, reject) => {
    const stop = () => reject(new DOMException("aborted", "AbortError"));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
  });

/** The error shown for a status and a body. */
async function errorFor(status, body) {
  const outcome = await requestPrediction(request, { fetch: answering(status, body) });
  assert.equal("prediction" in outcome, false);
  return outcome.error;
}

test("the drawing is posted as JSON to a relative address", async () => {
  const calls = [];
  const fetch = async (url, options) => {
    calls.push({ url, ...options });
    return { status: 200, text: async () => JSON.stringify(exampleAnswer()) };
  };
  await requestPrediction(request, { fetch });
  assert.equal(calls.length, 1);
  assert.equal(calls[0].url, "api/predict?input=true");
  assert.equal(PREDICT_URL.startsWith("/"), false);
  assert.equal(calls[0].method, "POST");
  assert.equal(calls[0].headers["Content-Type"], "application/json");
  assert.deepEqual(JSON.parse(calls[0].body), request);
});

test("a good answer gives a prediction", async () => {
  const outcome = await requestPrediction(request, { fetch: answering(200, exampleAnswer()) });
  assert.equal(outcome.prediction.digit, 5);
});

for (const [status, title] of [
  [400, "Bad Request"],
  [401, "Key Needed"],
  [413, "Drawing Too Large"],
  [415, "Unsupported Format"],
  [422, "Drawing Not Accepted"],
  [429, "Too Many Requests"],
  [500, "Server Error"],
  [503, "Service Unavailable"],
]) {
  test(`status ${status} shows the API's own reason`, async () => {
    assert.equal(await errorFor(status, { detail: "this is why" }), `${title}: this is why`);
  });

  test(`status ${status} without JSON still gives a reason`, async () => {
    const error = await errorFor(status, "<html>proxy</html>");
    assert.ok(error.startsWith(`${title}: `) && error.length > title.length + 10, error);
    assert.ok(!error.includes("<"), error);
  });
}

test("validation errors in FastAPI's list form are joined", async () => {
  const detail = [{ loc: ["body"], msg: "too many points", type: "x" }, { msg: "no strokes" }];
  assert.equal(await errorFor(422, { detail }), "Drawing Not Accepted: too many points; no strokes");
});

for (const [name, body] of [
  ["null", "null"],
  ["an empty body", ""],
  ["a detail that is an object", { detail: { a: 1 } }],
  ["a detail of null", { detail: null }],
  ["an empty detail", { detail: "  " }],
  ["a list of nothing useful", { detail: [null, 3, {}] }],
]) {
  test(`an error with ${name} falls back to a reason of our own`, async () => {
    assert.equal(await errorFor(400, body), "Bad Request: the server answered with status 400.");
  });
}

test("an endless detail is cut", async () => {
  assert.ok((await errorFor(400, { detail: "x".repeat(5000) })).length < 250);
});

test("an unknown status is named", async () => {
  assert.match(await errorFor(410, "Gone"), /^Unexpected Answer: .*410/);
  assert.match(await errorFor(404, "<html>"), /^Not Found: .*404/);
  assert.match(await errorFor(599, ""), /^Server Error: .*599/);
});

for (const status of [502, 504]) {
  test(`status ${status} from the proxy is a failed connection, whatever its body`, async () => {
    assert.match(await errorFor(status, "<html>nginx</html>"), /^Connection Failed: .+/);
    assert.match(await errorFor(status, { detail: "bad gateway" }), /^Connection Failed: .+/);
  });
}

test("a server that cannot be reached is a failed connection", async () => {
  const fetch = async () => {
    throw new TypeError("Failed to fetch");
  };
  const { error } = await requestPrediction(request, { fetch });
  assert.match(error, /^Connection Failed: the server cannot be reached/);
});

test("a connection cut in the middle of the answer is a failed connection", async () => {
  const fetch = async () => ({
    status: 200,
    text: async () => {
      throw new TypeError("terminated");
    },
  });
  const { error } = await requestPrediction(request, { fetch });
  assert.match(error, /^Connection Failed: the connection was lost/);
});

test("a server that never answers times out", async () => {
  const fetch = (_, { signal }) => silence(signal);
  const { error } = await requestPrediction(request, { fetch, timeoutMs: 20 });
  assert.equal(error, "Connection Failed: no answer within 0.02 seconds.");
});

test("a server that stalls in the middle of the answer times out", async () => {
  const fetch = async (_, { signal }) => ({ status: 200, text: () => silence(signal) });
  const { error } = await requestPrediction(request, { fetch, timeoutMs: 20 });
  assert.match(error, /^Connection Failed: no answer within/);
});

test("the caller can give the request up", async () => {
  const controller = new AbortController();
  const fetch = (_, { signal }) => silence(signal);
  const pending = requestPrediction(request, { fetch, signal: controller.signal });
  controller.abort();
  assert.ok("error" in (await pending));
});

test("a request that was given up before it began is not made to wait", async () => {
  const controller = new AbortController();
  controller.abort();
  const fetch = (_, { signal }) => silence(signal);
  assert.ok("error" in (await requestPrediction(request, { fetch, signal: controller.signal })));
});

test("an answer that is not JSON is an unexpected answer", async () => {
  for (const body of ["", "<html>hello</html>", '{"Result": 5, "digit"', '{"confidence": NaN}']) {
    const outcome = await requestPrediction(request, { fetch: answering(200, body) });
    assert.deepEqual(outcome, { error: "Unexpected Answer: the server did not send JSON." });
  }
});

test("JSON of another shape is an unexpected answer that says what is wrong", async () => {
  assert.equal(
    await errorFor(200, exampleAnswer({ probabilities: [1] })),
    "Unexpected Answer: the probabilities are not ten numbers from 0 to 1.",
  );
});

test("a success other than 200 is not taken for a prediction", async () => {
  assert.match(await errorFor(204, ""), /^Unexpected Answer: .*204/);
});

test("a drawing may be predicted later after a failure of the service or the network, and only then", async () => {
  const later = await requestPrediction(request, { fetch: answering(503, { detail: "no model" }, { "Retry-After": "5" }) });
  assert.deepEqual(later, { error: "Service Unavailable: no model", mayPass: true, retryAfterMs: 5000 });
  const offline = await requestPrediction(request, { fetch: () => Promise.reject(new TypeError("Failed to fetch")) });
  assert.equal(offline.mayPass, true);
  const never = await requestPrediction(request, { fetch: answering(422, { detail: "no" }) });
  assert.deepEqual(never, { error: "Drawing Not Accepted: no" });
});

const feedback = { prediction_id: "7b88140edcad49edb1cb4c9d8bc19318", actual_digit: null };

test("feedback is posted as JSON to a relative address", async () => {
  const calls = [];
  const fetch = async (url, options) => {
    calls.push({ url, ...options });
    return { status: 200, text: async () => JSON.stringify({ message: "Feedback received, thank you!" }) };
  };
  assert.deepEqual(await sendFeedback(feedback, { fetch }), { received: true });
  assert.equal(calls[0].url, "api/feedback");
  assert.deepEqual(JSON.parse(calls[0].body), feedback);
});

test("feedback counts as received only where the API says so", async () => {
  for (const body of ["<html>Log in</html>", "", "null", "[]", { message: 5 }]) {
    const outcome = await sendFeedback(feedback, { fetch: answering(200, body) });
    assert.deepEqual(outcome, { error: "Unexpected Answer: the server did not confirm it." });
  }
});

test("feedback that is refused for good shows the API's reason, and no more", async () => {
  const unknown = await sendFeedback(feedback, { fetch: answering(404, { detail: "there is no prediction with this id" }) });
  assert.deepEqual(unknown, { error: "Not Found: there is no prediction with this id", isUnknown: true });
  for (const status of [400, 403, 413, 415, 422]) {
    const outcome = await sendFeedback(feedback, { fetch: answering(status, { detail: "no" }, { "Retry-After": "5" }) });
    assert.deepEqual(Object.keys(outcome), ["error"], status);
  }
});

test("feedback that the service cannot take just now may pass later, after what it says", async () => {
  const fetch = answering(503, { detail: "the feedback could not be kept" }, { "Retry-After": "5" });
  const outcome = await sendFeedback(feedback, { fetch });
  assert.deepEqual(outcome, { error: "Service Unavailable: the feedback could not be kept", mayPass: true, retryAfterMs: 5000 });
});

for (const status of [408, 429, 500, 502, 503, 504, 599]) {
  test(`after status ${status} the same feedback may pass later`, async () => {
    const outcome = await sendFeedback(feedback, { fetch: answering(status, "<html>proxy</html>") });
    assert.equal(outcome.mayPass, true);
    assert.equal(outcome.retryAfterMs, null);
  });
}

test("a Retry-After that is no number of seconds says nothing", async () => {
  for (const text of ["Wed, 21 Oct 2026 07:28:00 GMT", "soon", "-1", "1.5", ""]) {
    const outcome = await sendFeedback(feedback, { fetch: answering(503, "", { "Retry-After": text }) });
    assert.equal(outcome.retryAfterMs, null, text);
  }
});

test("feedback to a silent server is given up, and so said; it may pass later", async () => {
  const fetch = (_, { signal }) => silence(signal);
  const outcome = await sendFeedback(feedback, { fetch, timeoutMs: 20 });
  const error = "Connection Failed: no answer within 0.02 seconds.";
  assert.deepEqual(outcome, { error, mayPass: true, retryAfterMs: null });
});

test("feedback to a server that cannot be reached may pass later", async () => {
  const fetch = async () => {
    throw new TypeError("Failed to fetch");
  };
  const outcome = await sendFeedback(feedback, { fetch });
  assert.match(outcome.error, /^Connection Failed: the server cannot be reached/);
  assert.equal(outcome.mayPass, true);
});
