"""OpenAPI descriptions of request bodies, which this service parses itself, and of errors."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from inference.schemas.requests import ExplainRequest, FeedbackRequest, LearnRequest, PredictRequest, UnitRequest
from inference.schemas.responses import Problem

Responses = dict[int | str, dict[str, Any]]

COMPONENT = "#/components/schemas/{model}"
BODIES: tuple[type[BaseModel], ...] = (PredictRequest, ExplainRequest, UnitRequest, LearnRequest, FeedbackRequest)
PNG = {"image/png": {"schema": {"type": "string", "format": "binary"}}}


def body_of(schema: type[BaseModel], images: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a route's `openapi_extra`: the body is JSON of this schema, or one of the image types."""
    content = {"application/json": {"schema": {"$ref": COMPONENT.format(model=schema.__name__)}}, **(images or {})}
    return {"requestBody": {"required": True, "content": content}}


def body_schemas() -> dict[str, Any]:
    """Return the schema components of all bodies."""
    schemas: dict[str, Any] = models_json_schema([(each, "validation") for each in BODIES], ref_template=COMPONENT)[1]["$defs"]
    return schemas


def errors(descriptions: dict[int, str]) -> Responses:
    """Return a route's `responses` with these HTTP statuses."""
    return {status: {"model": Problem, "description": text} for status, text in descriptions.items()}


NO_MODEL = errors({503: "No model yet"})
BODY_ERRORS = {
    400: "image_vector does not have 784 values",
    413: "The body or the image is too large",
    415: "The content type is not supported, or the body is compressed",
    422: "The body is invalid",
    429: "Too many requests at once; try again in a second",
}
DRAWING_ERRORS = errors(BODY_ERRORS) | NO_MODEL
