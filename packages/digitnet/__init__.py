"""The network and nothing else: a neural network for handwritten digits, from scratch, with NumPy as its only dependency.

Read the core in this order; each file is one idea:

    layers.py, convolution.py   what each layer computes (forward), and how the gradient passes back through it (backward)
    losses.py                   how wrong an answer is, as one number, and its gradient
    optimizers.py               how the gradient moves the parameters
    schedules.py                how far each step goes, from the first to the last
    network.py                  layers in a row, with all their parameters in one flat vector
    training.py                 for each batch: forward, loss, backward, update

Around it: checkpoint.py and golden.py (a network on disk), decision.py (from logits to an answer), inference_plan.py (the
forward pass compiled for speed), parallel.py, prefetching.py and weight_averaging.py (fast training), images/ and inspect/.
"""

from digitnet.network import Network

__all__ = ["Network"]
