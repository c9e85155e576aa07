"""Feedback: receive the true digit of a drawing, and erase drawings."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from inference.body import vector_image
from inference.openapi import BODY_ERRORS, body_of, errors
from inference.schemas.requests import FeedbackRequest
from inference.schemas.responses import Message
from inference.services import services_of
from inference.strict_route import StrictRoute

router = APIRouter(tags=["feedback"], route_class=StrictRoute)
erasure_router = APIRouter(tags=["feedback"], route_class=StrictRoute)

ERRORS = errors({404: "No such prediction in the log", 503: "The prediction log cannot be reached; try again"})
ERASURE_ERRORS = ERRORS | errors({422: BODY_ERRORS[422]})


@router.post("/feedback", response_model=Message, responses=errors(BODY_ERRORS) | ERRORS, openapi_extra=body_of(FeedbackRequest))
async def give_feedback(request: Request) -> Response:
    """Receive the true digit of a drawing. The answer comes once the record is on disk."""
    services = services_of(request)
    body = await services.bodies.json(request, FeedbackRequest)
    image = None if body.image_vector is None else vector_image(body.image_vector)
    await services.feedback.receive(body, image, _address(request))
    return JSONResponse({"message": "Feedback received, thank you!"})


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
