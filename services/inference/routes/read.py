"""Read: from a drawing to its numbers."""

from time import perf_counter
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic_core import to_json

from inference.body import lines_of, without_file
from inference.openapi import DRAWING_ERRORS, body_of
from inference.predictor import Model
from inference.reading import ReadDigit, read_lines
from inference.routes.predict import count_and_log, new_id
from inference.schemas.requests import PredictRequest
from inference.schemas.responses import ReadResponse
from inference.services import Services, services_of
from inference.strict_route import StrictRoute

router = APIRouter(tags=["predictions"], route_class=StrictRoute)


@router.post("/read", response_model=ReadResponse, responses=DRAWING_ERRORS, openapi_extra=body_of(PredictRequest))
async def read(request: Request) -> Response:
    """Read the numbers of a drawing, line by line: JSON with strokes or an image_vector, or an image file.

    `?` stands for an unreadable mark. Each digit has a prediction_id for feedback.
    """
    services = services_of(request)
    model = services.live.model
    drawing = await services.bodies.converted(request, PredictRequest, without_file)

    def answer() -> tuple[list[list[ReadDigit]], dict[str, float]]:
        started = perf_counter()
        lines = lines_of(drawing.content)
        normalized = perf_counter()
        read = read_lines(model, lines)
        return read, {"normalize": normalized - started, "forward": perf_counter() - normalized}

    lines, seconds = await services.reads.run(request, answer)
    fields = [_line(services, model, line) for line in lines]
    services.metrics.count_number([len(line) for line in lines], drawing.seconds | seconds)
    text = "\n".join(line["text"] for line in fields)
    return Response(to_json({"text": text, "lines": fields, "model_version": model.version}), media_type="application/json")


def _line(services: Services, model: Model, digits: list[ReadDigit]) -> dict[str, Any]:
    """Log a line's digits, and return the fields of the schema ReadLine."""
    return {"text": "".join(digit.character for digit in digits), "digits": [_digit(services, model, each) for each in digits]}


def _digit(services: Services, model: Model, digit: ReadDigit) -> dict[str, Any]:
    prediction_id, answer = new_id(), digit.prediction.answer()
    count_and_log(services, prediction_id, "number", digit.image, model.version, digit.prediction)
    left, top, right, bottom = digit.box.tolist()
    box = [round(value, 1) for value in (left, top, right - left, bottom - top)]
    return {**answer, "box": box, "prediction_id": prediction_id}
