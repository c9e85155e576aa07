"""Predict: from a drawing to its digit."""

import logging
import uuid
from collections.abc import Mapping
from time import perf_counter, time
from typing import Any, NamedTuple

import numpy as np
from digitnet.images.normalize import in_bytes
from fastapi import APIRouter, Request, Response
from pydantic_core import to_json
from starlette.background import BackgroundTask
from stores.models import CANDIDATE
from stores.prediction_log import Prediction as LoggedPrediction
from stores.prediction_log.base import Form

from inference.body import Drawing
from inference.openapi import DRAWING_ERRORS, body_of
from inference.predictor import Image, Model, ModelSource, Prediction
from inference.reading import ReadLine, read_fields, read_number
from inference.schemas.requests import PredictRequest
from inference.schemas.responses import PredictionResponse, ReadResponse
from inference.services import Services, services_of
from inference.strict_route import StrictRoute

log = logging.getLogger(__name__)

router = APIRouter(tags=["predictions"], route_class=StrictRoute)


class Predicted(NamedTuple):
    """A drawing with its prediction."""

    prediction_id: str
    drawing: Drawing[Any, Image]
    model: Model
    prediction: Prediction

    def response(self, with_input: bool = False) -> dict[str, Any]:
        """Return the fields of the schema PredictionResponse."""
        answer = self.prediction.answer()
        answer |= {"Result": answer["digit"], "model_version": self.model.version, "prediction_id": self.prediction_id}
        if with_input:
            answer["input"] = self.drawing.content.astype(np.float64).round(4).tolist()  # 0.498, not 0.49799999994688416
        return answer


def predicted(model: Model, drawing: Drawing[Any, Image]) -> Predicted:
    started = perf_counter()
    prediction = model.predict(drawing.content)
    drawing.seconds["forward"] = perf_counter() - started
    return Predicted(new_id(), drawing, model, prediction)


def new_id() -> str:
    """Return a new prediction_id."""
    return uuid.uuid4().hex


async def predict_with(source: ModelSource, request: Request) -> Predicted:
    """Predict the drawing in a request. Without a model, raise 503 before reading the body."""
    model = source.model
    return predicted(model, await services_of(request).bodies.drawing(request, PredictRequest))


@router.post(
    "/predict",
    response_model=PredictionResponse | ReadResponse,
    responses=DRAWING_ERRORS,
    openapi_extra=body_of(PredictRequest),
)
async def predict(request: Request, input: bool = False, number: bool = False) -> Response:
    """Predict the digit of a drawing: JSON with strokes or an image_vector, or an image file.

    With `number`, the answer to a drawing that is a number is that of /read, with its candidates.
    """
    services = services_of(request)
    if number:
        result, lines, seconds = await _predicted_and_read(services, request)
        if lines:
            version = result.model.version
            lines = log_digits(services, version, lines, seconds)
            return Response(to_json(read_fields(lines, version, with_candidates=True)), media_type="application/json")
    else:
        result = await predict_with(services.live, request)
    drawing, version = result.drawing, result.model.version
    services.metrics.observe_phases(drawing.seconds)
    count_and_log(services, result.prediction_id, drawing.form, drawing.content, version, result.prediction)

    comparison = result.prediction_id, drawing.content, version, result.prediction
    background = BackgroundTask(services.shadow.compare, *comparison) if services.sources[CANDIDATE].loaded else None
    return Response(to_json(result.response(input)), media_type="application/json", background=background)


async def _predicted_and_read(services: Services, request: Request) -> tuple[Predicted, list[ReadLine], dict[str, float]]:
    """Return the prediction for the whole drawing, the lines of a number, and the seconds of each phase."""
    model = services.live.model
    drawing, source = await services.bodies.with_source(request, PredictRequest)

    def answer() -> tuple[Predicted, list[ReadLine], dict[str, float]]:
        result, started = predicted(model, drawing), perf_counter()
        lines = read_number(model, source, result.prediction)
        return result, lines, drawing.seconds | {"read": perf_counter() - started}

    return await services.reads.run(request, answer)


def log_digits(services: Services, version: str, lines: list[ReadLine], seconds: Mapping[str, float]) -> list[ReadLine]:
    """Count the numbers of a drawing, log each digit, and return the lines with prediction ids."""
    lines = [line._replace(digits=[digit._replace(prediction_id=new_id()) for digit in line.digits]) for line in lines]
    for digit in (digit for line in lines for digit in line.digits):
        count_and_log(services, str(digit.prediction_id), "number", digit.image, version, digit.prediction)
    services.metrics.count_number([len(line.digits) for line in lines], seconds)
    return lines


def count_and_log(services: Services, id_: str, form: Form, image: Image, version: str, prediction: Prediction) -> None:
    """Count a prediction, and add it to the prediction log."""
    digit, probability = prediction.digit, float(prediction.probabilities[prediction.digit])
    services.metrics.count_prediction(form, digit if prediction.is_digit else None, probability)
    pixels = in_bytes(image).tobytes()
    services.logger.log(LoggedPrediction(id_, time(), form, digit, prediction.is_digit, probability, version, pixels))
    event = "event=predicted id=%s form=%s digit=%d is_digit=%s confidence=%.4f"
    log.debug(event, id_, form, digit, prediction.is_digit, probability)
