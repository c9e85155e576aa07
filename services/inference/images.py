"""A PNG's bytes -> pixels. Pillow reads the file; what counts as ink is for digitnet.drawing to say.

Pillow takes 10 MB and a thirtieth of a second, and most services never see a PNG: it is imported with the first.
"""

import io
import warnings

import numpy as np

LARGEST_SIDE = 560  # pixels; pictures of twice that and more are averaged down to it first, as the network's picture has 28


class ImageError(ValueError):
    """These bytes are no PNG that can be read."""


class ImageTooLargeError(ImageError):
    """More pixels than this service is willing to unpack."""


def pixels_from_png(content: bytes, max_pixels: int) -> np.ndarray:
    """PNG bytes of any kind -> uint8 (height, width), (height, width, 3) or, with alpha, (height, width, 4)."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the check below is the stricter one
            image = Image.open(io.BytesIO(content), formats=["PNG"])  # reads the header only
        if image.width * image.height > max_pixels:
            raise ImageTooLargeError(
                f"the picture has {image.width} x {image.height} pixels, but at most {max_pixels} may be sent"
            )
        image.load()
        return np.asarray(_reduced(_eight_bit(image)))
    except Image.DecompressionBombError as error:
        raise ImageTooLargeError(f"the picture has too many pixels, at most {max_pixels} may be sent") from error
    except UnidentifiedImageError as error:
        raise ImageError("the body is not a PNG picture") from error
    except ImageTooLargeError:
        raise
    except Exception as error:  # damaged files bring out many kinds of exceptions in Pillow, AssertionError among them
        if "MAX_TEXT" in str(error):  # Pillow's own bounds of what is beside the pixels
            raise ImageTooLargeError("a text or a colour profile in the picture unpacks into more than 1 MiB") from error
        raise ImageError(f"the PNG is damaged: {str(error) or 'its pixels cannot be made out'}") from error


def pixels_announced(content: bytes) -> int:
    """How many pixels a PNG has, as its first 24 bytes say; 0 for what is no PNG, which is soon found out."""
    is_png = content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR"
    return int.from_bytes(content[16:20], "big") * int.from_bytes(content[20:24], "big") if is_png else 0


def _eight_bit(image):
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits of grey
        return Image.fromarray((np.asarray(image, np.int32) >> 8).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _reduced(image):
    factor = max(image.size) // LARGEST_SIDE
    return image.reduce(factor) if factor > 1 else image
