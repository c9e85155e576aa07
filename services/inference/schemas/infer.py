"""Open Inference Protocol v2: its requests and responses, as far as one model with one input needs them."""

from typing import Annotated, Any, Literal

from digitnet.images.normalize import IMAGE_SIDE
from pydantic import BaseModel, ConfigDict, Field

MODEL, INPUT = "doodle", "images"
MAX_IMAGES = 256
Datatype = Literal["FP32", "UINT8"]
Size = Annotated[int, Field(ge=1, strict=True)]
Parameters = dict[str, Any]  # the protocol leaves them open; only binary_data_size matters here


class InferInput(BaseModel):
    """Images: FP32 from 0 to 1, or UINT8, 1 or 255 = ink."""

    model_config = ConfigDict(extra="forbid")

    name: str
    shape: list[Size] = Field(
        min_length=2, max_length=4, description="[n, 28, 28], or the same numbers as [n, 784] or [n, 1, 28, 28]"
    )
    datatype: Datatype
    data: list[Any] | None = Field(None, description="the numbers, flat or nested; null with the binary extension")
    parameters: Parameters = Field({}, description="binary_data_size: bytes of this tensor after the JSON")


class InferOutput(BaseModel):
    """A requested output. The answer is always JSON."""

    name: str
    parameters: Parameters = {}


class InferRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"inputs": [{"name": INPUT, "shape": [1, 28, 28], "datatype": "UINT8", "data": [0] * IMAGE_SIDE**2}]}]
        },
    )

    id: str | None = Field(None, max_length=200, description="returned in the answer")
    inputs: list[InferInput] = Field(min_length=1, max_length=1)
    outputs: list[InferOutput] | None = Field(None, max_length=10, description="default: all")
    parameters: Parameters = {}


class TensorMetadata(BaseModel):
    name: str
    datatype: str
    shape: list[int] = Field(description="-1: any size")


class OutputTensor(BaseModel):
    name: str
    datatype: str
    shape: list[int]
    data: list[float] | list[int] = Field(description="flat, row by row")


class InferResponse(BaseModel):
    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[OutputTensor]


class ServerMetadata(BaseModel):
    name: str
    version: str
    extensions: list[str]


class ModelMetadata(BaseModel):
    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


INPUTS = [TensorMetadata(name=INPUT, datatype="FP32", shape=[-1, IMAGE_SIDE, IMAGE_SIDE])]
OUTPUTS = [
    TensorMetadata(name="probabilities", datatype="FP32", shape=[-1, 10]),
    TensorMetadata(name="label", datatype="INT64", shape=[-1]),
    TensorMetadata(name="no_digit", datatype="FP32", shape=[-1]),
]
