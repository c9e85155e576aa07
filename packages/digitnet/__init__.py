"""A neural network for handwritten digits, from scratch, with NumPy as its only dependency.

Read the core in this order. Each file has one idea:

    layers.py, convolution.py   the output of each layer (forward), and the gradient of the loss (backward)
    losses.py                   softmax and cross-entropy: the error of a prediction as one number, and its gradient
    optimizers.py               from gradients to new parameters: SGD and Adam
    schedules.py                the learning rate of each step
    network.py                  layers in a row, with all their parameters in one flat vector
    training.py                 for each batch: forward, loss, backward, update

Around the core:

    decision.py                           from logits to a prediction
    checkpoint.py, golden.py              a network on disk
    inference_plan.py                     the forward pass, compiled for speed
    parallel.py, prefetching.py           training on several threads and processes
    weight_averaging.py                   a better network from the mean of the weights
    mnist.py, images/                     data: MNIST's files, and images from strokes or pixels
    inspect/                              inside a network: activations, units, explanations, snapshots of its training
"""

from digitnet.network import Network

__all__ = ["Network"]
