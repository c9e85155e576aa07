"""A request's body -> the drawing in it, and what a model makes of that; each fault in it with its HTTP code."""

import asyncio
import contextlib
import uuid
from time import perf_counter
from typing import NamedTuple, TypeVar

import numpy as np
from digitnet.drawing import DrawingError, picture_from_pixels, picture_from_strokes, picture_from_vector
from digitnet.units import Change
from fastapi import HTTPException, Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from inference.images import ImageError, ImageTooLargeError, pixels_announced, pixels_from_png
from inference.predictor import Model, Reading
from inference.schemas import VECTOR_LENGTH, ExplainRequest, PredictRequest, first_problem
from inference.settings import Settings

PNGS_AT_ONCE = 2  # each may unpack to 140 MB
QUICK_PIXELS = 400 * 400  # a picture of no more takes two milliseconds, less than handing it over and back does under load
READ_AWAY_BYTES = 8 * 1024 * 1024  # more than nginx lets through

Schema = TypeVar("Schema", bound=BaseModel)


class Read(NamedTuple):
    """A drawing that was read, and how."""

    prediction_id: str
    form: str
    picture: np.ndarray
    model: Model
    reading: Reading
    seconds: dict[str, float]  # of each phase


class RequestReader:
    """Reads bodies, within the settings' limits."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._unpacking = asyncio.Semaphore(PNGS_AT_ONCE)

    async def drawing(self, request: Request, model: Model, schema: type[PredictRequest] = PredictRequest) -> Read:
        """What this model, changed as the request asks, makes of the drawing in it; HTTPException if there is none."""
        started = perf_counter()
        form, drawing = await self._decoded(request, schema)
        decoded = perf_counter()
        # Pictures may be large: others are answered meanwhile. What is small takes less than handing it over would.
        is_large = form == "png" and drawing.shape[0] * drawing.shape[1] > QUICK_PIXELS
        picture = await asyncio.to_thread(picture_of, form, drawing) if is_large else picture_of(form, drawing)
        normalized = perf_counter()
        if isinstance(drawing, ExplainRequest):
            with unprocessable():
                model = model.changed(changes(drawing))
        reading = model.read(picture)
        seconds = {"decode": decoded - started, "normalize": normalized - decoded, "forward": perf_counter() - normalized}
        return Read(uuid.uuid4().hex, form, picture, model, reading, seconds)

    async def json(self, request: Request, schema: type[Schema]) -> Schema:
        """The request's body as the schema has it, where nothing but JSON is taken; HTTPException if it is something else."""
        media_type = _media_type(request)
        if media_type != "application/json":
            raise HTTPException(415, f"send application/json, not {media_type}")
        return await self._parsed(request, schema)

    async def _decoded(self, request, schema):
        """The request's body as ("strokes" or "image_vector", what the schema makes of it) or ("png", pixels).

        HTTPException if it is neither.
        """
        media_type = _media_type(request)
        if media_type == "image/png":
            body = await _body(request, self._settings.max_image_bytes)
            try:
                if pixels_announced(body) <= QUICK_PIXELS:
                    return "png", pixels_from_png(body, self._settings.max_image_pixels)
                async with self._unpacking:
                    return "png", await asyncio.to_thread(pixels_from_png, body, self._settings.max_image_pixels)
            except ImageTooLargeError as error:
                raise HTTPException(413, str(error)) from error
            except ImageError as error:
                raise HTTPException(422, str(error)) from error
        if media_type != "application/json":
            raise HTTPException(415, f"send application/json or image/png, not {media_type}")
        drawing = await self._parsed(request, schema)
        return drawing.form, drawing

    async def _parsed(self, request, schema):
        """The request's body of JSON, as the schema has it."""
        try:
            return schema.model_validate_json(await _body(request, self._settings.max_json_bytes))
        except ValidationError as error:
            raise HTTPException(422, first_problem(error.errors())) from error


def changes(asked: ExplainRequest) -> list[Change]:
    """What it asks to be different, as digitnet has it."""
    return [Change(change.layer, change.unit, change.weight, change.value) for change in asked.changes]


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


def picture_of(form: str, drawing) -> np.ndarray:
    """The picture that the network reads, float32 (28, 28); of pixels where the form is png. HTTPException for what is none."""
    try:
        if form == "png":
            return picture_from_pixels(drawing)
        if form == "strokes":
            return picture_from_strokes(drawing.strokes, drawing.brush)
        if len(drawing.image_vector) != VECTOR_LENGTH:
            raise HTTPException(400, f"Expected {VECTOR_LENGTH} values for MNIST image, got {len(drawing.image_vector)}")
        return picture_from_vector(drawing.image_vector)
    except DrawingError as error:
        raise HTTPException(422, str(error)) from error
