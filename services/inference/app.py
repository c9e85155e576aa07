"""The API: routes, and the HTTP code of every error. What it is and does is in DESIGN's contract and at /docs."""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable
from functools import partial
from time import perf_counter, time
from typing import Any, NamedTuple

import numpy as np
from digitnet.images.normalize import in_bytes
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic_core import to_json
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp
from stores.models import ALIASES, CANDIDATE, LIVE, open_models
from stores.prediction_log import Prediction as RecordedPrediction
from stores.prediction_log import open_prediction_log

from inference.admission import TOO_MUCH, Admission
from inference.description import (
    ERASE_PROBLEMS,
    EXPLAIN_BODY,
    FEEDBACK_BODY,
    FEEDBACK_PROBLEMS,
    KEY_NEEDED,
    LEARN_BODY,
    NO_SNAPSHOTS,
    PREDICT_BODY,
    PROBLEMS,
    SNAPSHOTS_BODY,
    UNIT_BODY,
    DescribedAPI,
)
from inference.direct import Direct
from inference.docs_page import docs_page
from inference.erasure import Eraser, drop_expired
from inference.explaining import at_each_moment, explanation, learnt, timeline, unit
from inference.feedback import FeedbackDesk
from inference.hosts import AllowedHosts
from inference.key import only_with
from inference.metrics import QUEUES, Metrics
from inference.origins import open_to
from inference.predictor import Model, ModelSource, NoModelError, Reading
from inference.reading import Drawing, RequestReader, changes, unprocessable, vector_image
from inference.recorder import Recorder
from inference.schemas import (
    Disagreements,
    Erased,
    ExplainRequest,
    Explanation,
    FeedbackReceived,
    FeedbackRequest,
    LearnRequest,
    Learnt,
    ModelCard,
    Prediction,
    PredictRequest,
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
from inference.work_queue import QueueFullError, WorkQueue, pause

log = logging.getLogger(__name__)

# How many calls wait in each queue; one runs. At most two seconds' work, on one core.
LARGE_WAITING = 8  # large bodies: up to 0.3 s each
INSPECTIONS_WAITING = 64  # explanations, units, snapshots: up to 0.03 s each
SLOW_WAITING = 4  # occlusion, training steps: up to half a second each


def create_app(settings: Settings) -> FastAPI:
    """The whole service; nothing is read from disk before it starts."""
    metrics = Metrics()
    models = open_models(settings.models)
    sources = {alias: ModelSource(models, metrics, alias) for alias in ALIASES}
    source = sources[LIVE]
    shadow = Shadow(sources[CANDIDATE], metrics)
    prediction_log = open_prediction_log(settings.prediction_log)
    recorder = Recorder(prediction_log, metrics)
    desk = FeedbackDesk(prediction_log, recorder, metrics)
    eraser = Eraser(prediction_log, recorder)
    waiting = (LARGE_WAITING, INSPECTIONS_WAITING, SLOW_WAITING)
    queues = large, inspections, slow = [WorkQueue(name, size, metrics) for name, size in zip(QUEUES, waiting)]
    reader = RequestReader(settings, large)
    asks_key = [Depends(only_with(settings.api_key))] if settings.api_key else []
    key_needed = KEY_NEEDED if asks_key else {}

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI):
        for each in sources.values():
            await asyncio.to_thread(each.refresh)
        following = [asyncio.create_task(each.follow(settings.model_check_seconds)) for each in sources.values()]
        if settings.retention_days:
            following.append(asyncio.create_task(drop_expired(prediction_log, settings.retention_days)))
        async with recorder:
            yield
        for task in following:
            task.cancel()
        for queue in queues:
            queue.close()

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

    async def read_by(source: ModelSource, request: Request) -> Read:
        """What the model of this source makes of the drawing in a request."""
        model = source.model  # without one the body is not read
        return _read(model, await reader.drawing(request))

    @_both_slashes(app.post, "/predict", response_model=Prediction, responses=PROBLEMS, openapi_extra=PREDICT_BODY)
    async def predict(request: Request, input: bool = False) -> Response:
        """Read a drawing: JSON strokes, a JSON image_vector, or a PNG as the body."""
        metrics.predict_calls.inc()
        read = await read_by(source, request)
        reading = read.reading
        form, image = read.drawing.form, read.drawing.image
        likeliest, probability = reading.likeliest, float(reading.probabilities.max())
        metrics.count_prediction(form, likeliest if reading.is_digit else None, probability, read.seconds)
        recorder.record(
            RecordedPrediction(
                prediction_id=read.prediction_id,
                time=time(),
                form=form,
                digit=likeliest,
                is_digit=reading.is_digit,
                confidence=probability,
                model_version=read.model.version,
                picture=in_bytes(image).tobytes(),
            )
        )
        log.debug(
            "event=predicted id=%s form=%s digit=%d is_digit=%s confidence=%.4f ms=%.2f",
            *(read.prediction_id, form, likeliest, reading.is_digit, probability),
            sum(read.seconds.values()) * 1e3,
        )

        async def read_by_candidate():
            shadow.compare(read.prediction_id, image, read.model.version, reading)

        return QuickJSON(_answer(read, input), background=BackgroundTask(read_by_candidate) if shadow.is_on else None)

    @_both_slashes(app.post, "/explain", response_model=Explanation, responses=PROBLEMS, openapi_extra=EXPLAIN_BODY)
    async def explain(request: Request, occlusion: bool = False) -> Response:
        """Read a drawing as /predict does, and say how: what every layer made of it, and which ink spoke for which digit.

        With `changes`, by a copy of the network in which weights are others or units switched off. Nothing of it is written
        down: a page may ask again with every stroke.
        """
        model = source.model
        drawing = await reader.drawing(request, ExplainRequest)

        def explained() -> Response:
            with unprocessable():
                read = _read(model.changed(changes(drawing.asked)), drawing)
            return JSONResponse(
                _answer(read, with_input=False) | explanation(read.model, drawing.image, read.reading.likeliest, occlusion)
            )

        answer = await (slow if occlusion else inspections).run(request, explained)
        metrics.explanations.inc()
        return answer

    @_both_slashes(app.post, "/unit", response_model=UnitSeen, responses=PROBLEMS, openapi_extra=UNIT_BODY)
    async def look_at_unit(request: Request) -> Response:
        """How one number of a layer came about: its inputs, its weights, and what of the image can reach it."""
        model = source.model
        asked = await reader.json(request, UnitRequest)
        image = await reader.image(request, asked)

        def seen() -> Response:
            with unprocessable():
                return JSONResponse(unit(model.changed(changes(asked)), image, asked.layer, asked.place))

        answer = await inspections.run(request, seen)
        metrics.units.inc()
        return answer

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
        model = source.model
        asked = await reader.json(request, PredictRequest)
        image = await reader.image(request, asked)
        answer = await inspections.run(
            request, lambda: JSONResponse(at_each_moment(_learnt(source.with_snapshots(model)), image))
        )
        metrics.snapshot_readings.inc()
        return answer

    @_both_slashes(app.post, "/learn", response_model=Learnt, responses=PROBLEMS, openapi_extra=LEARN_BODY)
    async def learn(request: Request) -> Response:
        """Give lessons on a drawing to a copy of the network: gradient descent, step by step. The served model stays as it is.

        Lessons always begin with that, so the same request has the same answer: a page keeps its pupil by repeating its lessons.
        """
        model = source.model
        asked = await reader.json(request, LearnRequest)
        image = await reader.image(request, asked)
        lessons = [(lesson.label, lesson.learning_rate) for lesson in asked.lessons]

        def taught() -> Response:
            with unprocessable():
                return JSONResponse(learnt(model, image, lessons))

        answer = await slow.run(request, taught)
        metrics.lessons.inc(len(lessons))
        return answer

    def by_alias(alias):
        """What may be asked of the model that an alias names. A test's thousands of drawings are nobody's: they are not counted
        as drawings, and do not push those out of the journal."""

        @_both_slashes(
            app.post,
            f"/{alias}/predict",
            response_model=Prediction,
            responses=PROBLEMS | key_needed,
            openapi_extra=PREDICT_BODY,
            dependencies=asks_key,
        )
        async def predict_by_alias(request: Request, input: bool = False) -> Response:
            """As /predict, by the model that has this name now. For tests: nothing of it is written down."""
            read = await read_by(sources[alias], request)
            metrics.trials.labels(alias).inc()
            return JSONResponse(_answer(read, input))

        @_both_slashes(
            app.get,
            f"/{alias}/model",
            response_model=ModelCard,
            responses={503: PROBLEMS[503]} | key_needed,
            dependencies=asks_key,
        )
        async def model_by_alias() -> Response:
            """The card of the model that has this name now."""
            return JSONResponse(sources[alias].model.card)

    for alias in ALIASES:
        by_alias(alias)

    @_both_slashes(
        app.post,
        "/feedback",
        response_model=FeedbackReceived,
        responses=FEEDBACK_PROBLEMS | key_needed,
        openapi_extra=FEEDBACK_BODY,
        dependencies=asks_key,
    )
    async def feedback(request: Request) -> Response:
        """Say what a drawing really was. The answer comes once that is on the disk."""
        said = await reader.json(request, FeedbackRequest)
        image = None if said.image_vector is None else vector_image(said.image_vector)
        await desk.receive(said, image, _address(request), partial(pause, request))
        return JSONResponse(FeedbackReceived().model_dump())

    @_both_slashes(app.delete, "/predictions/{prediction_id}", response_model=Erased, responses=ERASE_PROBLEMS)
    async def erase(prediction_id: str, request: Request) -> Response:
        """Erase a drawing: its prediction and all feedback on it. The answer comes once that is on the disk.

        The id is the secret, so this call needs no key.
        """
        await eraser.erase(prediction_id, partial(pause, request))
        return JSONResponse(Erased().model_dump())

    @_both_slashes(app.get, "/candidate/disagreements", response_model=Disagreements, responses=key_needed, dependencies=asks_key)
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
        return docs_page()

    @app.get("/docs/", include_in_schema=False)
    async def docs_with_a_slash() -> RedirectResponse:
        return RedirectResponse("../docs", 308)  # the page's own address of the description is relative

    @app.get("/openapi.json/", include_in_schema=False)
    async def description() -> JSONResponse:
        return JSONResponse(app.openapi())

    @app.exception_handler(StarletteHTTPException)  # of which ours is a kind
    async def problem(request: Request, error: StarletteHTTPException) -> Response:
        path = request.url.path.rstrip("/")
        if request.method == "POST" and metrics.count_error(path, error.status_code):
            log.info("event=refused path=%s code=%d detail=%r", path, error.status_code, error.detail)
        headers = {"Allow": ", ".join(methods_of(path))} if error.status_code == 405 else error.headers
        return JSONResponse({"detail": error.detail}, error.status_code, headers=headers)

    def methods_of(path: str) -> list[str]:
        """Of all its routes: the framework names the first one's alone."""
        return sorted(method for route in app.routes if route.path_regex.fullmatch(path) for method in route.methods)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        if request.url.path.rstrip("/") == "/predict":
            metrics.predict_calls.inc()  # it was not reached
        return await problem(request, HTTPException(422, first_problem(error.errors())))

    @app.exception_handler(NoModelError)
    async def no_model(request: Request, error: NoModelError) -> Response:
        return await problem(request, HTTPException(503, str(error), headers={"Retry-After": "5"}))

    @app.exception_handler(QueueFullError)
    async def queue_full(request: Request, error: QueueFullError) -> Response:
        return await problem(request, HTTPException(429, TOO_MUCH, headers={"Retry-After": "1"}))

    @app.exception_handler(ClientDisconnect)
    async def client_gone(request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=499)  # as nginx logs it; nobody reads it

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
        except QueueFullError as error:
            return await queue_full(request, error)
        except ClientDisconnect as error:
            return await client_gone(request, error)
        except Exception as error:
            log.exception("event=failed path=/predict")
            return await unexpected(request, error)

    described = tuple(route.path for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema)

    def turned_away(path: str) -> None:
        if path.rstrip("/") == "/predict":
            metrics.predict_calls.inc()
        metrics.count_error(path.rstrip("/"), 429)

    def around(inner: ASGIApp) -> ASGIApp:
        admission = Admission(
            Direct(inner, "/predict", predict_directly), settings.max_requests, turned_away, own_limit=frozenset({"/predict"})
        )
        metrics.requests_inside.set_function(lambda: admission.inside)
        return Traffic(AllowedHosts(open_to(settings.cors_origins, admission), settings.hosts), metrics, described)

    app.surround(around)
    return app


