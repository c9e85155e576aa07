// Softmax, cross-entropy and its gradient, as digitnet computes them.

/** Logits to probabilities. The largest is subtracted first: the result is the same and exp never overflows. @param {readonly number[]} logits */
export function softmax(logits) {
  const largest = Math.max(...logits);
  const exponentials = logits.map((logit) => Math.exp(logit - largest));
  const total = exponentials.reduce((sum, each) => sum + each, 0);
  return exponentials.map((each) => each / total);
}

/** The surprise at the truth, -log p, never as the logarithm of what may have rounded to zero. @param {readonly number[]} logits @param {number} label */
export function crossEntropy(logits, label) {
  const largest = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  return Math.log(total) - (logits[label] - largest);
}

/** How fast the loss grows with each logit: p - 1 at the label, p elsewhere. @param {readonly number[]} logits @param {number} label */
export function gradient(logits, label) {
  return softmax(logits).map((probability, i) => probability - (i === label ? 1 : 0));
}

/**
 * One step downhill: each logit against its gradient.
 * @param {readonly number[]} logits
 * @param {number} label
 * @param {number} rate
 */
export function stepDownhill(logits, label, rate) {
  const grad = gradient(logits, label);
  return logits.map((logit, i) => logit - rate * grad[i]);
}
