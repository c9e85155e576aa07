"""Inspect: explanations, units, training steps and snapshots of the live model. The service does not log these requests."""

from collections.abc import Callable
from functools import partial

from deployment.version import doodle_version
from digitnet.inspect.edits import Edit
from digitnet.inspect.snapshots import Snapshots
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import Counter

from inference.conditional import etag, not_modified, tagged
from inference.errors import invalid_request, not_found
from inference.inspection import Fields, explanation, predict_at_snapshots, timeline, training, unit
from inference.openapi import BODY_ERRORS, DRAWING_ERRORS, NO_MODEL, body_of, errors
from inference.predictor import Model, ModelSource
from inference.reading import read_fields, read_number
from inference.routes.predict import predicted
from inference.schemas.requests import ExplainRequest, LearnRequest, PredictRequest, UnitRequest
from inference.schemas.responses import Explanation, LearnResponse, SnapshotPredictions, SnapshotsResponse, UnitResponse
from inference.services import services_of
from inference.strict_route import StrictRoute
from inference.work_queue import WorkQueue

router = APIRouter(tags=["inspection"], route_class=StrictRoute)

NO_SNAPSHOTS = errors({404: "The live model has no snapshots", 429: BODY_ERRORS[429]})


@router.post("/explain", response_model=Explanation, responses=DRAWING_ERRORS, openapi_extra=body_of(ExplainRequest))
async def explain(request: Request, occlusion: bool = False, number: bool = False) -> Response:
    """Predict as /predict does, and explain it: each layer's output, and each logit's gradient with respect to the pixels.

    `changes` edit weights or switch off units in a copy of the network, which then predicts. With `number`, the answer to a
    drawing that is a number also has its digits and all candidates. The service stores nothing.
    """
    services = services_of(request)
    model = services.live.model
    if number:
        drawing, source = await services.bodies.with_source(request, ExplainRequest)
    else:
        drawing, source = await services.bodies.drawing(request, ExplainRequest), None

    def explained() -> Fields:
        result = predicted(model.with_edits(_edits(drawing.body)), drawing)
        fields = result.response() | explanation(result.model, drawing.content, result.prediction.digit, occlusion)
        if source is not None:
            lines = read_number(result.model, source, result.prediction)
            fields["number"] = read_fields(lines, model.version, with_candidates=True) if lines else None
        return fields

    queue = services.slow if occlusion else services.reads if number else services.inspections
    return await _compute(queue, request, explained, services.metrics.explanations)


@router.post("/unit", response_model=UnitResponse, responses=DRAWING_ERRORS, openapi_extra=body_of(UnitRequest))
async def inspect_unit(request: Request) -> Response:
    """Inspect one number of a layer's output: its inputs, its weights, and its receptive field."""
    services = services_of(request)
    model = services.live.model
    drawing = await services.bodies.drawing(request, UnitRequest)

    def inspected() -> Fields:
        return unit(model.with_edits(_edits(drawing.body)), drawing.content, drawing.body.layer, drawing.body.place)

    return await _compute(services.inspections, request, inspected, services.metrics.units)


@router.post("/learn", response_model=LearnResponse, responses=DRAWING_ERRORS, openapi_extra=body_of(LearnRequest))
async def learn(request: Request) -> Response:
    """Train a copy of the network on one drawing. The served model does not change.

    Each request starts from the served model. To continue training, repeat all earlier steps.
    """
    services = services_of(request)
    model = services.live.model
    drawing = await services.bodies.drawing(request, LearnRequest)
    steps = [(step.label, step.learning_rate) for step in drawing.body.lessons]
    trained = partial(training, model, drawing.content, steps)
    return await _compute(services.slow, request, trained, services.metrics.training_steps, len(steps))


@router.get("/snapshots", response_model=SnapshotsResponse, responses=NO_MODEL | NO_SNAPSHOTS)
async def list_snapshots(request: Request) -> Response:
    """Return snapshots of the live model's training: measurements, the first layer's filters, and a map of digits."""
    services = services_of(request)
    model = services.live.model

    def answer() -> Response:
        found, tag = _snapshots(services.live, model), etag(model.version, doodle_version())
        return not_modified(request, tag) or tagged(JSONResponse(timeline(model, found)), tag)

    return await services.inspections.run(request, answer)


@router.post(
    "/snapshots",
    response_model=SnapshotPredictions,
    responses=DRAWING_ERRORS | NO_SNAPSHOTS,
    openapi_extra=body_of(PredictRequest),
)
async def predict_snapshots(request: Request) -> Response:
    """Predict a drawing at each snapshot."""
    services = services_of(request)
    model = services.live.model
    drawing = await services.bodies.drawing(request, PredictRequest)

    def predictions() -> Fields:
        return predict_at_snapshots(model, _snapshots(services.live, model), drawing.content)

    return await _compute(services.inspections, request, predictions, services.metrics.snapshot_predictions)


async def _compute(
    queue: WorkQueue, request: Request, fields: Callable[[], Fields], counter: Counter, count: int = 1
) -> Response:
    """Compute a response's fields in a queue, and count it. A ValueError of digitnet becomes a 422."""

    def response() -> Response:
        try:
            computed = fields()
        except ValueError as error:
            raise invalid_request(str(error)) from error
        return JSONResponse(computed)

    answer = await queue.run(request, response)
    counter.inc(count)
    return answer


def _snapshots(source: ModelSource, model: Model) -> Snapshots:
    found = source.snapshots(model)
    if found is None:
        raise not_found(f"model {model.version} has no snapshots: the store has none, or they are damaged")
    return found


def _edits(body: ExplainRequest) -> list[Edit]:
    return [Edit(change.layer, change.unit, change.weight, change.value) for change in body.changes]
