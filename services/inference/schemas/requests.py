"""Request bodies and their limits."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from digitnet.images.normalize import IMAGE_SIDE
from digitnet.images.strokes import DEFAULT_BRUSH
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from stores.prediction_log.base import NAME_LENGTH

MAX_STROKES = 1_000
MAX_POINTS = 20_000
MAX_STEPS, MAX_LEARNING_RATE = 50, 10.0
MAX_CHANGES = 200
# Limits for a whole body, since pydantic creates an object for each value and an error for each unknown field.
MAX_VALUES = 65_536  # Enough for 20,000 points in 1,000 strokes, with 61,000 brackets and commas.
MAX_FIELDS = 1_000  # Enough for 200 changes, with 800.
PIXELS = IMAGE_SIDE**2
ROUNDING = 0.001  # Numbers this far below 0 or above 1 come from rounding or resampling.
BESIDE_IMAGE = "beside an image"  # the validation context of the fields beside an image file
DIGITS_AS_TEXT = tuple("0123456789")

# Older clients send the text of an input field.
FromText = BeforeValidator(lambda value: int(value) if value in DIGITS_AS_TEXT else value)
# JSON Schema, and languages without integers, accept 5.0 as one.
Whole = BeforeValidator(lambda value: int(value) if isinstance(value, float) and value.is_integer() else value)
DIGIT = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 9}, {"enum": list(DIGITS_AS_TEXT)}]}
Digit = Annotated[int, FromText, Whole, Field(ge=0, le=9, strict=True), WithJsonSchema(DIGIT)]
Label = Annotated[int, Field(ge=0, le=9, strict=True), Whole]
Pixel = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Coordinate = Annotated[float, Field(ge=-1e5, le=1e5, allow_inf_nan=False, strict=True)]
Length = Annotated[float, Field(gt=0.0, le=1e5, allow_inf_nan=False, strict=True)]
# fail_fast, because pydantic keeps a kilobyte for each error, and a body has room for 500,000 of them.
Point = Annotated[tuple[Coordinate, Coordinate], Field(fail_fast=True)]
Stroke = Annotated[list[Point], Field(max_length=MAX_POINTS, fail_fast=True)]
Weight = Annotated[float, Field(ge=-1e3, le=1e3, allow_inf_nan=False)]
Index = Annotated[int, Field(ge=0, strict=True), Whole]


def _flat(value: object) -> object:
    """Return 28 numbers a row as one list. Other values stay, and fail later."""
    if isinstance(value, list) and value and all(isinstance(row, list) and len(row) == IMAGE_SIDE for row in value):
        return [number for row in value for number in row]
    return value


def _in_unit_range(numbers: list[float]) -> list[float]:
    lowest, highest = min(numbers, default=0.0), max(numbers, default=0.0)
    if lowest < -ROUNDING or highest > 1.0 + ROUNDING:
        wrong = lowest if lowest < -ROUNDING else highest
        advice = "divide all by 255" if lowest >= 0.0 and 2.0 <= highest <= 255.0 else "scale all"
        raise ValueError(f"the numbers must be from 0 to 1, not {wrong:g}: {advice}")
    return [min(max(number, 0.0), 1.0) for number in numbers] if lowest < 0.0 or highest > 1.0 else numbers


NUMBER = {"type": "number", "minimum": -ROUNDING, "maximum": 1.0 + ROUNDING}
ROW = {"type": "array", "items": NUMBER, "minItems": IMAGE_SIDE, "maxItems": IMAGE_SIDE}
VECTOR = {
    "anyOf": [
        {"type": "array", "items": NUMBER, "minItems": PIXELS, "maxItems": PIXELS},
        {"type": "array", "items": ROW, "minItems": IMAGE_SIDE, "maxItems": IMAGE_SIDE},
    ]
}
# digitnet.images checks the length, because the API answers another status (400) for a wrong one.
Vector = Annotated[
    list[Pixel], Field(fail_fast=True), BeforeValidator(_flat), AfterValidator(_in_unit_range), WithJsonSchema(VECTOR)
]


class Form(NamedTuple):
    """One of the alternative forms of a body, for its description."""

    field: str  # which it requires
    absent: tuple[str, ...]  # fields of other forms; null is accepted, since clients may send all fields


class Body(BaseModel):
    """A request body. The API rejects unknown fields, because most are misspelled."""

    model_config = ConfigDict(extra="forbid")


class PredictRequest(Body):
    """A drawing: pen strokes, or the 784 pixels of a 28 x 28 image, row by row, 1 = ink."""

    forms: ClassVar[Mapping[str, Form]] = {
        "Strokes": Form("strokes", ("image_vector",)),
        "Vector": Form("image_vector", ("strokes", "width", "height", "brush")),
    }

    image_vector: Vector | None = Field(None, description=f"{PIXELS} numbers from 0 to 1, or 28 rows of 28")
    strokes: Annotated[list[Stroke], Field(max_length=MAX_STROKES, fail_fast=True)] | None = Field(
        None, description="each stroke is a list of [x, y] points; y points down", examples=[[[[140, 40], [140, 240]]]]
    )
    width: Length = Field(280.0, description="width of the canvas, in the unit of the points")
    height: Length = Field(280.0, description="height of the canvas, in the unit of the points")
    brush: Length = Field(DEFAULT_BRUSH, description="width of the pen, in the unit of the points")

    @model_validator(mode="after")
    def _one_form(self, info: ValidationInfo) -> Self:
        if info.context == BESIDE_IMAGE:
            if self.image_vector is not None or self.strokes is not None:
                raise ValueError('the body is the drawing: leave out "strokes" and "image_vector"')
            return self
        if (self.image_vector is None) == (self.strokes is None):
            raise ValueError('send either "image_vector" or "strokes"')
        if self.strokes is not None and sum(map(len, self.strokes)) > MAX_POINTS:
            raise ValueError(f"a drawing may have at most {MAX_POINTS} points")
        return self


class Change(Body):
    """An edit of a copy of the network: a new value for one parameter, or, without weight and value, a unit switched off."""

    layer: Index = Field(description="index in `layers` of the answer, from 0")
    unit: Index = Field(description="index of the unit, or of a convolution's filter, from 0")
    weight: Index | Literal["bias"] | None = Field(
        None, description='index of the weight in the unit, from 0, or "bias"; null: all weights and the bias'
    )
    value: Weight = Field(0.0, description="the new value")


class ExplainRequest(PredictRequest):
    """A drawing as for /predict, and the edits of the copy of the network that predicts it."""

    changes: list[Change] = Field([], max_length=MAX_CHANGES, fail_fast=True, description="edits, applied in this order")


class UnitRequest(ExplainRequest):
    layer: Index = Field(description="index of the layer, from 0")
    place: list[Index] = Field(
        min_length=1,
        max_length=3,
        fail_fast=True,
        description="[channel, row, column] of the layer's output, or [feature] after flatten",
    )


class TrainingStep(Body):
    label: Label | None = Field(description="the drawing's label; null: no digit")
    learning_rate: Annotated[float, Field(gt=0.0, le=MAX_LEARNING_RATE, allow_inf_nan=False)]


class LearnRequest(PredictRequest):
    """A drawing as for /predict, and the training steps for a copy of the network."""

    lessons: list[TrainingStep] = Field(
        max_length=MAX_STEPS, fail_fast=True, description="training steps, in this order, starting from the served model"
    )


class FeedbackRequest(Body):
    """The true digit of a drawing. The request names a prediction by its id, or, from older clients, has the pixels."""

    forms: ClassVar[Mapping[str, Form]] = {
        "ById": Form("prediction_id", ("image_vector", "predicted_digit")),
        "ByVector": Form("image_vector", ("prediction_id",)),
    }

    actual_digit: Digit | None = Field(description="the true digit; null: no digit")
    prediction_id: str | None = Field(
        None,
        min_length=1,
        max_length=NAME_LENGTH,
        description="from the answer of /predict",
        examples=["7b88140edcad49edb1cb4c9d8bc19318"],
    )
    image_vector: Vector | None = Field(None, description=f"{PIXELS} numbers from 0 to 1, instead of prediction_id")
    predicted_digit: Digit | None = Field(None, description="the predicted digit, with image_vector only")

    @model_validator(mode="after")
    def _one_drawing(self) -> Self:
        if (self.prediction_id is None) == (self.image_vector is None):
            raise ValueError('send either "prediction_id" or "image_vector"')
        return self


class PredictionFeedback(Body):
    """The true digit of a prediction."""

    actual_digit: Digit | None = Field(description="the true digit; null: no digit")
