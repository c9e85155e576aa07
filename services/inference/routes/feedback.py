"""Feedback: receive the true digit of a drawing, and erase drawings."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse
from stores.prediction_log.base import NAME_LENGTH

from inference.body import vector_image
from inference.errors import FEEDBACK_POLICY
from inference.openapi import BODY_ERRORS, body_of, errors
from inference.schemas.requests import FeedbackRequest, PredictionFeedback
from inference.schemas.responses import Message
from inference.services import services_of
from inference.strict_route import StrictRoute

router = APIRouter(tags=["feedback"], route_class=StrictRoute)
erasure_router = APIRouter(tags=["feedback"], route_class=StrictRoute)

ERRORS = errors({404: "No such prediction in the log", 503: "The prediction log cannot be reached; try again"})
RECEIVED = {"message": "Feedback received, thank you!"}
Key = Annotated[str | None, Header(min_length=1, max_length=NAME_LENGTH, description="a new random name for each request")]
ERASURE_ERRORS = ERRORS | errors({422: BODY_ERRORS[422]})


@router.post("/feedback", response_model=Message, responses=errors(BODY_ERRORS) | ERRORS, openapi_extra=body_of(FeedbackRequest))
async def give_feedback(request: Request, idempotency_key: Key = None) -> Response:
    """Receive the true digit of a drawing. The answer comes once the record is on disk.

    A repeated request with the same Idempotency-Key is stored once.
    """
    services = services_of(request)
    body = await services.bodies.json(request, FeedbackRequest)
    image = None if body.image_vector is None else vector_image(body.image_vector)
    await services.feedback.receive(body, image, _address(request), idempotency_key)
    return JSONResponse(RECEIVED, headers=FEEDBACK_POLICY)


@router.put(
    "/predictions/{prediction_id}/feedback",
    response_model=Message,
    responses=errors(BODY_ERRORS) | ERRORS,
    openapi_extra=body_of(PredictionFeedback),
)
async def set_feedback(prediction_id: str, request: Request) -> Response:
    """Set the true digit of a prediction. The last one holds. The answer comes once the record is on disk."""
    services = services_of(request)
    body = await services.bodies.json(request, PredictionFeedback)
    await services.feedback.replace(prediction_id, body.actual_digit, _address(request))
    return JSONResponse(RECEIVED, headers=FEEDBACK_POLICY)


@erasure_router.delete("/predictions/{prediction_id}", response_model=Message, responses=ERASURE_ERRORS)
async def erase_prediction(prediction_id: str, request: Request) -> Response:
    """Erase a prediction and all feedback on it. The answer comes once the erasure is on disk.

    The id is a secret, so this call needs no API key.
    """
    await services_of(request).feedback.erase(prediction_id)
    return JSONResponse({"message": "The drawing and all feedback on it are erased."})


def _address(request: Request) -> str:
    """Return the sender's address, as nginx or `python -m frontend` reports it. A direct client can forge it."""
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return forwarded or (request.client.host if request.client else "")
