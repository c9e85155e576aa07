"""Feedback: say what a drawing really is, and erase it."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from inference.body import vector_image
from inference.openapi import BODY_ERRORS, body_of, errors
from inference.schemas.requests import FeedbackRequest
from inference.schemas.responses import Message
from inference.services import services_of

router, erasure_router = APIRouter(), APIRouter()

ERRORS = errors({404: "No such prediction, or one that has left the log", 503: "The prediction log is out of reach; try again"})


@router.post("/feedback", response_model=Message, responses=errors(BODY_ERRORS) | ERRORS, openapi_extra=body_of(FeedbackRequest))
async def feedback(request: Request) -> Response:
    """Say what a drawing really is. The answer comes once that is on the disk."""
    services = services_of(request)
    body = await services.bodies.json(request, FeedbackRequest)
    image = None if body.image_vector is None else vector_image(body.image_vector)
    await services.feedback.receive(body, image, _address(request))
    return JSONResponse({"message": "Feedback received, thank you!"})


@erasure_router.delete("/predictions/{prediction_id}", response_model=Message, responses=ERRORS)
async def erase(prediction_id: str, request: Request) -> Response:
    """Erase a drawing: its prediction and all feedback on it. The answer comes once that is on the disk.

    The id is the secret, so this call needs no key.
    """
    await services_of(request).feedback.erase(prediction_id)
    return JSONResponse({"message": "The drawing and all feedback on it are erased."})


def _address(request: Request) -> str:
    """Return the sender's address, as nginx and the page's own server report it. Direct clients may report any."""
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return forwarded or (request.client.host if request.client else "")
