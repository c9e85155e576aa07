"""Pack the learning path's digits, services/frontend/learn/js/mnist-digits.js, from mnist/: `python scripts/learn_digits.py`.

The first 900 images of MNIST's training file with four gray levels, which is all that the chapters need. The pages stay small.
"""

import base64
import sys
import zlib
from pathlib import Path

import numpy as np
from digitnet.mnist import read_mnist

PROJECT = Path(__file__).parents[1]
DIGITS, LEVELS = 900, 4
TEMPLATE = """// Made by scripts/learn_digits.py: the first {digits} images of MNIST's training file (see NOTICE).
// zlib over the labels, a byte each, then the pixels, two bits each, row after row.
export const PACKED =
  "{packed}";
"""


def main() -> int:
    images, labels = read_mnist(PROJECT / "mnist", "train")
    levels = np.round(images[:DIGITS] * (LEVELS - 1)).astype(np.uint8).reshape(-1, 4)
    pixels = levels @ np.array([64, 16, 4, 1], np.uint8)  # four pixels in a byte
    content = labels[:DIGITS].astype(np.uint8).tobytes() + pixels.tobytes()
    packed = base64.b64encode(zlib.compress(content, 9)).decode()
    path = PROJECT / "services" / "frontend" / "learn" / "js" / "mnist-digits.js"
    path.write_text(TEMPLATE.format(digits=DIGITS, packed=packed), encoding="utf-8")
    print(f"{path.relative_to(PROJECT)}: {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
