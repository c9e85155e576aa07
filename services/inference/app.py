"""The API: routes, and the HTTP code of every error. What it is and does is in DESIGN's contract and at /docs."""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable
from time import perf_counter, time
from typing import Any, NamedTuple

import numpy as np
from digitnet.drawing import DrawingError, in_bytes, picture_from_pixels, picture_from_strokes, picture_from_vector
from digitnet.units import Change
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp
from stores.journal import Prediction as RecordedPrediction
from stores.journal import open_journal
from stores.models import CANDIDATE, LIVE, POINTERS, open_models

from inference.admission import Admission
from inference.direct import Direct
from inference.explaining import at_each_moment, explanation, learnt, timeline, unit
from inference.feedback import FeedbackDesk
from inference.images import ImageError, ImageTooLargeError, pixels_announced, pixels_from_png
from inference.metrics import Metrics
from inference.predictor import Model, ModelSource, NoModelError, Reading
from inference.recorder import Recorder
from inference.schemas import (
    VECTOR_LENGTH,
    Disagreements,
    ExplainRequest,
    Explanation,
    FeedbackReceived,
    FeedbackRequest,
    LearnRequest,
    Learnt,
    ModelCard,
    Prediction,
    PredictRequest,
    Problem,
    SnapshotReadings,
    Snapshots,
    Status,
    UnitRequest,
    UnitSeen,
    first_problem,
)
from inference.settings import Settings
from inference.shadow import Shadow
from inference.traffic import Traffic

log = logging.getLogger(__name__)

PNGS_AT_ONCE = 2  # each may unpack to 140 MB
QUICK_PIXELS = 400 * 400  # a picture of no more takes two milliseconds, less than handing it over and back does under load
PUPILS_AT_ONCE = 1  # fifty lessons take a third of a second, which drawings should not wait for
READ_AWAY_BYTES = 8 * 1024 * 1024  # more than nginx lets through


def _body_of(schema: type[BaseModel], **others: dict) -> dict:
    """What the description says of a body: we read it ourselves."""
    content = {"application/json": {"schema": schema.model_json_schema()}, **others}
    return {"requestBody": {"required": True, "content": content}}


PNG = {"image/png": {"schema": {"type": "string", "format": "binary"}}}
PREDICT_BODY, EXPLAIN_BODY = _body_of(PredictRequest, **PNG), _body_of(ExplainRequest, **PNG)
UNIT_BODY, LEARN_BODY, SNAPSHOTS_BODY = _body_of(UnitRequest), _body_of(LearnRequest), _body_of(PredictRequest)
FEEDBACK_BODY = _body_of(FeedbackRequest)
PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": f"image_vector has not {VECTOR_LENGTH} values"},
    413: {"model": Problem, "description": "More bytes, or more pixels, than are taken"},
    415: {"model": Problem, "description": "Neither JSON nor PNG"},
    422: {"model": Problem, "description": "Not a drawing that can be read"},
    429: {"model": Problem, "description": "Too much is asked at once; ask again in a second"},
    503: {"model": Problem, "description": "No model yet"},
}
NO_SNAPSHOTS = {404: {"model": Problem, "description": "The live model has no snapshots"}}
FEEDBACK_PROBLEMS: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    404: {"model": Problem, "description": "No such prediction, or one too old to be known"},
    415: {"model": Problem, "description": "Not JSON"},
    422: {"model": Problem, "description": "Not feedback that can be read"},
    503: {"model": Problem, "description": "It could not be kept; send it again"},
}


