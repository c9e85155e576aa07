"""Make reports for people: tables as CSV, which DVC plots, and contact sheets of many small images."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from digitnet.arrays import Bytes
from PIL import Image, ImageDraw, ImageFont

ENLARGED = 2  # pixels of the sheet for one pixel of an image
CAPTION_HEIGHT, GAP = 14, 8  # pixels
PAPER, CAPTION = 255, 90  # gray


def csv_bytes(rows: Sequence[Mapping[str, object]], columns: Iterable[str] = ()) -> bytes:
    """Return rows with the same keys as CSV. `columns` name the columns of a table without rows."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0] if rows else columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def contact_sheet(images: Bytes, captions: Sequence[str], columns: int = 12) -> bytes:
    """Return a gray PNG, dark on light, of images uint8 (n, height, width), 255 = ink, each with its caption below."""
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
