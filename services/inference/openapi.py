"""OpenAPI descriptions of request bodies, which this service parses itself, and of errors."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from inference.body import JSON, OPTIONS
from inference.image_files.decode import IMAGE_TYPES
from inference.schemas.requests import ExplainRequest, FeedbackRequest, LearnRequest, PredictRequest, UnitRequest
from inference.schemas.responses import Problem

Responses = dict[int | str, dict[str, Any]]

COMPONENT = "#/components/schemas/{model}"
BODIES: tuple[type[BaseModel], ...] = (PredictRequest, ExplainRequest, UnitRequest, LearnRequest, FeedbackRequest)
FILE = {"schema": {"type": "string", "format": "binary"}}


def body_of(schema: type[BaseModel]) -> dict[str, Any]:
    """Return a route's `openapi_extra`: the body is JSON of this schema or, if it has a drawing, an image file.

    The schema's fields beside the drawing then come in the query.
    """
    content = {JSON: {"schema": {"$ref": COMPONENT.format(model=schema.__name__)}}}
    if not issubclass(schema, PredictRequest):
        return {"requestBody": {"required": True, "content": content}}
    content |= dict.fromkeys(IMAGE_TYPES, FILE)
    names = [name for name in schema.model_fields if name not in PredictRequest.model_fields]
    return {"requestBody": {"required": True, "content": content}} | ({"parameters": [_options_of(names)]} if names else {})


def _options_of(names: Sequence[str]) -> dict[str, Any]:
    description = f"with an image as the body: a JSON object with the other fields of the request ({', '.join(names)})"
    schema = {"type": "string", "contentMediaType": JSON}
    return {"name": OPTIONS, "in": "query", "required": False, "description": description, "schema": schema}


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