def create_app(settings: Settings) -> FastAPI:
    """The whole service; nothing is read from disk before it starts."""
    metrics = Metrics()
    sources = {pointer: ModelSource(open_models(settings.models), metrics, pointer) for pointer in POINTERS}
    source = sources[LIVE]
    shadow = Shadow(sources[CANDIDATE], metrics)
    journal = open_journal(settings.journal)
    recorder = Recorder(journal, metrics)
    desk = FeedbackDesk(journal, recorder, metrics)
    unpacking, teaching = asyncio.Semaphore(PNGS_AT_ONCE), asyncio.Semaphore(PUPILS_AT_ONCE)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI):
        for each in sources.values():
            await asyncio.to_thread(each.refresh)
        following = [asyncio.create_task(each.follow(settings.model_check_seconds)) for each in sources.values()]
        async with recorder:
            yield
        for task in following:
            task.cancel()

    app = Service(
        title="Doodle",
        description="A handwritten digit in, the digit out: a neural network written from scratch with NumPy alone.",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # /metrics has ours; theirs costs every request
        servers=[{"url": "."}],  # relative, so that the page's /api/docs calls /api/…
    )

    @_both_slashes(app.post, "/predict", response_model=Prediction, responses=PROBLEMS, openapi_extra=PREDICT_BODY)
    async def predict(request: Request, input: bool = False) -> Response:
        """Read a drawing: JSON strokes, a JSON image_vector, or a PNG as the body."""
        metrics.predict_calls.inc()
        read = await _read(request, source.model, settings, unpacking)
        reading = read.reading
        metrics.count_prediction(read.form, reading.digit if reading.is_digit else None, reading.confidence, read.seconds)
        recorder.record(
            RecordedPrediction(
                prediction_id=read.prediction_id,
                time=time(),
                form=read.form,
                digit=reading.digit,
                is_digit=reading.is_digit,
                confidence=reading.confidence,
                model_version=read.model.version,
                picture=in_bytes(read.picture).tobytes(),
            )
        )
        log.debug(
            "event=predicted id=%s form=%s digit=%d is_digit=%s confidence=%.4f ms=%.2f",
            *(read.prediction_id, read.form, reading.digit, reading.is_digit, reading.confidence),
            sum(read.seconds.values()) * 1e3,
        )

        async def read_by_candidate():
            shadow.compare(read.prediction_id, read.picture, read.model.version, reading)

        return QuickJSON(_answer(read, input), background=BackgroundTask(read_by_candidate) if shadow.is_on else None)

    @_both_slashes(app.post, "/explain", response_model=Explanation, responses=PROBLEMS, openapi_extra=EXPLAIN_BODY)
    async def explain(request: Request, occlusion: bool = False) -> Response:
        """Read a drawing as /predict does, and say how: what every layer made of it, and which ink spoke for which digit.

        With `changes`, by a copy of the network in which weights are others or units switched off. Nothing of it is written
        down: a page may ask again with every stroke.
        """
        read = await _read(request, source.model, settings, unpacking, ExplainRequest)
        explained = await asyncio.to_thread(explanation, read.model, read.picture, read.reading.digit, occlusion)
        metrics.explanations.inc()
        return JSONResponse(_answer(read, with_input=False) | explained)

    @_both_slashes(app.post, "/unit", response_model=UnitSeen, responses=PROBLEMS, openapi_extra=UNIT_BODY)
    async def look_at_unit(request: Request) -> Response:
        """How one number of a layer came about: its inputs, its weights, and what of the picture can reach it."""
        asked = await _only_json(request, UnitRequest, settings)
        picture = _normalized(asked.form, asked)
        with _unprocessable():
            seen = unit(source.model.changed(_changes(asked)), picture, asked.layer, asked.place)
        metrics.units.inc()
        return JSONResponse(seen)

    @_both_slashes(app.get, "/snapshots", response_model=Snapshots, responses={503: PROBLEMS[503], **NO_SNAPSHOTS})
    async def snapshots() -> Response:
        """How the live model learnt: what was measured at some moments of its training, and its filters then."""
        model = _learnt(await asyncio.to_thread(source.with_snapshots, source.model))
        return JSONResponse(await asyncio.to_thread(timeline, model))

    @_both_slashes(
        app.post,
        "/snapshots",
        response_model=SnapshotReadings,
        responses=PROBLEMS | NO_SNAPSHOTS,
        openapi_extra=SNAPSHOTS_BODY,
    )
    async def read_at_each_moment(request: Request) -> Response:
        """What the live model made of a drawing at each of those moments, from before it had learnt anything."""
        asked = await _only_json(request, PredictRequest, settings)
        picture = _normalized(asked.form, asked)
        model = _learnt(await asyncio.to_thread(source.with_snapshots, source.model))
        metrics.snapshot_readings.inc()
        return JSONResponse(await asyncio.to_thread(at_each_moment, model, picture))

    @_both_slashes(app.post, "/learn", response_model=Learnt, responses=PROBLEMS, openapi_extra=LEARN_BODY)
    async def learn(request: Request) -> Response:
        """Give lessons on a drawing to a copy of the network: gradient descent, step by step. The served model stays as it is.

        Lessons always begin with that, so the same request has the same answer: a page keeps its pupil by repeating its lessons.
        """
        asked = await _only_json(request, LearnRequest, settings)
        picture = _normalized(asked.form, asked)
        lessons = [(lesson.label, lesson.learning_rate) for lesson in asked.lessons]
        with _unprocessable():
            async with teaching:
                taught = await asyncio.to_thread(learnt, source.model, picture, lessons)
        metrics.lessons.inc(len(lessons))
        return JSONResponse(taught)

    def by_pointer(pointer):
        """What may be asked of the model that a pointer names. A test's thousands of drawings are nobody's: they are not counted
        as drawings, and do not push those out of the journal."""

        @_both_slashes(app.post, f"/{pointer}/predict", response_model=Prediction, responses=PROBLEMS, openapi_extra=PREDICT_BODY)
        async def predict_by_pointer(request: Request, input: bool = False) -> Response:
            """As /predict, by the model that has this name now. For tests: nothing of it is written down."""
            read = await _read(request, sources[pointer].model, settings, unpacking)
            metrics.trials.labels(pointer).inc()
            return JSONResponse(_answer(read, input))

        @_both_slashes(app.get, f"/{pointer}/model", response_model=ModelCard, responses={503: PROBLEMS[503]})
        async def model_by_pointer() -> Response:
            """The card of the model that has this name now."""
            return JSONResponse(sources[pointer].model.card)

    for pointer in POINTERS:
        by_pointer(pointer)

    @_both_slashes(
        app.post, "/feedback", response_model=FeedbackReceived, responses=FEEDBACK_PROBLEMS, openapi_extra=FEEDBACK_BODY
    )
    async def feedback(request: Request) -> Response:
        """Say what a drawing really was. The answer comes once that is on the disk."""
        said = await _only_json(request, FeedbackRequest, settings)
        picture = None if said.image_vector is None else _normalized("image_vector", said)
        await desk.receive(said, picture, _address(request))
        return JSONResponse(FeedbackReceived().model_dump())

    @_both_slashes(app.get, "/candidate/disagreements", response_model=Disagreements)
    async def disagreements() -> Response:
        """Where the candidate, which reads each live drawing too, would have answered otherwise."""
        return JSONResponse({"disagreements": shadow.disagreements()})

    @_both_slashes(app.get, "/healthz", response_model=Status)
    async def healthz() -> Response:
        """This process is up."""
        return JSONResponse({"status": "ok"})

    @_both_slashes(app.get, "/readyz", response_model=Status, responses={503: PROBLEMS[503]})
    async def readyz() -> Response:
        """A model is loaded: predictions can be had."""
        _ = source.model
        return JSONResponse({"status": "ok"})

    @_both_slashes(app.get, "/model", response_model=ModelCard, responses={503: PROBLEMS[503]})
    async def model() -> Response:
        """The model card: version, accuracy, data, how and when it was trained."""
        return JSONResponse(source.model.card)

    @_both_slashes(app.get, "/metrics", response_class=Response)
    async def prometheus() -> Response:
        """For Prometheus to scrape."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(openapi_url="openapi.json", title="Doodle's API")

    @app.exception_handler(HTTPException)
    async def problem(request: Request, error: HTTPException) -> Response:
        path = request.url.path.rstrip("/")
        if request.method == "POST" and metrics.count_error(path, error.status_code):
            log.info("event=refused path=%s code=%d detail=%r", path, error.status_code, error.detail)
        return JSONResponse({"detail": error.detail}, error.status_code, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        if request.url.path.rstrip("/") == "/predict":
            metrics.predict_calls.inc()  # it was not reached
        return await problem(request, HTTPException(422, first_problem(error.errors())))

    @app.exception_handler(NoModelError)
    async def no_model(request: Request, error: NoModelError) -> Response:
        return await problem(request, HTTPException(503, str(error), headers={"Retry-After": "5"}))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return await problem(request, HTTPException(500, "This should not have happened; the service's log says what did."))

    async def predict_directly(request: Request) -> Response:
        """As the route does it, with what the handlers above make of its exceptions."""
        try:
            return await predict(request)
        except HTTPException as error:
            return await problem(request, error)
        except NoModelError as error:
            return await no_model(request, error)
        except Exception as error:
            log.exception("event=failed path=/predict")
            return await unexpected(request, error)

    described = tuple(route.path for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema)

    def turned_away(path: str) -> None:
        if path.rstrip("/") == "/predict":
            metrics.predict_calls.inc()
        metrics.count_error(path.rstrip("/"), 429)

    def around(inner: ASGIApp) -> ASGIApp:
        admission = Admission(Direct(inner, "/predict", predict_directly), settings.max_requests, turned_away)
        metrics.requests_inside.set_function(lambda: admission.inside)
        return Traffic(admission, metrics, described)

    app.surround(around)
    return app


class Service(FastAPI):
    """FastAPI with layers around all of its own, the one that turns what nobody expected into a 500 among them."""

    def surround(self, around: Callable[[ASGIApp], ASGIApp]) -> None:
        self._around = around

    def build_middleware_stack(self) -> ASGIApp:
        return self._around(super().build_middleware_stack())


class QuickJSON(JSONResponse):
    """Written by pydantic's own serializer: for the answer that is given most."""

    def render(self, content: Any) -> bytes:
        return to_json(content)


