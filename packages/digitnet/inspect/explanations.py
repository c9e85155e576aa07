"""Explanations: the output of each layer for one image, and which pixels raise or lower each logit.

A network is a function of its input as well as of its weights, so backpropagation to the image gives the slope of each logit
for each pixel: its gradient, called saliency (Simonyan, Vedaldi and Zisserman, "Deep Inside Convolutional Networks", 2014).
ReLU and pooling are linear as long as none of them switches. So near an image a logit is a weighted sum of its pixels, with
the gradient as weights, and each pixel adds gradient times ink to it.
"""

import numpy as np

from digitnet.arrays import Floats
from digitnet.network import Network


def activations(network: Network, image: Floats) -> list[Floats]:
    """Return the output of each layer for an image (28, 28) in [0, 1], in the shapes of network.shapes[1:].

    The last output is the logits. Safe from several threads at once.
    """
    return [output[..., 0] for output in network.outputs(np.asarray(image)[None])]


def logit_gradients(network: Network, image: Floats) -> Floats:
    """Return dlogits/dimage, (classes, 28, 28), for an image (28, 28) in [0, 1].

    One backward pass takes as many copies of the image as there are logits: copy k starts from 1 at logit k and 0 at the
    others. The network stays unchanged: safe from several threads at once.
    """
    replica = network.replica()
    replica.forward(np.repeat(np.asarray(image, network.dtype)[None], network.classes, axis=0))
    return replica.backward_to_images(np.eye(network.classes, dtype=network.dtype))


def occlusion(network: Network, image: Floats, size: int = 4) -> Floats:
    """Return how far each logit falls without the ink around a pixel, (classes, 28, 28), for an image (28, 28) in [0, 1].

    The square without ink has `size` pixels a side and is centered on the pixel. This needs no derivative, so it checks the
    gradients (Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014).
    """
    image = np.asarray(image, network.dtype)
    side = len(image)
    distance = np.arange(side)[None, :] - np.arange(side)[:, None] + size // 2
    covers = (distance >= 0) & (distance < size)  # [i, j]: whether the square around i covers j, along one axis
    squares = (covers[:, None, :, None] & covers[None, :, None, :]).reshape(-1, side, side)
    occluded = network.predict_logits(np.where(squares, network.dtype.type(0.0), image))
    return (network.predict_logits(image[None]) - occluded).T.reshape(-1, side, side)
