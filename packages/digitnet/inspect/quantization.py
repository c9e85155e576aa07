"""Packing: the weights of one moment of a training after the other, in about two bits a weight instead of thirty-two.

From moment to moment most weights move a little and all by similar amounts. So what is kept is the difference to the moment
before as it was unpacked, in whole steps of a grid that is about as wide as a layer's differences are spread:

    step = round(difference / width)          -1, 0 or 1 mostly, which compresses well
    unpacked <- unpacked + step * width

What is lost to rounding is part of the next difference, so the errors do not add up.
"""

import lzma

import numpy as np

from digitnet.network import Network

FIRST_WIDTH, WIDTH = 0.2, 1.25  # of a grid, in standard deviations: of the first weights, and of differences
MOST_STEPS = 127  # in one difference, to either side: int8
UNPACKING_BYTES = 2**27  # that lzma may take; the preset of `pack` takes half of that

UNPACKING_BYTES = 2**27  # of memory for lzma; the preset of `pack` needs half of it


def pack(network: Network, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parameters (n, count), of n moments of this network -> the packed steps, uint8 (bytes,), and float32 (n, layers with
    parameters), the width of each layer's grid at each moment."""
    parts = _parts(network)
    widths, steps = np.zeros((len(parameters), len(parts)), np.float32), np.zeros(parameters.shape, np.int8)
    unpacked = np.zeros(parameters.shape[1], np.float32)
    for moment, now in enumerate(parameters.astype(np.float32)):
        for layer, part in enumerate(parts):
            difference = now[part] - unpacked[part]
            width = np.float32(difference.std() * (WIDTH if moment else FIRST_WIDTH))
            widths[moment, layer] = width
            if width > 0.0:
                steps[moment, part] = np.clip(np.rint(difference / width), -MOST_STEPS, MOST_STEPS)
        unpacked += _moved(steps[moment], widths[moment], parts)
    return np.frombuffer(lzma.compress(steps.tobytes(), preset=9), np.uint8), widths


def unpack(network: Network, packed: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """What `pack` gave -> parameters float32 (n, count). ValueError for bytes that it did not."""
    parts, shape = _parts(network), (len(widths), network.parameters.size)
    if widths.shape != (len(widths), len(parts)) or not np.isfinite(widths).all():
        raise ValueError(f"the grids of packed weights should be finite numbers, {(len(widths), len(parts))}")
    unpacking = lzma.LZMADecompressor(memlimit=UNPACKING_BYTES)
    try:
        steps = unpacking.decompress(packed.tobytes(), max_length=shape[0] * shape[1] + 1)
    except lzma.LZMAError as error:
        raise ValueError(f"packed weights are damaged: {error}") from error
    if len(steps) != shape[0] * shape[1] or not unpacking.eof:
        raise ValueError(f"packed weights should be of {shape[0]} moments and {shape[1]} parameters, and are not")
    moves = [_moved(*of_moment, parts) for of_moment in zip(np.frombuffer(steps, np.int8).reshape(shape), widths)]
    return np.cumsum(moves, axis=0, dtype=np.float32).reshape(shape)


def _moved(steps, widths, parts):
    moved = np.zeros(steps.size, np.float32)
    for width, part in zip(widths, parts):
        moved[part] = steps[part] * width
    return moved


def _parts(network):
    """Of the layers that have parameters."""
    return [part for part in network.parts if part.start < part.stop]
