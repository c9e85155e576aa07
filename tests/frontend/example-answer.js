// The API's example answer from tests/contract/predict.json, which also binds the service.

import { readFileSync } from "node:fs";

export const contract = JSON.parse(readFileSync(new URL("../contract/predict.json", import.meta.url), "utf8"));

/** @param {object} [changes] fields to replace; undefined removes one */
export function exampleAnswer(changes = {}) {
  const input = Array.from({ length: 28 }, () => Array(28).fill(0));
  return JSON.parse(JSON.stringify({ ...contract.answer, input, ...changes }));
}

/** Encode numbers as the API does. */
export function tensor(shape, values) {
  return { shape, float32: Buffer.from(new Float32Array(values).buffer).toString("base64") };
}
