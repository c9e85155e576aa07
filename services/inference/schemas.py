"""What may come in and what goes out, with bounds: the API's contract, and the source of its OpenAPI description."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from stores.journal import NAME_LENGTH

MAX_STROKES = 1_000
MAX_POINTS = 20_000
VECTOR_LENGTH = 784
MAX_LESSONS, MAX_LEARNING_RATE = 50, 10.0
DIGITS_AS_TEXT = tuple("0123456789")

# Older pages send the text of an input field.
FromText = BeforeValidator(lambda value: int(value) if value in DIGITS_AS_TEXT else value)
Digit = Annotated[int, FromText, Field(ge=0, le=9, strict=True)]
Unit = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False, strict=True)]
Coordinate = Annotated[float, Field(ge=-1e5, le=1e5, allow_inf_nan=False, strict=True)]
Length = Annotated[float, Field(gt=0.0, le=1e5, allow_inf_nan=False, strict=True)]
Point = tuple[Coordinate, Coordinate]


class PredictRequest(BaseModel):
    """A drawing: as the pen's strokes, or as the 784 pixels of a 28 x 28 picture, row after row, 1 = ink."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"strokes": [[[140, 40], [140, 240]]], "width": 280, "height": 280, "brush": 20}]}
    )

    image_vector: list[Unit] | None = Field(None, description=f"{VECTOR_LENGTH} numbers from 0 to 1")
    strokes: list[list[Point]] | None = Field(None, max_length=MAX_STROKES, description="each a list of [x, y] points, y down")
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


class Prediction(BaseModel):
    """The answer to a drawing."""

    Result: int = Field(description="the digit, under the name that older clients read", ge=0, le=9)
    digit: int = Field(ge=0, le=9)
    is_digit: bool = Field(
        description="false: nothing was drawn, a dot, or what the network takes for no digit; digit is then only a guess"
    )
    probabilities: list[Unit] = Field(min_length=10, max_length=10, description="of the digits 0 to 9")
    confidence: Unit = Field(description="the probability of digit")
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
        description="28 rows of 28: how the logit of `digit` changes with each pixel of the input"
    )
    gradients: Tensor = Field(description="(logits, 28, 28): the same of every logit")
    occlusion: Tensor | None = Field(
        None, description="(logits, 28, 28), with ?occlusion=true: by how much each logit falls where 4 x 4 pixels lose their ink"
    )


class Lesson(BaseModel):
    """One step of gradient descent on the drawing."""

    model_config = ConfigDict(extra="forbid")

    label: Annotated[int, Field(ge=0, le=9, strict=True)] | None = Field(description="what it is said to be; null: no digit")
    learning_rate: Annotated[float, Field(gt=0.0, le=MAX_LEARNING_RATE, allow_inf_nan=False)]


class LearnRequest(PredictRequest):
    """A drawing as for /predict, and the lessons on it that are given to a copy of the network."""

    lessons: list[Lesson] = Field(max_length=MAX_LESSONS, description="one after the other, from the model as it is served")


class PupilReading(BaseModel):
    """What the network, or its copy, makes of the drawing."""

    digit: int = Field(ge=0, le=9)
    is_digit: bool
    probabilities: list[Unit] = Field(min_length=10, max_length=10)


class LayerStep(BaseModel):
    """What the last lesson did to a layer. Norms are Euclidean, over its weights and biases; 0 where it has none."""

    name: str
    declaration: str | dict[str, Any]
    gradient: Tensor = Field(description="of the loss, with respect to what the layer gave out, in the shape of that")
    parameters_norm: float = Field(description="before the update")
    gradient_norm: float
    update_norm: float = Field(description="learning rate times gradient_norm: how far the parameters moved")


class Learnt(BaseModel):
    """How the copy fared. The served model has not changed."""

    model_version: str
    losses: list[float] = Field(description="for each lesson, before its update: cross-entropy, in natural units")
    before: PupilReading
    after: PupilReading | None = Field(description="null where it diverged")
    diverged: bool = Field(description="numbers grew beyond all bounds; what lessons were left were not given")
    layers: list[LayerStep] = Field(description="of the last lesson, first to last; empty where there was none")


class FeedbackRequest(BaseModel):
    """What a drawing really was: of a prediction that was answered, by its id, or of the pixels that older clients send."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"prediction_id": "7b88140edcad49edb1cb4c9d8bc19318", "actual_digit": 5}]}
    )

    actual_digit: Digit | None = Field(description="null: it was no digit")
    prediction_id: str | None = Field(None, min_length=1, max_length=NAME_LENGTH, description="from the answer to /predict")
    image_vector: list[Unit] | None = Field(None, description=f"{VECTOR_LENGTH} numbers from 0 to 1, instead of the id")
    predicted_digit: Digit | None = Field(None, description="what was answered, beside image_vector")

    @model_validator(mode="after")
    def _one_drawing(self) -> Self:
        if (self.prediction_id is None) == (self.image_vector is None):
            raise ValueError('send either "prediction_id" or "image_vector"')
        return self


class FeedbackReceived(BaseModel):
    message: str = "Feedback received, thank you!"


class ModelReading(BaseModel):
    """What one model made of a drawing."""

    model_version: str
    digit: int = Field(ge=0, le=9)
    is_digit: bool
    confidence: Unit


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
    """What is wrong with a request, in one line: where, and what it should have been. As pydantic lists it."""
    place = ".".join(str(step) for step in errors[0]["loc"])
    message = errors[0]["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
