// Softmax, cross-entropy and its gradient, as digitnet computes them.

/**
 * Turn logits into probabilities. Subtracting the largest logit first keeps exp from overflowing.
 * @param {readonly number[]} logits
 */
export function softmax(logits) {
  const largest = Math.max(...logits);
  const exponentials = logits.map((logit) => Math.exp(logit - largest));
  const total = exponentials.reduce((sum, each) => sum + each, 0);
  return exponentials.map((each) => each / total);
}

/**
 * Return the loss, -log p of the label. It takes no logarithm of p itself, which may round to zero.
 * @param {readonly number[]} logits
 * @param {number} label
 */
export function crossEntropy(logits, label) {
  const largest = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  return Math.log(total) - (logits[label] - largest);
}

/** Return the gradient of the loss: p - 1 at the label, p elsewhere. @param {readonly number[]} logits @param {number} label */
export function gradient(logits, label) {
  return softmax(logits).map((probability, i) => probability - (i === label ? 1 : 0));
}

/**
 * Move each logit one step against its gradient.
 * @param {readonly number[]} logits
 * @param {number} label
 * @param {number} rate
 */
export function stepDownhill(logits, label, rate) {
  const grad = gradient(logits, label);
  return logits.map((logit, i) => logit - rate * grad[i]);
}
