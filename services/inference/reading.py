"""A request's body -> the drawing in it; each fault in it with its HTTP code."""

import contextlib
from time import perf_counter
from typing import NamedTuple, TypeVar

import numpy as np
from digitnet.images.ink import image_from_pixels, image_from_vector
from digitnet.images.normalize import DrawingError
from digitnet.images.strokes import image_from_strokes
from digitnet.inspect.edits import Edit
from fastapi import HTTPException, Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from inference.images import ImageError, ImageTooLargeError, checked_png, pixels_from_png
from inference.schemas import MAX_FIELDS, MAX_VALUES, VECTOR_LENGTH, ExplainRequest, PredictRequest, first_problem
from inference.settings import Settings
from inference.work_queue import WorkQueue

# What takes a few milliseconds at most is done at once. Handing it to a thread and back would take as long under load.
QUICK_BYTES = 64 * 1024
QUICK_PIXELS = 400 * 400
QUICK_POINTS, QUICK_STROKES = 500, 20
READ_AWAY_BYTES = 8 * 1024 * 1024  # more than nginx lets through

Schema = TypeVar("Schema", bound=BaseModel)


class Drawing(NamedTuple):
    """What a request asks about."""

    form: str  # "strokes", "image_vector" or "png"
    image: np.ndarray  # float32 (28, 28) in [0, 1]
    asked: PredictRequest | None  # None for a PNG
    seconds: dict[str, float]  # of each phase so far


class RequestReader:
    """Reads bodies, within the settings' limits. Large ones are read in a queue, so that others are answered meanwhile."""

    def __init__(self, settings: Settings, large: WorkQueue):
        self._settings, self._large = settings, large

    async def drawing(self, request: Request, schema: type[PredictRequest] = PredictRequest) -> Drawing:
        """Return the drawing in the request, JSON or an image. HTTPException for a body without a drawing."""
        started = perf_counter()
        if _media_type(request) == "image/png":
            return await self._image(request, started)
        asked = await self.json(request, schema, "application/json or image/png")
        decoded = perf_counter()
        image = await self.image(request, asked)
        return Drawing(asked.form, image, asked, {"decode": decoded - started, "normalize": perf_counter() - decoded})

    async def json(self, request: Request, schema: type[Schema], expected: str = "application/json") -> Schema:
        """The request's body as the schema has it; HTTPException if it is something else."""
        media_type = _media_type(request)
        if media_type != "application/json":
            raise HTTPException(415, f"send {expected}, not {media_type}")
        body = await _body(request, self._settings.max_json_bytes)
        if sum(map(body.count, (b",", b"[", b"{"))) > MAX_VALUES or body.count(b":") > MAX_FIELDS:
            raise HTTPException(413, f"the body may have at most {MAX_VALUES:,} values and {MAX_FIELDS:,} fields")
        if len(body) <= QUICK_BYTES:
            return _parsed(schema, body)
        return await self._large.run(request, _parsed, schema, body)

    async def image(self, request: Request, asked: PredictRequest) -> np.ndarray:
        """The image that the network reads, float32 (28, 28); HTTPException for a body that has none."""
        strokes = asked.strokes or ()
        if len(strokes) <= QUICK_STROKES and sum(map(len, strokes)) <= QUICK_POINTS:
            return image_of(asked)
        return await self._large.run(request, image_of, asked)

    async def _image(self, request, started):
        body = await _body(request, self._settings.max_image_bytes)
        try:
            png = checked_png(body)
            if png.width * png.height <= QUICK_PIXELS and len(png.content) <= 4 * QUICK_PIXELS:
                return _drawing_in(png, started)
            return await self._large.run(request, _drawing_in, png, started)
        except ImageTooLargeError as error:
            raise HTTPException(413, str(error)) from error
        except (ImageError, DrawingError) as error:
            raise HTTPException(422, str(error)) from error


def image_of(asked: PredictRequest) -> np.ndarray:
    """The image that the network reads, float32 (28, 28); HTTPException for a body that has none."""
    try:
        if asked.image_vector is None:
            return image_from_strokes(asked.strokes, asked.brush)
        return vector_image(asked.image_vector)
    except DrawingError as error:
        raise HTTPException(422, str(error)) from error


def vector_image(values: list[float]) -> np.ndarray:
    """The image of 784 pixels, float32 (28, 28); HTTPException for another number of them."""
    if len(values) != VECTOR_LENGTH:
        raise HTTPException(400, f"Expected {VECTOR_LENGTH} values for MNIST image, got {len(values)}")
    return image_from_vector(values)


def _drawing_in(png, started):
    pixels = pixels_from_png(png)
    decoded = perf_counter()
    image = image_from_pixels(pixels)
    return Drawing("png", image, None, {"decode": decoded - started, "normalize": perf_counter() - decoded})


def _parsed(schema, body):
    try:
        return schema.model_validate_json(body)
    except ValidationError as error:
        # The input is left out, since pydantic would copy it.
        raise HTTPException(422, first_problem(error.errors(include_url=False, include_input=False))) from error


def changes(asked: ExplainRequest | None) -> list[Edit]:
    """The changes that a request asks for, as digitnet has them; an image asks for none."""
    return [Edit(change.layer, change.unit, change.weight, change.value) for change in (asked.changes if asked else ())]


@contextlib.contextmanager
def unprocessable():
    """What digitnet says of a question that fits no network, or not this one."""
    try:
        yield
    except ValueError as error:
        raise HTTPException(422, str(error)) from error


def _media_type(request):
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() or "a body without a content-type"


async def _body(request, limit):
    """The body's bytes; 415 if they are packed, 413 as soon as it is known to have more than `limit`.

    Who is still sending when the connection closes may never hear why. So the rest of a body that is too large is read away,
    by uvicorn where its length was announced, and only one that is larger by far is cut off.
    """
    packed = request.headers.get("content-encoding", "identity")
    if packed != "identity":
        raise HTTPException(415, f"send the body as it is, not packed by {packed[:20]}", headers={"Accept-Encoding": "identity"})
    too_large = HTTPException(413, f"the body may have at most {limit} bytes")
    far_too_large = HTTPException(413, too_large.detail, headers={"Connection": "close"})
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise far_too_large if int(announced) > limit + READ_AWAY_BYTES else too_large
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit + READ_AWAY_BYTES:
                raise far_too_large
            if size <= limit:
                chunks.append(chunk)
    except ClientDisconnect as error:
        raise HTTPException(400, "the body ended early") from error
    if size > limit:
        raise too_large
    return b"".join(chunks)
