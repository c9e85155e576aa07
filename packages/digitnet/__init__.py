"""A neural network for handwritten digits, from scratch, with NumPy as its only dependency.

Read the core in this order. Each file has one idea:

    `layers.py`, `convolution.py`   The output of each layer (forward), and the gradient of the loss (backward).
    `losses.py`                     Softmax and cross-entropy: the error of a prediction as one number, and its gradient.
    `optimizers.py`                 From gradients to new parameters: SGD and Adam.
    `schedules.py`                  The learning rate of each step.
    `network.py`                    Layers in a row, with all their parameters in one flat vector.
    `training.py`                   For each batch: forward, loss, backward, update.

Around the core:

    `decision.py`                     From logits to a prediction.
    `checkpoint.py`, `golden.py`      A network on disk.
    `inference_plan.py`               The forward pass, compiled for speed.
    `parallel.py`, `prefetching.py`   Training on several threads and processes.
    `weight_averaging.py`             A better network from the mean of the weights.
    `mnist.py`, `images/`             Data: MNIST's files, and images from strokes or pixels.
    `inspect/`                        Inside a network: activations, units, explanations, snapshots of its training.
"""

from digitnet.network import Network

__all__ = ["Network"]