class Service(DescribedAPI):
    """FastAPI with layers around all of its own, the one that turns what nobody expected into a 500 among them."""

    def surround(self, around: Callable[[ASGIApp], ASGIApp]) -> None:
        self._around = around

    def build_middleware_stack(self) -> ASGIApp:
        return self._around(super().build_middleware_stack())


class QuickJSON(JSONResponse):
    """Written by pydantic's own serializer: for the answer that is given most."""

    def render(self, content: Any) -> bytes:
        return to_json(content)


class Read(NamedTuple):
    """A drawing that was read, and how."""

    prediction_id: str
    drawing: Drawing
    model: Model
    reading: Reading
    seconds: dict[str, float]  # of each phase


def _read(model: Model, drawing: Drawing) -> Read:
    started = perf_counter()
    reading = model.read(drawing.image)
    return Read(uuid.uuid4().hex, drawing, model, reading, drawing.seconds | {"forward": perf_counter() - started})


def _learnt(model):
    if model.snapshots is None:
        raise HTTPException(404, f"model {model.version} has no snapshots: it was trained before the trainer left any")
    return model


def _answer(read, with_input):
    answer = read.reading.answer()
    answer |= {"Result": answer["digit"], "model_version": read.model.version, "prediction_id": read.prediction_id}
    if with_input:
        answer["input"] = read.drawing.image.astype(np.float64).round(4).tolist()  # 0.498, not 0.49799999994688416
    return answer


def _both_slashes(method, path, **options):
    """A route that answers with and without a slash at its end; the description names it once."""

    def register(endpoint):
        method(path + "/", include_in_schema=False, **options)(endpoint)
        return method(path, **options)(endpoint)

    return register


def _address(request):
    """Of who sent this. nginx, and the page's own server, say who that was; whoever asks the service itself may say anything."""
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return forwarded or (request.client.host if request.client else "")
