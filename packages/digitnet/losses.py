"""The loss: the error of the network's predictions as one number, and its gradient with respect to the logits.

Softmax turns logits z into probabilities, p_i = exp(z_i) / sum_j exp(z_j). Cross-entropy is the negative log-probability of
the label, L = -log p_label. Together their gradient is simple: dL/dz = p - one_hot(label).
(Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.4.)
"""

import numpy as np

from digitnet.arrays import Floats, Integers


def softmax(logits: Floats) -> Floats:
    """Turn logits (classes, batch) into probabilities of the same shape. Each column sums to 1.

    The subtracted maximum cancels out, and keeps exp from overflowing.
    """
    exponentials: Floats = np.exp(logits - logits.max(axis=0))
    totals: Floats = exponentials.sum(axis=0)
    return exponentials / totals


def softmax_cross_entropy(logits: Floats, labels: Integers) -> tuple[float, Floats]:
    """Return the MEAN loss of logits (classes, batch) with labels int (batch,), and its gradient dL/dlogits (classes, batch).

    It computes log p as z - log(sum(exp z)), because a probability may round to 0, whose logarithm is infinite.
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
