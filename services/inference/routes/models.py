"""Models: the live model's card, predictions by alias, and the candidate's disagreements."""

from deployment.version import doodle_version
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from stores.models import CANDIDATE

from inference.conditional import json_answer
from inference.openapi import DRAWING_ERRORS, NO_MODEL, body_of, errors
from inference.predictor import Model
from inference.routes.predict import predict_with
from inference.schemas.requests import PredictRequest
from inference.schemas.responses import Disagreements, ModelCard, PredictionResponse
from inference.services import services_of
from inference.strict_route import StrictRoute

router = APIRouter(tags=["models"], route_class=StrictRoute)
alias_router = APIRouter(tags=["models"], route_class=StrictRoute)  # the app includes it below /live and /candidate
shadow_router = APIRouter(tags=["models"], route_class=StrictRoute)

NO_CANDIDATE = errors({404: "There is no candidate"})


@router.get("/model", response_model=ModelCard, responses=NO_MODEL)
async def get_model(request: Request) -> Response:
    """Return the live model's card: its version, accuracy, data and training."""
    return _card(request, services_of(request).live.model)


@alias_router.post(
    "/predict",
    response_model=PredictionResponse,
    responses=DRAWING_ERRORS | NO_CANDIDATE,
    openapi_extra=body_of(PredictRequest),
)
async def predict_by_alias(request: Request, input: bool = False) -> Response:
    """Predict with this alias's model. For tests: the service does not log these drawings."""
    services, alias = services_of(request), _alias(request)
    result = await predict_with(services.sources[alias], request)
    services.metrics.alias_predictions.labels(alias).inc()
    return JSONResponse(result.response(input))


@alias_router.get("/model", response_model=ModelCard, responses=NO_MODEL | NO_CANDIDATE)
async def get_model_by_alias(request: Request) -> Response:
    """Return this model's card."""
    return _card(request, services_of(request).sources[_alias(request)].model)


@shadow_router.get(f"/{CANDIDATE}/disagreements", response_model=Disagreements)
async def list_disagreements(request: Request) -> Response:
    """List drawings for which the candidate predicts another answer."""
    return JSONResponse({"disagreements": services_of(request).shadow.disagreements()})


def _alias(request: Request) -> str:
    return str(request.url.path).split("/")[1]


def _card(request: Request, model: Model) -> Response:
    return json_answer(request, {**model.card, "doodle_version": doodle_version()})
