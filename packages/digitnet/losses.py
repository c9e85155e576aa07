"""The loss: how wrong the network's answers are, as one number, and its gradient with respect to the logits.

Softmax turns ten logits z into ten probabilities, p_i = exp(z_i) / sum_j exp(z_j). Cross-entropy is the surprise at the
truth, L = -log p_label. Together they have the simplest gradient: dL/dz = p - one_hot(label).
(Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.4.)
"""

import numpy as np

from digitnet.arrays import Floats, Integers


def softmax(logits: Floats) -> Floats:
    """Turn logits (classes, batch) into probabilities of the same shape; each column is positive and sums to 1.

    Subtracting the column's maximum changes nothing, and exp never overflows.
    """
    exponentials: Floats = np.exp(logits - logits.max(axis=0))
    totals: Floats = exponentials.sum(axis=0)
    return exponentials / totals


def softmax_cross_entropy(logits: Floats, labels: Integers) -> tuple[float, Floats]:
    """Return the MEAN loss of logits (classes, batch) with labels (batch,), and dL/dlogits in the shape of the logits.

    log p is z - log(sum(exp z)), never the logarithm of a probability that may have rounded to zero.
    """
    examples = np.arange(labels.size)
    shifted = logits - logits.max(axis=0)
    exponentials = np.exp(shifted)
    totals = exponentials.sum(axis=0)
    loss = float(np.mean(np.log(totals) - shifted[labels, examples]))

    grad_logits = exponentials / totals
    grad_logits[labels, examples] -= 1.0
    grad_logits /= labels.size
    return loss, grad_logits