class _Read(NamedTuple):
    """A drawing that was read, and how."""

    prediction_id: str
    form: str
    picture: np.ndarray
    model: Model
    reading: Reading
    seconds: dict[str, float]  # of each phase


async def _read(request, model: Model, settings, unpacking, schema=PredictRequest) -> _Read:
    """What this model, changed as the request asks, makes of the drawing in it; HTTPException if there is none."""
    started = perf_counter()
    form, drawing = await _decoded(request, schema, settings, unpacking)
    decoded = perf_counter()
    # Pictures may be large: others are answered meanwhile. What is small takes less than handing it over would.
    is_large = form == "png" and drawing.shape[0] * drawing.shape[1] > QUICK_PIXELS
    picture = await asyncio.to_thread(_normalized, form, drawing) if is_large else _normalized(form, drawing)
    normalized = perf_counter()
    if isinstance(drawing, ExplainRequest):
        with _unprocessable():
            model = model.changed(_changes(drawing))
    reading = model.read(picture)
    seconds = {"decode": decoded - started, "normalize": normalized - decoded, "forward": perf_counter() - normalized}
    return _Read(uuid.uuid4().hex, form, picture, model, reading, seconds)


def _changes(asked):
    return [Change(change.layer, change.unit, change.weight, change.value) for change in asked.changes]


