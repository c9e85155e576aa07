"""What may come in and what goes out, with bounds: the API's contract, and the source of its OpenAPI description."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from stores.prediction_log.base import NAME_LENGTH

MAX_STROKES = 1_000
MAX_POINTS = 20_000
VECTOR_LENGTH = 784
MAX_LESSONS, MAX_LEARNING_RATE = 50, 10.0
MAX_CHANGES = 200
# Of a whole body. pydantic makes an object of each value, and an error of each unknown field.
MAX_VALUES = 65_536  # 20,000 points in 1,000 strokes have 61,000 brackets and commas
MAX_FIELDS = 1_000  # 200 changes have 800
DIGITS_AS_TEXT = tuple("0123456789")

# Older pages send the text of an input field.
FromText = BeforeValidator(lambda value: int(value) if value in DIGITS_AS_TEXT else value)
# To JSON Schema, and to languages that have no integers, 5.0 is one.
Whole = BeforeValidator(lambda value: int(value) if isinstance(value, float) and value.is_integer() else value)
DIGIT = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 9}, {"enum": list(DIGITS_AS_TEXT)}]}
Digit = Annotated[int, FromText, Whole, Field(ge=0, le=9, strict=True), WithJsonSchema(DIGIT)]
Label = Annotated[int, Field(ge=0, le=9, strict=True), Whole]
Unit = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False, strict=True)]
Coordinate = Annotated[float, Field(ge=-1e5, le=1e5, allow_inf_nan=False, strict=True)]
Length = Annotated[float, Field(gt=0.0, le=1e5, allow_inf_nan=False, strict=True)]
# fail_fast: pydantic keeps a kilobyte for each error, and a body has room for 500,000 of them.
Point = Annotated[tuple[Coordinate, Coordinate], Field(fail_fast=True)]
Stroke = Annotated[list[Point], Field(max_length=MAX_POINTS, fail_fast=True)]
Weight = Annotated[float, Field(ge=-1e3, le=1e3, allow_inf_nan=False)]
Index = Annotated[int, Field(ge=0, strict=True), Whole]
# Other lengths are rejected where the pixels are read, with a status of their own.
Vector = Annotated[list[Unit], Field(fail_fast=True, json_schema_extra={"minItems": VECTOR_LENGTH, "maxItems": VECTOR_LENGTH})]


def _either(one: str, other: str, **extra) -> ConfigDict:
    """In the description: one of these two fields is there, and the other is not, or null."""

    def only(name, absent):
        return {"required": [name], "properties": {name: {"not": {"type": "null"}}, absent: {"type": "null"}}}

    return ConfigDict(json_schema_extra={"oneOf": [only(one, other), only(other, one)]} | extra)


class PredictRequest(BaseModel):
    """A drawing: as the pen's strokes, or as the 784 pixels of a 28 x 28 image, row after row, 1 = ink."""

    model_config = _either(
        "strokes",
        "image_vector",
        examples=[{"strokes": [[[140, 40], [140, 240]]], "width": 280, "height": 280, "brush": 20}],
    )

    image_vector: Vector | None = Field(None, description=f"{VECTOR_LENGTH} numbers from 0 to 1")
    strokes: Annotated[list[Stroke], Field(max_length=MAX_STROKES, fail_fast=True)] | None = Field(
        None, description="each a list of [x, y] points, y down"
    )
    width: Length = Field(280.0, description="of the canvas, in the points' unit")
    height: Length = Field(280.0, description="of the canvas, in the points' unit")
    brush: Length = Field(20.0, description="width of the pen, in the points' unit")

    @property
    def form(self) -> str:
        """Which of the two it is."""
        return "strokes" if self.image_vector is None else "image_vector"

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.image_vector is None) == (self.strokes is None):
            raise ValueError('send either "image_vector" or "strokes"')
        if self.strokes is not None and sum(map(len, self.strokes)) > MAX_POINTS:
            raise ValueError(f"a drawing may have at most {MAX_POINTS} points")
        return self


class Change(BaseModel):
    """A parameter of the network that shall have another value; with neither weight nor value, a unit that is switched off."""

    model_config = ConfigDict(extra="forbid")

    layer: Index = Field(description="counted from 0, as `layers` of the answer has them")
    unit: Index = Field(description="of a convolution a filter")
    weight: Index | Literal["bias"] | None = Field(None, description="which of the unit's; null: all of them and the bias")
    value: Weight = 0.0


