"""Parse request bodies within limits: JSON of a schema, or an image, and the drawing in it."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from digitnet.images.ink import image_from_pixels, square
from digitnet.images.normalize import DrawingError
from digitnet.images.pieces import Line, lines_from_pixels, lines_from_strokes
from digitnet.images.strokes import image_from_strokes
from fastapi import Request
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect
from stores.prediction_log.base import Form

from inference.admission import TOO_MUCH
from inference.errors import ApiError, bad_request, invalid_request, too_large, too_many_requests, unsupported_media
from inference.field_errors import body_errors
from inference.image_files.base import ImageFile
from inference.image_files.decode import ANY_BYTES, IMAGE_TYPES, Decoded, checked_image, decoded
from inference.predictor import Image
from inference.schemas.infer import InferRequest
from inference.schemas.requests import BESIDE_IMAGE, MAX_FIELDS, MAX_VALUES, PredictRequest
from inference.work_queue import WorkQueue

MAX_JSON_BYTES = 1024 * 1024  # 20,000 points take about half of it
MAX_IMAGE_BYTES = 16 * 1024 * 1024
MAX_INFER_BYTES = 5 * 1024 * 1024  # 256 images take 4.2 MB as text
MAX_INFER_VALUES = 4 * 65_536  # 256 images have 200,704 numbers in 7,425 lists
MAX_LARGE_IMAGES = 12  # of more than MAX_JSON_BYTES, in memory at one time: 192 MiB of a replica's 1 GiB
SKIPPED_BYTES = 16 * 1024 * 1024  # of a body beyond its limit; nginx accepts no more
# Smaller bodies take a few milliseconds, about as long as handing them to a thread under load.
QUICK_BYTES = 32 * 1024
QUICK_PIXELS = 400 * 400

JSON = "application/json"
OPTIONS = "options"  # the query parameter with the other fields of a request whose body is an image
BOM = b"\xef\xbb\xbf"  # some editors and shells begin a file with it
Schema = TypeVar("Schema", bound=BaseModel)
Body = TypeVar("Body", bound=PredictRequest)
Result = TypeVar("Result")
Content = TypeVar("Content")
Source = PredictRequest | Decoded  # strokes or an image_vector; or an unpacked file


class Drawing(NamedTuple, Generic[Body, Content]):
    """The drawing in a request."""

    form: Form
    content: Content  # the image, for most requests
    body: Body  # for an image file, without strokes and image_vector
    seconds: dict[str, float]  # time of each phase so far


class BodyReader:
    """Read request bodies. A queue parses large ones, so that other requests do not wait."""

    def __init__(self, large: WorkQueue):
        self._large = large
        self._large_images = 0

    async def drawing(self, request: Request, schema: type[Body]) -> Drawing[Body, Image]:
        """Return the drawing in the request's body: JSON of this schema, or an image file beside the schema's other fields."""
        return await self.converted(request, schema, image_of)

    async def with_source(self, request: Request, schema: type[Body]) -> tuple[Drawing[Body, Image], Source]:
        """Return the drawing in the request's body, and its strokes or pixels, which may wait in a queue."""
        both = await self.converted(request, schema, lambda source: (image_of(source), without_file(source)))
        image, source = both.content
        return Drawing(both.form, image, both.body, both.seconds), source

    async def converted(
        self, request: Request, schema: type[Body], convert: Callable[[Source], Content]
    ) -> Drawing[Body, Content]:
        """Return the drawing in the request's body after a conversion."""
        media_type = _media_type(request)
        if media_type.startswith("image/") or media_type == ANY_BYTES:
            with self._place_for_image(request):
                body = _options(request, schema)
                file = checked_image(await _content(request, MAX_IMAGE_BYTES), media_type)
                is_quick = file.width * file.height <= QUICK_PIXELS and len(file.content) <= 4 * QUICK_PIXELS
                return await self._run(is_quick, request, _image_drawing, body, file, convert)
        content = await _json(request, ", ".join((JSON, *IMAGE_TYPES)))
        return await self._run(len(content) <= QUICK_BYTES, request, _json_drawing, schema, content, convert)

    async def json(self, request: Request, schema: type[Schema]) -> Schema:
        """Return the request's body as an instance of the schema."""
        content = await _json(request, JSON)
        return await self._run(len(content) <= QUICK_BYTES, request, _parsed, schema, content)

    async def infer(self, request: Request, queue: WorkQueue) -> tuple[InferRequest, bytes]:
        """Return a request of the Open Inference Protocol, and the bytes after its JSON. The queue parses a large one."""
        media_type = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()  # tritonclient sends none
        if media_type not in (JSON, ANY_BYTES):
            raise unsupported_media(f"send {JSON} or {ANY_BYTES}, not {media_type}")
        with self._place_for_image(request):
            content = await _content(request, MAX_INFER_BYTES)
            announced = request.headers.get("inference-header-content-length", "")
            length = int(announced) if announced.isascii() and announced.isdigit() else len(content)
            described = content[:length].removeprefix(BOM)
            _check_values(described, MAX_INFER_VALUES)
            if len(described) <= QUICK_BYTES:
                return _parsed(InferRequest, described), content[length:]
            return await queue.run(request, _parsed, InferRequest, described), content[length:]

    @contextmanager
    def _place_for_image(self, request: Request) -> Iterator[None]:
        """Count a large image while it is in memory; 429 if there are too many."""
        is_large = _announced(request) > MAX_JSON_BYTES
        if is_large and self._large_images >= MAX_LARGE_IMAGES:
            raise too_many_requests(TOO_MUCH)
        self._large_images += is_large
        try:
            yield
        finally:
            self._large_images -= is_large

    async def _run(self, is_quick: bool, request: Request, call: Callable[..., Result], *arguments: object) -> Result:
        return call(*arguments) if is_quick else await self._large.run(request, call, *arguments)


