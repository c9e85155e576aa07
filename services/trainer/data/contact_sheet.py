"""Contact sheets: many small images on one, each with a line under it, for people to look through."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

ENLARGED = 2  # pixels of the sheet for one of an image
CAPTION_HEIGHT, GAP = 14, 8  # pixels
PAPER, INK, CAPTION = 255, 0, 90  # grey


def contact_sheet(images: np.ndarray, captions: Sequence[str], columns: int = 12) -> bytes:
    """Images uint8 (n, height, width), 255 = ink, and a caption for each -> a grey PNG, dark on light, row after row."""
    count, height, width = images.shape
    height, width = height * ENLARGED, width * ENLARGED
    rows = max(1, -(-count // columns))
    cell_height, cell_width = height + CAPTION_HEIGHT + GAP, width + GAP
    sheet = Image.new("L", (columns * cell_width + GAP, rows * cell_height + GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(11)
    for index, (image, caption) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(index, columns)
        left, top = GAP + column * cell_width, GAP + row * cell_height
        inked = Image.fromarray(PAPER - image).resize((width, height), Image.Resampling.NEAREST)
        sheet.paste(inked, (left, top))
        pen.text((left + width / 2, top + height + 1), caption, fill=CAPTION, font=font, anchor="ma")
    content = io.BytesIO()
    sheet.save(content, "PNG", optimize=True)
    return content.getvalue()
