// An answer as the API sends it, to start each test from.

/** @param {object} [changes] fields to replace; undefined removes one */
export function exampleAnswer(changes = {}) {
  const answer = {
    Result: 5,
    digit: 5,
    is_digit: true,
    probabilities: [0.001, 0.001, 0.002, 0.011, 0.001, 0.973, 0.003, 0.001, 0.005, 0.002],
    confidence: 0.973,
    model_version: "3f9a0c2b41de",
    prediction_id: "c0ffee",
    input: Array.from({ length: 28 }, () => Array(28).fill(0)),
    ...changes,
  };
  return JSON.parse(JSON.stringify(answer));
}