class ExplainRequest(PredictRequest):
    """A drawing as for /predict, and what is different in the copy of the network that reads it."""

    changes: list[Change] = Field([], max_length=MAX_CHANGES, fail_fast=True, description="one after the other")


class UnitRequest(ExplainRequest):
    """A drawing, and the unit to look at."""

    layer: Index = Field(description="counted from 0")
    place: list[Index] = Field(
        min_length=1,
        max_length=3,
        fail_fast=True,
        description="[channel, row, column] of the layer's output, or [feature] after flatten",
    )


class NoDigit(BaseModel):
    """The network's class for images that show no digit."""

    probability: Unit = Field(description="that the image shows no digit; 1 for a blank or a dot")
    threshold: Unit = Field(description='above it the answer is "no digit"')


class Answer(BaseModel):
    """A network's answer to one image."""

    digit: Label | None = Field(description="null: no digit")
    is_digit: bool = Field(description="false: a blank, a dot, or an image that the network takes for no digit")
    best_guess: Label | None = Field(description="the likeliest digit, also when is_digit is false; null for a blank or a dot")
    probabilities: list[Unit] = Field(
        min_length=10, max_length=10, description="of the digits 0 to 9, given that the image shows a digit"
    )
    confidence: Unit = Field(description='the probability of the answer: of the digit, or of "no digit"')
    no_digit: NoDigit | None = Field(description="null: the network has no class for that")


class Prediction(Answer):
    """The answer to a drawing."""

    Result: Label | None = Field(description="digit, under the name that older clients read")
    model_version: str
    prediction_id: str
    input: list[list[Unit]] | None = Field(None, description="with ?input=true: the 28 x 28 picture as the network read it")


class Tensor(BaseModel):
    """Numbers in the order of C: the last axis varies fastest."""

    shape: list[int]
    float32: str = Field(description="base64 of little-endian float32: np.frombuffer(base64.b64decode(…), '<f4').reshape(shape)")


class LayerActivations(BaseModel):
    """What a layer made of what the one before it said."""

    name: str = Field(description="conv2d, maxpool2d, relu, dropout, flatten or dense")
    declaration: str | dict[str, Any] = Field(description="with its options, as in the model card")
    activations: Tensor = Field(description="(channels, height, width), or (features) after flatten")


class Explanation(Prediction):
    """How the network came to its answer."""

    input: list[list[float]] = Field(description="28 rows of 28: the picture as the network read it, 1 is ink")
    layers: list[LayerActivations] = Field(description="first to last; the last one's are the logits")
    logits: list[float] = Field(description="of the ten digits, and of no digit where the network has a class for that")
    temperature: float = Field(description="probabilities are the softmax of the ten digits' logits divided by this")
    saliency: list[list[float]] = Field(
        description="28 rows of 28: how the likeliest digit's logit changes with each pixel of the input"
    )
    gradients: Tensor = Field(description="(logits, 28, 28): the same of every logit")
    occlusion: Tensor | None = Field(
        None, description="(logits, 28, 28), with ?occlusion=true: by how much each logit falls where 4 x 4 pixels lose their ink"
    )


class ReceptiveField(BaseModel):
    """A part of the image: rows from top to before bottom, columns from left to before right."""

    top: int
    left: int
    bottom: int
    right: int


class UnitSeen(BaseModel):
    """How one number came about: inputs times weights, summed, and the bias."""

    model_version: str
    value: float
    inputs: Tensor = Field(description="what of the layer before it looks at: (channels, k, k), or (features)")
    weights: Tensor | None = Field(description="in the same shape; null where the layer has none")
    bias: float | None
    field: ReceptiveField = Field(description="what of the picture can reach it")


class TrainingStep(BaseModel):
    """One step of gradient descent on the drawing."""

    model_config = ConfigDict(extra="forbid")

    label: Label | None = Field(description="what it is said to be; null: no digit")
    learning_rate: Annotated[float, Field(gt=0.0, le=MAX_LEARNING_RATE, allow_inf_nan=False)]


class LearnRequest(PredictRequest):
    """A drawing as for /predict, and the lessons on it that are given to a copy of the network."""

    lessons: list[TrainingStep] = Field(
        max_length=MAX_LESSONS, fail_fast=True, description="one after the other, from the model as it is served"
    )


class LayerStep(BaseModel):
    """What the last lesson did to a layer. Norms are Euclidean, over its weights and biases; 0 where it has none."""

    name: str
    declaration: str | dict[str, Any]
    gradient: Tensor = Field(description="of the loss, with respect to what the layer gave out, in the shape of that")
    parameters_norm: float = Field(description="before the update")
    gradient_norm: float
    update_norm: float = Field(description="learning rate times gradient_norm: how far the parameters moved")


