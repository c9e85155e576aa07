"""What the description of the API says of bodies, which we read ourselves, and of errors."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from inference.schemas import (
    VECTOR_LENGTH,
    ExplainRequest,
    FeedbackRequest,
    LearnRequest,
    PredictRequest,
    Problem,
    UnitRequest,
)

COMPONENT = "#/components/schemas/{model}"
REQUESTS = (PredictRequest, ExplainRequest, UnitRequest, LearnRequest, FeedbackRequest)


def _body_of(schema: type[BaseModel], **others: dict) -> dict:
    content = {"application/json": {"schema": {"$ref": COMPONENT.format(model=schema.__name__)}}, **others}
    return {"requestBody": {"required": True, "content": content}}


PNG = {"image/png": {"schema": {"type": "string", "format": "binary"}}}
PREDICT_BODY, EXPLAIN_BODY = _body_of(PredictRequest, **PNG), _body_of(ExplainRequest, **PNG)
UNIT_BODY, LEARN_BODY, SNAPSHOTS_BODY = _body_of(UnitRequest), _body_of(LearnRequest), _body_of(PredictRequest)
FEEDBACK_BODY = _body_of(FeedbackRequest)
PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": f"image_vector has not {VECTOR_LENGTH} values"},
    413: {"model": Problem, "description": "More bytes, or more pixels, than are taken"},
    415: {"model": Problem, "description": "Neither JSON nor PNG"},
    422: {"model": Problem, "description": "Not a drawing that can be read"},
    429: {"model": Problem, "description": "Too much is asked at once; ask again in a second"},
    503: {"model": Problem, "description": "No model yet"},
}
NO_SNAPSHOTS = {404: {"model": Problem, "description": "The live model has no snapshots"}}
KEY_NEEDED: dict[int | str, dict[str, Any]] = {401: {"model": Problem, "description": "Not without the key of DOODLE_API_KEY"}}
FEEDBACK_PROBLEMS: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    404: {"model": Problem, "description": "No such prediction, or one too old to be known"},
    415: {"model": Problem, "description": "Not JSON"},
    422: {"model": Problem, "description": "Not feedback that can be read"},
    503: {"model": Problem, "description": "It could not be kept; send it again"},
}
ERASE_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "No such prediction, or one that has left the log"},
    503: {"model": Problem, "description": "It could not be erased; try again"},
}


class DescribedAPI(FastAPI):
    """FastAPI whose description has the bodies' schemas among the components that it refers to."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            _, schemas = models_json_schema([(each, "validation") for each in REQUESTS], ref_template=COMPONENT)
            super().openapi()["components"]["schemas"].update(schemas["$defs"])
        return self.openapi_schema
