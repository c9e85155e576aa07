"""Read: from a drawing to its numbers."""

from time import perf_counter

from fastapi import APIRouter, Request, Response
from pydantic_core import to_json

from inference.body import lines_of, without_file
from inference.openapi import DRAWING_ERRORS, body_of
from inference.reading import ReadLine, or_one_digit, read_fields, read_lines
from inference.routes.predict import log_digits
from inference.schemas.requests import PredictRequest
from inference.schemas.responses import ReadResponse
from inference.services import services_of
from inference.strict_route import StrictRoute

router = APIRouter(tags=["predictions"], route_class=StrictRoute)


@router.post("/read", response_model=ReadResponse, responses=DRAWING_ERRORS, openapi_extra=body_of(PredictRequest))
async def read(request: Request, candidates: bool = False) -> Response:
    """Read the numbers of a drawing, line by line: JSON with strokes or an image_vector, or an image file.

    `?` stands for an unreadable mark. Each digit has a prediction_id for feedback. With `candidates`, each line also has its
    pieces and all candidates for digits, and the service logs nothing.
    """
    services = services_of(request)
    model = services.live.model
    drawing = await services.bodies.converted(request, PredictRequest, without_file)

    def answer() -> tuple[list[ReadLine], dict[str, float]]:
        started = perf_counter()
        lines = lines_of(drawing.content)
        normalized = perf_counter()
        read = or_one_digit(model, drawing.content, read_lines(model, lines))
        return read, {"normalize": normalized - started, "forward": perf_counter() - normalized}

    lines, seconds = await services.reads.run(request, answer)
    if not candidates:
        lines = log_digits(services, model.version, lines, drawing.seconds | seconds)
    return Response(to_json(read_fields(lines, model.version, candidates)), media_type="application/json")
