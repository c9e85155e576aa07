"""The loss: how wrong the network's answers are, as one number, and its gradient with respect to the logits.

Softmax turns ten logits z into ten probabilities, p_i = exp(z_i) / sum_j exp(z_j), and cross-entropy is the surprise at
the truth, L = -log p_label. Taken together their gradient is the simplest there could be: dL/dz = p - one_hot(label).
(Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.4.)
"""

import numpy as np


def softmax(logits: np.ndarray) -> np.ndarray:
    """Logits (classes, batch) -> probabilities of the same shape; each column is positive and sums to 1.

    The column's maximum is subtracted first: the result is the same and exp never overflows.
    """
    exponentials = np.exp(logits - logits.max(axis=0))
    return exponentials / exponentials.sum(axis=0)


def softmax_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Logits (classes, batch) and labels int (batch,) -> the MEAN loss over the batch and dL/dlogits, shaped as logits.

    log p is taken as z - log(sum(exp z)), never as the logarithm of a probability that may have rounded to zero.
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
