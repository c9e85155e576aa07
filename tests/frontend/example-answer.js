// An answer as the API sends it, to start each test from: the one that tests/contract holds the service to as well.

import { readFileSync } from "node:fs";

export const contract = JSON.parse(readFileSync(new URL("../contract/predict.json", import.meta.url), "utf8"));

/** @param {object} [changes] fields to replace; undefined removes one */
export function exampleAnswer(changes = {}) {
  const input = Array.from({ length: 28 }, () => Array(28).fill(0));
  return JSON.parse(JSON.stringify({ ...contract.answer, input, ...changes }));
}

/** Numbers as the API sends them. */
export function tensor(shape, values) {
  return { shape, float32: Buffer.from(new Float32Array(values).buffer).toString("base64") };
}
