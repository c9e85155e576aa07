"""From a drawing to 28 x 28 with Pillow, the usual solution for MNIST."""

import numpy as np
from PIL import Image, ImageDraw


def drawn(strokes: list[list[tuple[float, float]]], side: int = 280, brush: int = 20) -> np.ndarray:
    """Draw strokes on a canvas and resize it to float32 (28, 28) in [0, 1]."""
    canvas = Image.new("L", (side, side))
    pen = ImageDraw.Draw(canvas)
    for stroke in strokes:
        pen.line(stroke, fill=255, width=brush, joint="curve")
    return smaller(canvas)


def smaller(canvas: Image.Image) -> np.ndarray:
    """Normalize as in MNIST: crop the ink, fit it into 20 x 20 pixels, and center its mass."""
    image = np.zeros((28, 28), np.float32)
    box = canvas.getbbox()
    if box is None:
        return image
    ink = canvas.crop(box)
    ink.thumbnail((20, 20), Image.Resampling.LANCZOS)
    pixels = np.asarray(ink, np.float32) / 255.0
    height, width = pixels.shape
    total = pixels.sum()
    top = round(14 - float(pixels.sum(axis=1) @ np.arange(height)) / total)
    left = round(14 - float(pixels.sum(axis=0) @ np.arange(width)) / total)
    top, left = min(max(top, 0), 28 - height), min(max(left, 0), 28 - width)
    image[top : top + height, left : left + width] = pixels
    return image
