"""Delta quantization: the weights of several snapshots, in about two bits a weight instead of thirty-two.

From one snapshot to the next, most weights change a little. So the file has the differences to the unpacked snapshot before, in
whole steps of a grid. The width of a step is proportional to the standard deviation of a layer's differences:

    step = round(difference / width)          mostly -1, 0 or 1, which compresses well
    unpacked <- unpacked + step * width

Each difference includes the rounding error of the one before, so errors do not accumulate.
"""

import lzma

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import Array, Bytes, Floats
from digitnet.network import Network

FIRST_WIDTH, WIDTH = 0.2, 1.25  # Of a step, in standard deviations of the first weights, and of later differences.
MOST_STEPS = 127  # The limit of int8.
UNPACKING_BYTES = 2**27  # lzma's memory limit. The preset of `pack` needs half of it.


def pack(network: Network, parameters: Floats) -> tuple[Bytes, NDArray[np.float32]]:
    """Pack the parameters (n, count) of n snapshots of this network.

    Return the compressed steps, uint8 (bytes,), and the width of a step for each snapshot and layer, (n, layers with parameters).
    """
    parts = _parts(network)
    widths, steps = np.zeros((len(parameters), len(parts)), np.float32), np.zeros(parameters.shape, np.int8)
    unpacked = np.zeros(parameters.shape[1], np.float32)
    for index, now in enumerate(parameters.astype(np.float32)):
        for layer, part in enumerate(parts):
            difference = now[part] - unpacked[part]
            width = np.float32(difference.std() * (WIDTH if index else FIRST_WIDTH))
            widths[index, layer] = width
            if width > 0.0:
                steps[index, part] = np.clip(np.rint(difference / width), -MOST_STEPS, MOST_STEPS)
        unpacked += _moves(steps[index], widths[index], parts)
    return np.frombuffer(lzma.compress(steps.tobytes(), preset=9), np.uint8), widths


def unpack(network: Network, packed: Bytes, widths: Floats) -> NDArray[np.float32]:
    """Return the parameters, float32 (n, count), from the result of `pack`. ValueError for other bytes."""
    parts, shape = _parts(network), (len(widths), network.parameters.size)
    unpacking = lzma.LZMADecompressor(memlimit=UNPACKING_BYTES)
    try:
        steps = unpacking.decompress(packed.tobytes(), max_length=shape[0] * shape[1] + 1)
    except lzma.LZMAError as error:
        raise ValueError(f"packed weights are damaged: {error}") from error
    if len(steps) != shape[0] * shape[1] or not unpacking.eof:
        raise ValueError(f"packed weights do not fit {shape[0]} snapshots with {shape[1]} parameters")
    moves = [_moves(*snapshot, parts) for snapshot in zip(np.frombuffer(steps, np.int8).reshape(shape), widths)]
    return np.cumsum(moves, axis=0, dtype=np.float32).reshape(shape)


def _moves(steps: Array, widths: Floats, parts: list[slice]) -> NDArray[np.float32]:
    moves = np.zeros(steps.size, np.float32)
    for width, part in zip(widths, parts):
        moves[part] = steps[part] * width
    return moves


def _parts(network: Network) -> list[slice]:
    """Return the slices of the layers with parameters."""
    return [part for part in network.parts if part.start < part.stop]
