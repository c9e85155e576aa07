"""Parse request bodies within limits: JSON of a schema, or an image, and the drawing in it."""

from collections.abc import Callable
from time import perf_counter
from typing import Generic, NamedTuple, TypeVar

from digitnet.images.ink import image_from_pixels, image_from_vector
from digitnet.images.normalize import DrawingError
from digitnet.images.strokes import image_from_strokes
from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect
from stores.prediction_log.base import Form

from inference.errors import bad_request, first_problem, invalid_request, too_large, unsupported_media
from inference.png import Png, checked_png, pixels_from_png
from inference.predictor import Image
from inference.schemas.requests import MAX_FIELDS, MAX_VALUES, PredictRequest
from inference.work_queue import WorkQueue

MAX_JSON_BYTES = 1024 * 1024  # 20,000 points take about half of it
MAX_IMAGE_BYTES = 4 * 1024 * 1024
SKIPPED_BYTES = 8 * 1024 * 1024  # of a body beyond its limit; nginx accepts fewer
# Smaller bodies take a few milliseconds, about as long as handing them to a thread under load.
QUICK_BYTES = 32 * 1024
QUICK_PIXELS = 400 * 400

JSON, PNG = "application/json", "image/png"
Schema = TypeVar("Schema", bound=BaseModel)
Body = TypeVar("Body", bound=PredictRequest)
Result = TypeVar("Result")


class Drawing(NamedTuple, Generic[Body]):
    """The drawing in a request."""

    form: Form
    image: Image
    body: Body  # for a PNG, all defaults
    seconds: dict[str, float]  # time of each phase so far


class BodyReader:
    """Read request bodies. A queue parses large ones, so that other requests do not wait."""

    def __init__(self, large: WorkQueue):
        self._large = large

    async def drawing(self, request: Request, schema: type[Body], with_png: bool = True) -> Drawing[Body]:
        """Return the drawing in the request's body: JSON of this schema, or a PNG."""
        if with_png and _media_type(request) == PNG:
            png = checked_png(await _content(request, MAX_IMAGE_BYTES))
            is_quick = png.width * png.height <= QUICK_PIXELS and len(png.content) <= 4 * QUICK_PIXELS
            return await self._run(is_quick, request, _png_drawing, schema, png)
        content = await _json(request, f"{JSON} or {PNG}" if with_png else JSON)
        return await self._run(len(content) <= QUICK_BYTES, request, _json_drawing, schema, content)

    async def json(self, request: Request, schema: type[Schema]) -> Schema:
        """Return the request's body as an instance of the schema."""
        content = await _json(request, JSON)
        return await self._run(len(content) <= QUICK_BYTES, request, _parsed, schema, content)

    async def _run(self, is_quick: bool, request: Request, call: Callable[..., Result], *arguments: object) -> Result:
        return call(*arguments) if is_quick else await self._large.run(request, call, *arguments)


def vector_image(values: list[float]) -> Image:
    """Return the image of a vector. The schema has checked the numbers, so only the length can be wrong: 400."""
    try:
        return image_from_vector(values)
    except DrawingError as error:
        raise bad_request(str(error)) from error


def _png_drawing(schema: type[Body], png: Png) -> Drawing[Body]:
    started = perf_counter()
    pixels = pixels_from_png(png)
    decoded = perf_counter()
    image = image_from_pixels(pixels)
    seconds = {"decode": decoded - started, "normalize": perf_counter() - decoded}
    return Drawing("png", image, schema.model_construct(), seconds)


def _json_drawing(schema: type[Body], content: bytes) -> Drawing[Body]:
    started = perf_counter()
    body = _parsed(schema, content)
    decoded = perf_counter()
    form: Form = "strokes" if body.image_vector is None else "image_vector"
    image = image_from_strokes(body.strokes or (), body.brush) if body.image_vector is None else vector_image(body.image_vector)
    return Drawing(form, image, body, {"decode": decoded - started, "normalize": perf_counter() - decoded})


def _parsed(schema: type[Schema], content: bytes) -> Schema:
    try:
        return schema.model_validate_json(content)
    except ValidationError as error:
        # Without the input, which pydantic would copy.
        raise invalid_request(first_problem(error.errors(include_url=False, include_input=False))) from error


async def _json(request: Request, expected: str) -> bytes:
    media_type = _media_type(request)
    if media_type != JSON:
        raise unsupported_media(f"send {expected}, not {media_type}")
    content = await _content(request, MAX_JSON_BYTES)
    if sum(map(content.count, (b",", b"[", b"{"))) > MAX_VALUES or content.count(b":") > MAX_FIELDS:
        raise too_large(f"the body may have at most {MAX_VALUES:,} values and {MAX_FIELDS:,} fields")
    return content


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() or "a body without a content-type"


async def _content(request: Request, limit: int) -> bytes:
    """Return the body's bytes.

    A client that is still sending when the connection closes may miss the answer. So uvicorn reads the rest of a body that is
    too large. It closes the connection if the length is unknown, or far beyond the limit.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        detail = f"send the body uncompressed, without Content-Encoding: {encoding[:20]}"
        raise unsupported_media(detail, {"Accept-Encoding": "identity"})
    detail, announced = f"the body may have at most {limit} bytes", request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise too_large(detail, {"Connection": "close"} if int(announced) > limit + SKIPPED_BYTES else None)
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > limit:
                raise too_large(detail, {"Connection": "close"})
    except ClientDisconnect as error:
        raise bad_request("the body ended early") from error
    return bytes(content)
