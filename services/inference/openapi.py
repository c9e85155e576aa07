"""OpenAPI descriptions of request bodies, which this service parses itself, and of errors."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from deployment.problem import MEDIA_TYPE
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from inference.body import JSON, OPTIONS
from inference.image_files.decode import ANY_BYTES, IMAGE_TYPES
from inference.schemas.infer import InferRequest
from inference.schemas.requests import (
    ExplainRequest,
    FeedbackRequest,
    Form,
    LearnRequest,
    PredictionFeedback,
    PredictRequest,
    UnitRequest,
)
from inference.schemas.responses import Problem

TAGS = [
    {"name": "predictions", "description": "Recognize a digit or the numbers in a drawing."},
    {"name": "inspection", "description": "Look inside the network. The service logs none of these drawings."},
    {"name": "feedback", "description": "Give the true digit of a drawing, or erase the drawing."},
    {"name": "open inference protocol", "description": "Batches, for the clients and tools of KServe, Triton and MLServer."},
    {"name": "models", "description": "Models, and predictions by alias."},
    {"name": "operations", "description": "Probes and metrics."},
]

Responses = dict[int | str, dict[str, Any]]

COMPONENT = "#/components/schemas/{model}"
WITH_FORMS = (PredictRequest, ExplainRequest, UnitRequest, LearnRequest, FeedbackRequest)
BODIES: tuple[type[BaseModel], ...] = (*WITH_FORMS, PredictionFeedback, InferRequest)
FILE = {"schema": {"type": "string", "format": "binary"}}
NULL = {"type": "null"}


def body_of(schema: type[BaseModel]) -> dict[str, Any]:
    """Return a route's `openapi_extra`: the body is JSON of this schema or, if it has a drawing, an image file.

    The schema's fields beside the drawing then come in the query.
    """
    content = {JSON: {"schema": {"$ref": COMPONENT.format(model=schema.__name__)}}}
    if not issubclass(schema, PredictRequest):
        return {"requestBody": {"required": True, "content": content}}
    content |= dict.fromkeys((ANY_BYTES, *IMAGE_TYPES), FILE)
    names = [name for name in schema.model_fields if name not in PredictRequest.model_fields]
    return {"requestBody": {"required": True, "content": content}} | ({"parameters": [_options_of(names)]} if names else {})


def _options_of(names: Sequence[str]) -> dict[str, Any]:
    description = f"with an image as the body: a JSON object with the other fields of the request ({', '.join(names)})"
    schema = {"type": "string", "contentMediaType": JSON}
    return {"name": OPTIONS, "in": "query", "required": False, "description": description, "schema": schema}


def schema_components() -> dict[str, Any]:
    """Return the schema components of all bodies and of the problem.

    A body with several forms becomes a oneOf of complete schemas, since client generators ignore fields beside a oneOf.
    """
    models: list[type[BaseModel]] = [*BODIES, Problem]
    schemas: dict[str, Any] = models_json_schema([(each, "validation") for each in models], ref_template=COMPONENT)[1]["$defs"]
    for body in WITH_FORMS:
        schema = schemas.pop(body.__name__)
        forms = dict(_forms(schema, body.__name__.removesuffix("Request"), body.forms.items()))
        references = [{"$ref": COMPONENT.format(model=name)} for name in forms]
        schemas |= forms | {body.__name__: {"title": schema["title"], "oneOf": references}}
    return schemas


def _forms(schema: dict[str, Any], prefix: str, forms: Iterable[tuple[str, Form]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the schema of each form of a body with this schema."""
    for suffix, (field, absent) in forms:
        properties = {name: each for name, each in schema["properties"].items() if name not in absent}
        kinds = [each for each in properties[field]["anyOf"] if each != NULL]
        about = {name: value for name, value in properties[field].items() if name not in ("anyOf", "default")}
        properties[field] = about | (kinds[0] if len(kinds) == 1 else {"anyOf": kinds})
        required = [field, *schema.get("required", ())]
        yield prefix + suffix, {**schema, "title": prefix + suffix, "properties": properties, "required": required}


def errors(descriptions: dict[int, str]) -> Responses:
    """Return a route's `responses` with these HTTP statuses."""
    content = {MEDIA_TYPE: {"schema": {"$ref": COMPONENT.format(model=Problem.__name__)}}}
    return {status: {"description": text, "content": content} for status, text in descriptions.items()}


NO_MODEL = errors({503: "No model yet"})
BODY_ERRORS = {
    400: "image_vector does not have 784 values",
    413: "The body or the image is too large",
    415: "The content type is not supported, or the body is compressed",
    422: "The body or the query is invalid",
    429: "Too many requests at once; try again in a second",
}
DRAWING_ERRORS = errors(BODY_ERRORS) | NO_MODEL