def _learnt(model):
    if model.snapshots is None:
        raise HTTPException(404, f"model {model.version} has no snapshots: it was trained before the trainer left any")
    return model


@contextlib.contextmanager
def _unprocessable():
    """What digitnet says of a question that fits no network, or not this one."""
    try:
        yield
    except ValueError as error:
        raise HTTPException(422, str(error)) from error


def _answer(read, with_input):
    answer = {
        "Result": read.reading.digit,
        "digit": read.reading.digit,
        "is_digit": read.reading.is_digit,
        "probabilities": read.reading.probabilities.tolist(),
        "confidence": read.reading.confidence,
        "model_version": read.model.version,
        "prediction_id": read.prediction_id,
    }
    if with_input:
        answer["input"] = read.picture.astype(np.float64).round(4).tolist()  # 0.498, not 0.49799999994688416
    return answer


def _both_slashes(method, path, **options):
    """A route that answers with and without a slash at its end; the description names it once."""

    def register(endpoint):
        method(path + "/", include_in_schema=False, **options)(endpoint)
        return method(path, **options)(endpoint)

    return register


async def _decoded(request, schema, settings, unpacking):
    """The request's body as ("strokes" or "image_vector", what the schema makes of it) or ("png", pixels).

    HTTPException if it is neither.
    """
    media_type = _media_type(request)
    if media_type == "image/png":
        body = await _body(request, settings.max_image_bytes)
        try:
            if pixels_announced(body) <= QUICK_PIXELS:
                return "png", pixels_from_png(body, settings.max_image_pixels)
            async with unpacking:
                return "png", await asyncio.to_thread(pixels_from_png, body, settings.max_image_pixels)
        except ImageTooLargeError as error:
            raise HTTPException(413, str(error)) from error
        except ImageError as error:
            raise HTTPException(422, str(error)) from error
    if media_type != "application/json":
        raise HTTPException(415, f"send application/json or image/png, not {media_type}")
    drawing = await _parsed(request, schema, settings)
    return drawing.form, drawing


def _address(request):
    """Of who sent this. nginx, and the page's own server, say who that was; whoever asks the service itself may say anything."""
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return forwarded or (request.client.host if request.client else "")


def _media_type(request):
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() or "a body without a content-type"


async def _only_json(request, schema, settings):
    """As _parsed, where nothing but JSON is taken."""
    media_type = _media_type(request)
    if media_type != "application/json":
        raise HTTPException(415, f"send application/json, not {media_type}")
    return await _parsed(request, schema, settings)


async def _parsed(request, schema, settings):
    """The request's body of JSON, as the schema has it."""
    try:
        return schema.model_validate_json(await _body(request, settings.max_json_bytes))
    except ValidationError as error:
        raise HTTPException(422, first_problem(error.errors())) from error


async def _body(request, limit):
    """The body's bytes; 413 as soon as it is known to have more than `limit`.

    Who is still sending when the connection closes may never hear why. So the rest of a body that is too large is read away,
    by uvicorn where its length was announced, and only one that is larger by far is cut off.
    """
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


def _normalized(form, drawing):
    """The picture that the network reads, float32 (28, 28)."""
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