def vector_image(values: list[float]) -> Image:
    """Return the image of a vector. Raise a 400 for a wrong length."""
    return image_from_pixels(_square(values))


def _square(values: list[float]) -> NDArray[np.float32]:
    """Return a vector as rows. The schema has checked the numbers, so only the length can be wrong: 400."""
    try:
        return square(values)
    except DrawingError as error:
        raise bad_request(str(error), errors=[{"pointer": "#/image_vector", "detail": str(error)}]) from error


def image_of(source: Source) -> Image:
    """Return the image of a drawing."""
    if isinstance(source, Decoded):
        return image_from_pixels(source.pixels, source.closer)
    if source.image_vector is not None:
        return vector_image(source.image_vector)
    return image_from_strokes(source.strokes or (), source.brush)


def without_file(source: Source) -> Source:
    """Return a drawing that may wait in a queue. A file takes up to 16 MiB, and its closer keeps all of its pixels."""
    return source._replace(closer=None) if isinstance(source, Decoded) else source


def lines_of(source: Source) -> list[Line]:
    """Return the lines of a drawing, with boxes in the unit that the client sent. DrawingError beyond their limits."""
    if isinstance(source, Decoded):
        return [line._replace(boxes=line.boxes * source.scale) for line in lines_from_pixels(source.pixels)]
    if source.image_vector is not None:
        return lines_from_pixels(_square(source.image_vector))
    return lines_from_strokes(source.strokes or (), source.brush)


def _image_drawing(body: Body, file: ImageFile, convert: Callable[[Source], Content]) -> Drawing[Body, Content]:
    started = perf_counter()
    source = decoded(file)
    unpacked = perf_counter()
    content = convert(source)
    return Drawing("image", content, body, {"decode": unpacked - started, "normalize": perf_counter() - unpacked})


def _json_drawing(schema: type[Body], content: bytes, convert: Callable[[Source], Content]) -> Drawing[Body, Content]:
    started = perf_counter()
    body = _parsed(schema, content)
    parsed = perf_counter()
    form: Form = "strokes" if body.image_vector is None else "image_vector"
    converted = convert(body)
    return Drawing(form, converted, body, {"decode": parsed - started, "normalize": perf_counter() - parsed})


def _options(request: Request, schema: type[Body]) -> Body:
    """Return the fields beside an image, from the query."""
    content = (request.query_params.get(OPTIONS) or "{}").encode(errors="replace")
    _check_values(content)
    try:
        return schema.model_validate_json(content, context=BESIDE_IMAGE)
    except ValidationError as error:
        raise _invalid(error, schema, OPTIONS) from error


def _parsed(schema: type[Schema], content: bytes) -> Schema:
    try:
        return schema.model_validate_json(content)
    except ValidationError as error:
        raise _invalid(error, schema) from error


def _invalid(error: ValidationError, schema: type[BaseModel], parameter: str = "") -> ApiError:
    errors = error.errors(include_url=False, include_input=False)  # Without the input, which pydantic would copy.
    described = body_errors(errors, schema, parameter)
    return invalid_request(described.detail, errors=described.errors)


async def _json(request: Request, expected: str) -> bytes:
    media_type = _media_type(request)
    if media_type != JSON:
        raise unsupported_media(f"send {expected}, not {media_type}")
    content = (await _content(request, MAX_JSON_BYTES)).removeprefix(BOM)
    _check_values(content)
    return content


def _check_values(content: bytes, most: int = MAX_VALUES) -> None:
    if sum(map(content.count, (b",", b"[", b"{"))) > most or content.count(b":") > MAX_FIELDS:
        raise too_large(f"the body may have at most {most:,} values and {MAX_FIELDS:,} fields")


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() or "a body without a content-type"


def _announced(request: Request) -> float:
    """Return the announced length of the body in bytes, infinity if it is unknown."""
    announced = request.headers.get("content-length", "")
    return int(announced) if announced.isdigit() else math.inf


async def _content(request: Request, limit: int) -> bytes:
    """Return the body's bytes.

    A client that is still sending when the connection closes may miss the answer. So uvicorn reads the rest of a body that is
    too large. It closes the connection if the length is unknown, or far beyond the limit.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        detail = f"send the body uncompressed, without Content-Encoding: {encoding[:20]}"
        raise unsupported_media(detail, {"Accept-Encoding": "identity"})
    detail, announced = f"the body may have at most {limit} bytes", _announced(request)
    if limit < announced < math.inf:
        raise too_large(detail, {"Connection": "close"} if announced > limit + SKIPPED_BYTES else None)
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > limit:
                raise too_large(detail, {"Connection": "close"})
    except ClientDisconnect as error:
        raise bad_request("the body ended early") from error
    return bytes(content)
