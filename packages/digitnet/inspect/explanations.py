"""Looking inside: what each layer makes of one image, and which of its pixels speak for and against each class.

The network is a function of its input as well as of its weights, so backpropagation, carried on to the image, says how each
logit would change with each pixel: its gradient, called saliency (Simonyan, Vedaldi and Zisserman, "Deep Inside Convolutional
Networks", 2014). Layers of ReLU and pooling are linear as long as none of them switches. So near an image a logit is a weighted
sum of its pixels, with the gradient as weights, and gradient times ink is what each pixel adds to it.
"""

import numpy as np

from digitnet.network import Network


def activations(network: Network, image: np.ndarray) -> list[np.ndarray]:
    """Image (28, 28) in [0, 1] -> the output of each layer, in network.dtype and in its shape, as network.shapes[1:] has them.

    The last are the logits. Remembers nothing: safe from several threads at once.
    """
    return [output[..., 0] for output in network.outputs(np.asarray(image)[None])]


def logit_gradients(network: Network, image: np.ndarray) -> np.ndarray:
    """Image (28, 28) in [0, 1] -> how each logit changes with each pixel, (classes, 28, 28) in network.dtype.

    One pass back for all of them: a batch of as many copies of the image as there are logits, where copy k starts from
    dlogit_k / dlogits, which is 1 at k and 0 elsewhere. The network itself is left alone: safe from several threads at once.
    """
    replica = network.replica()
    replica.forward(np.repeat(np.asarray(image, network.dtype)[None], network.classes, axis=0))
    return replica.backward(np.eye(network.classes, dtype=network.dtype), needs_grad_images=True)


def occlusion(network: Network, image: np.ndarray, size: int = 4) -> np.ndarray:
    """Image (28, 28) in [0, 1] -> by how much each logit falls when the ink around a pixel is taken away, (classes, 28, 28).

    Nothing is differentiated, so it checks the gradients (Zeiler and Fergus, "Visualizing and Understanding Convolutional
    Networks", 2014). The square that is taken away has `size` pixels a side, and the pixel in or next to its middle.
    """
    image = np.asarray(image, network.dtype)
    side = len(image)
    # covers[i, j]: whether the square around i covers j, along one axis
    distance = np.arange(side)[None, :] - np.arange(side)[:, None] + size // 2
    covers = (distance >= 0) & (distance < size)
    squares = (covers[:, None, :, None] & covers[None, :, None, :]).reshape(-1, side, side)
    occluded = network.predict_logits(np.where(squares, network.dtype.type(0.0), image))
    return (network.predict_logits(image[None]) - occluded).T.reshape(-1, side, side)
