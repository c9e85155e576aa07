import assert from "node:assert/strict";
import { test } from "node:test";

import { requestPrediction, requestUnit, requestVersion, sendFeedback } from "../../services/frontend/js/api.js";
import { exampleAnswer } from "./example-answer.js";

const request = { strokes: [[[1, 2]]], width: 280, height: 280, brush: 20 };
const feedback = { prediction_id: "7b88140edcad49edb1cb4c9d8bc19318", actual_digit: null };

/** A fetch that answers with this status and body. */
const answering = (status, body, headers = {}) => async () => ({
  status,
  headers: new Headers(headers),
  text: async () => (typeof body === "string" ? body : JSON.stringify(body)),
});

/** A promise that only an abort settles, like a silent server's. */
const silence = (signal) =>
  new Promise((_, reject) => {
    const stop = () => reject(new DOMException("aborted", "AbortError"));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
  });

const unreachable = () => Promise.reject(new TypeError("Failed to fetch"));
const silent = (_, { signal }) => silence(signal);

const predict = (status, body, headers) => requestPrediction(request, { fetch: answering(status, body, headers) });
const send = (status, body, headers) => sendFeedback(feedback, { fetch: answering(status, body, headers) });

test("posts drawing and feedback as JSON to relative addresses", async () => {
  const calls = [];
  const recording = (answer) => async (url, { method, headers, body }) => {
    calls.push([url, method, headers["Content-Type"], JSON.parse(body)]);
    return answering(200, answer)();
  };
  const { answer: prediction } = await requestPrediction(request, { fetch: recording(exampleAnswer()) });
  assert.equal(prediction.digit, 5);
  assert.deepEqual(await sendFeedback(feedback, { fetch: recording({ message: "thank you" }) }), { received: true });
  assert.deepEqual(calls, [
    ["api/predict?input=true&number=true", "POST", "application/json", request],
    ["api/feedback", "POST", "application/json", feedback],
  ]);
});

test("posts an image as the body, with the other fields in the query", async () => {
  const calls = [];
  const recording = async (url, { headers, body }) => {
    calls.push([url, headers["Content-Type"], await body.text()]);
    return answering(422, {})();
  };
  const image = async () => new Blob(["a photo"], { type: "image/jpeg" });
  await requestPrediction({ image }, { fetch: recording });
  await requestUnit({ image, layer: 3, place: [1, 2] }, { fetch: recording });
  assert.deepEqual(calls, [
    ["api/predict?input=true&number=true", "image/jpeg", "a photo"],
    [`api/unit?options=${encodeURIComponent('{"layer":3,"place":[1,2]}')}`, "image/jpeg", "a photo"],
  ]);
  const { error } = await requestPrediction({ image: () => Promise.reject(new Error("no memory")) }, { fetch: recording });
  assert.match(error, /^Image Not Sent: /);
});

test("shows the API's reason for a status, or the page's", async () => {
  for (const [status, title] of [[422, "Input Not Accepted"], [503, "Service Unavailable"], [599, "Server Error"]]) {
    assert.equal((await predict(status, { detail: "this is why" })).error, `${title}: this is why`);
    const { error } = await predict(status, "<html>proxy</html>");
    assert.ok(error.startsWith(`${title}: `) && error.length > title.length + 10 && !error.includes("<"), error);
  }
});

test("joins lists of reasons, cuts long ones and replaces missing ones", async () => {
  const list = [{ loc: ["body"], msg: "too many points" }, { msg: "no strokes" }];
  assert.equal((await predict(422, { detail: list })).error, "Input Not Accepted: too many points; no strokes");
  assert.ok((await predict(400, { detail: "x".repeat(5000) })).error.length < 250);
  for (const body of ["null", "", { detail: { a: 1 } }, { detail: null }, { detail: "  " }, { detail: [null, 3, {}] }]) {
    assert.equal((await predict(400, body)).error, "Bad Request: the server answered with status 400.");
  }
});

test("rejects malformed answers and unconfirmed feedback", async () => {
  for (const body of ["<html>Log in</html>", "", "null", "[]", { message: 5 }]) {
    assert.deepEqual(await send(200, body), { error: "Unexpected Answer: the server did not confirm it." });
  }
  for (const status of [204, 410]) assert.match((await predict(status, "")).error, new RegExp(`^Unexpected Answer: .*${status}`));
  for (const body of ["", "<html>hello</html>", '{"Result": 5, "digit"', '{"confidence": NaN}']) {
    assert.deepEqual(await predict(200, body), { error: "Unexpected Answer: the server did not send JSON." });
  }
  assert.match((await predict(200, exampleAnswer({ probabilities: [1] }))).error, /^Unexpected Answer: the probabilities/);
});

const cut = async () => ({ status: 200, text: () => Promise.reject(new TypeError("terminated")) });
const stalling = async (_, { signal }) => ({ status: 200, text: () => silence(signal) });
for (const [name, fetch, reason] of [
  ["a proxy's 502", answering(502, "<html>nginx</html>"), /^Connection Failed: .+/],
  ["an unreachable server", unreachable, /^Connection Failed: the server cannot be reached/],
  ["a cut connection", cut, /^Connection Failed: the connection was lost/],
  ["a silent server", silent, /^Connection Failed: no answer within 0.02 seconds\.$/],
  ["a server that stalls", stalling, /^Connection Failed: no answer within 0.02 seconds\.$/],
]) {
  test(`${name} is a failed connection, which can be retried`, async () => {
    for (const outcome of [await requestPrediction(request, { fetch, timeoutMs: 20 }), await sendFeedback(feedback, { fetch, timeoutMs: 20 })]) {
      assert.match(outcome.error, reason);
      assert.deepEqual([outcome.mayPass, outcome.retryAfterMs], [true, null]);
    }
  });
}

test("a request can be aborted, even before it begins", async () => {
  const controller = new AbortController();
  const pending = requestPrediction(request, { fetch: silent, signal: controller.signal });
  controller.abort();
  assert.ok("error" in (await pending));
  assert.ok("error" in (await requestPrediction(request, { fetch: silent, signal: controller.signal })));
});

test("permanent rejections are not retried, and an unknown prediction is marked", async () => {
  assert.deepEqual(await predict(422, { detail: "no" }), { error: "Input Not Accepted: no" });
  assert.deepEqual(await send(404, { detail: "no such id" }), { error: "Not Found: no such id", isUnknown: true });
  for (const status of [400, 403, 413, 415, 422]) {
    assert.deepEqual(Object.keys(await send(status, { detail: "no" }, { "Retry-After": "5" })), ["error"], status);
  }
});

test("temporary failures can be retried after the service's Retry-After", async () => {
  const expected = { error: "Service Unavailable: no", mayPass: true, retryAfterMs: 5000 };
  for (const ask of [predict, send]) assert.deepEqual(await ask(503, { detail: "no" }, { "Retry-After": "5" }), expected);
  for (const status of [408, 429, 500, 502, 503, 504, 599]) assert.equal((await send(status, "<html>")).mayPass, true, status);
  for (const text of ["Wed, 21 Oct 2026 07:28:00 GMT", "soon", "-1", "1.5", ""]) {
    assert.equal((await send(503, "", { "Retry-After": text })).retryAfterMs, null, text);
  }
});

test("the version is a text of the model card, or an error", async () => {
  assert.deepEqual(await requestVersion({ fetch: answering(200, { version: "a1", doodle_version: "0.1.0" }) }), { answer: "0.1.0" });
  for (const card of [{}, null, { doodle_version: 1 }]) assert.ok("error" in (await requestVersion({ fetch: answering(200, card) })));
});