class KnownDigit(BaseModel):
    """An image that the model carries, and what the network and its copy make of it."""

    input: Tensor = Field(description="(28, 28)")
    before: Answer
    after: Answer | None = Field(description="null where the copy diverged")


class Moment(BaseModel):
    """A moment of the live model's training. null: nothing to measure then, or in that layer."""

    step: int = Field(description="so many steps were taken")
    learning_rate: float | None = Field(description="of the step just taken")
    train_loss: float | None = Field(description="the mean over the steps since the moment before")
    validation_loss: float | None
    validation_accuracy: Unit
    gradient_norm: list[float | None] = Field(description="of each layer's weights and biases, in the step just taken; Euclidean")
    update_ratio: list[float | None] = Field(
        description="of each layer: how far that step moved its parameters, to their own norm"
    )
    dead_units: list[float | None] = Field(description="of each ReLU: the share of its channels or units that nothing wakes")
    filters: Tensor = Field(description="the first layer's weights: (filters, k, k), or (units, 28, 28) where it is dense")
    points: Tensor = Field(description="(m, 2): where the mapped digits are on this moment's map")


class Snapshots(BaseModel):
    """How the live model learnt."""

    model_version: str
    epochs: int | None
    layers: list[str] = Field(description="their names, first to last")
    mapped: list[int] = Field(
        description="the labels of the digits on the maps: near each other where the network saw them alike"
    )
    moments: list[Moment] = Field(description="from before the first step to after the last")


class SnapshotReading(Answer):
    """The network's answer to a drawing at a moment of its training."""

    place: tuple[float, float] = Field(description="on that moment's map")


class SnapshotReadings(BaseModel):
    """The same at each moment."""

    model_version: str
    readings: list[SnapshotReading]


class Learnt(BaseModel):
    """How the copy fared. The served model has not changed."""

    model_version: str
    losses: list[float] = Field(description="for each lesson, before its update: cross-entropy, in natural units")
    before: Answer
    after: Answer | None = Field(description="null where it diverged")
    diverged: bool = Field(description="numbers grew beyond all bounds; what lessons were left were not given")
    layers: list[LayerStep] = Field(description="of the last lesson, first to last; empty where there was none")
    known: list[KnownDigit] = Field(description="digits that the model carries: what the copy makes of them shows what it forgot")


class FeedbackRequest(BaseModel):
    """What a drawing really was: of a prediction that was answered, by its id, or of the pixels that older clients send."""

    model_config = _either(
        "prediction_id",
        "image_vector",
        examples=[{"prediction_id": "7b88140edcad49edb1cb4c9d8bc19318", "actual_digit": 5}],
    )

    actual_digit: Digit | None = Field(description="null: it was no digit")
    prediction_id: str | None = Field(None, min_length=1, max_length=NAME_LENGTH, description="from the answer to /predict")
    image_vector: Vector | None = Field(None, description=f"{VECTOR_LENGTH} numbers from 0 to 1, instead of the id")
    predicted_digit: Digit | None = Field(None, description="what was answered, beside image_vector")

    @model_validator(mode="after")
    def _one_drawing(self) -> Self:
        if (self.prediction_id is None) == (self.image_vector is None):
            raise ValueError('send either "prediction_id" or "image_vector"')
        return self


class FeedbackReceived(BaseModel):
    message: str = "Feedback received, thank you!"


class Erased(BaseModel):
    message: str = "The drawing and all feedback on it are erased."


class ModelReading(Answer):
    """One model's answer to a drawing."""

    model_version: str


class Disagreement(BaseModel):
    """A live drawing that the candidate read otherwise."""

    prediction_id: str
    time: float = Field(description="Unix seconds")
    live: ModelReading
    candidate: ModelReading


class Disagreements(BaseModel):
    disagreements: list[Disagreement] = Field(description="the newest hundred that this replica has seen, oldest first")


class Status(BaseModel):
    status: str = "ok"


class Problem(BaseModel):
    detail: str


ModelCard = dict[str, Any]  # as artifacts/model/model.json, which digitnet.checkpoint describes


def first_problem(errors: Sequence[Mapping[str, Any]]) -> str:
    """Return the first error of a request in one line: its place and its reason. `errors` are pydantic's."""
    place = ".".join(str(step) for step in errors[0]["loc"])
    message = errors[0]["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
