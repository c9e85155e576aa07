"""Explanations: the output of each layer for one image, and the effect of each pixel on each logit.

A network is a function of its input as well as of its weights. So backpropagation to the image gives the gradient of each logit
with respect to each pixel, called saliency (Simonyan, Vedaldi and Zisserman, "Deep Inside Convolutional Networks", 2014). Near
an image, ReLU and pooling do not switch, so a logit is a weighted sum of the pixels, with the gradient as weights. Each pixel
contributes gradient times ink.
"""

import numpy as np

from digitnet.arrays import Floats
from digitnet.network import Network


def activations(network: Network, image: Floats) -> list[Floats]:
    """Return the output of each layer for an image (28, 28) in [0, 1], in the shapes network.shapes[1:].

    The last output is the logits. Several threads may call it at once.
    """
    return [output[..., 0] for output in network.outputs(np.asarray(image)[None])]


def logit_gradients(network: Network, image: Floats) -> Floats:
    """Return dlogits/dimage, (classes, 28, 28), for an image (28, 28) in [0, 1].

    One backward pass computes all of them. Its batch has a copy of the image for each logit; copy k has the gradient 1 at logit k
    and 0 at the others. The network does not change, so several threads may call this at once.
    """
    replica = network.replica()
    replica.forward(np.repeat(np.asarray(image, network.dtype)[None], network.classes, axis=0))
    return replica.backward_to_images(np.eye(network.classes, dtype=network.dtype))


def occlusion(network: Network, image: Floats, size: int = 4) -> Floats:
    """Return the decrease of each logit without the ink around each pixel, (classes, 28, 28), for an image (28, 28) in [0, 1].

    A square of `size` x `size` pixels, centered on the pixel, loses its ink. Occlusion needs no derivative, so it can check the
    gradients (Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014).
    """
    image = np.asarray(image, network.dtype)
    side = len(image)
    distance = np.arange(side)[None, :] - np.arange(side)[:, None] + size // 2
    covers = (distance >= 0) & (distance < size)  # [i, j]: does the square around i cover j, along one axis?
    squares = (covers[:, None, :, None] & covers[None, :, None, :]).reshape(-1, side, side)
    occluded = network.predict_logits(np.where(squares, network.dtype.type(0.0), image))
    return (network.predict_logits(image[None]) - occluded).T.reshape(-1, side, side)
