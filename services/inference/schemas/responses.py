"""Responses. Routes return plain JSON for speed; tests validate it against these models, and OpenAPI describes them."""

from typing import Annotated, Any, Literal

from digitnet.images.segment import UNREADABLE
from pydantic import BaseModel, ConfigDict, Field

Digit = Annotated[int, Field(ge=0, le=9)]
Probability = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False, strict=True)]
Box = Annotated[
    list[float],
    Field(min_length=4, max_length=4, description="left, top, width, height, in the pixels or the unit that was sent"),
]
Rows = list[list[float]]  # 28 of 28


class Status(BaseModel):
    status: Literal["ok"]


class Health(BaseModel):
    """Health in the Open Inference Protocol: one of the two."""

    live: bool | None = None
    ready: bool | None = None


class NoDigit(BaseModel):
    """The network's class for images that show no digit."""

    probability: Probability = Field(description="probability that the image shows no digit; 1 for a blank or a dot")
    threshold: Probability = Field(description='a larger probability makes the answer "no digit"')


class Answer(BaseModel):
    digit: Digit | None = Field(description="the predicted digit; null: no digit")
    is_digit: bool = Field(description="false for a blank, a dot, or an image that the network rejects")
    best_guess: Digit | None = Field(description="the likeliest digit, even if is_digit is false; null for a blank or a dot")
    probabilities: list[Probability] = Field(
        min_length=10, max_length=10, description="probability of each digit, given that the image shows one"
    )
    confidence: Probability = Field(description='probability of the answer: of the digit, or of "no digit"')
    no_digit: NoDigit | None = Field(description='null if the network has no class for "no digit"')


class PredictionResponse(Answer):
    Result: Digit | None = Field(description="same as digit, for older clients", deprecated=True)
    model_version: str
    prediction_id: str
    input: Rows | None = Field(None, description="with ?input=true: the network's input, 28 rows of 28")


class ReadDigit(Answer):
    is_digit: bool = Field(description="false for an unreadable mark; beside digits, fewer marks are rejected than by /predict")
    box: Box
    prediction_id: str | None = Field(description="null if the service has not logged it")


class Piece(BaseModel):
    """A part of a line that belongs to one digit: a stroke, a mark, or a part of one between two cuts."""

    box: Box
    is_cut: bool = Field(description="whether the piece begins at a cut")


class Candidate(BaseModel):
    """Neighboring pieces that may be a digit."""

    start: int = Field(description="index of the first piece")
    end: int = Field(description="index after the last piece")
    digit: Digit = Field(description="the likeliest digit")
    score: float = Field(description=f"its log probability; a digit at {UNREADABLE:g} or less is unreadable")


class ReadLine(BaseModel):
    text: str = Field(description='the digits; "?" for an unreadable mark')
    digits: list[ReadDigit] = Field(description="left to right")
    pieces: list[Piece] | None = Field(None, description="with ?candidates=true: left to right")
    candidates: list[Candidate] | None = Field(None, description="with ?candidates=true")
    path: list[int] | None = Field(None, description="with ?candidates=true: indices of the digits' candidates")


class ReadResponse(BaseModel):
    """The numbers of a drawing."""

    text: str = Field(description="all lines, separated by line breaks")
    lines: list[ReadLine] = Field(description="top to bottom; empty for a drawing without ink")
    model_version: str


class Tensor(BaseModel):
    """An array in C order: the last axis varies fastest."""

    shape: list[int]
    float32: str = Field(description="base64 of little-endian float32: np.frombuffer(base64.b64decode(…), '<f4').reshape(shape)")


class Layer(BaseModel):
    name: str = Field(description="conv2d, maxpool2d, relu, dropout, flatten or dense")
    declaration: str | dict[str, Any] = Field(description="the layer with its options, as in the model card")


class LayerActivations(Layer):
    activations: Tensor = Field(description="(channels, height, width), or (features) after flatten")


class Explanation(PredictionResponse):
    input: Rows = Field(description="the network's input, 28 rows of 28, 1 = ink")
    layers: list[LayerActivations] = Field(description="first to last; the activations of the last layer are the logits")
    logits: list[float] = Field(description='one for each digit, and one for "no digit" if the network has that class')
    temperature: float = Field(description="divides the ten digits' logits before the softmax")
    saliency: Rows = Field(description="28 rows of 28: gradient of the likeliest digit's logit with respect to each pixel")
    gradients: Tensor = Field(description="(logits, 28, 28): gradient of every logit with respect to each pixel")
    occlusion: Tensor | None = Field(
        None, description="with ?occlusion=true: how far each logit falls without the ink in 4 x 4 pixels, (logits, 28, 28)"
    )
    number: ReadResponse | None = Field(None, description="with ?number=true: the number; null for a drawing that is none")


class ReceptiveField(BaseModel):
    """A part of the image."""

    top: int
    left: int
    bottom: int = Field(description="exclusive")
    right: int = Field(description="exclusive")


class UnitResponse(BaseModel):
    """One number of a layer's output. In a layer with weights, it is the sum of inputs times weights, plus the bias."""

    model_version: str
    value: float
    inputs: Tensor = Field(description="the inputs that it depends on: (channels, k, k), or (features)")
    weights: Tensor | None = Field(description="in the shape of the inputs; null if the layer has none")
    bias: float | None
    field: ReceptiveField


class LayerStep(Layer):
    """The last training step in one layer. Norms are Euclidean, over weights and biases; 0 for a layer without any."""

    gradient: Tensor = Field(description="gradient of the loss with respect to the layer's output, in the output's shape")
    parameters_norm: float = Field(description="norm of the parameters before the update")
    gradient_norm: float = Field(description="norm of the loss's gradient with respect to the parameters")
    update_norm: float = Field(description="norm of the update: learning rate times gradient_norm")


class GoldenDigit(BaseModel):
    """A golden image of the model, and the answers of the model and its copy."""

    input: Tensor = Field(description="(28, 28)")
    before: Answer
    after: Answer | None = Field(description="null if the copy diverged")


class LearnResponse(BaseModel):
    """The training of the copy. The served model has not changed."""

    model_version: str
    losses: list[float] = Field(description="cross-entropy in nats before the update of each step")
    before: Answer = Field(description="answer of the served model")
    after: Answer | None = Field(description="answer of the copy; null if it diverged")
    diverged: bool = Field(description="true if numbers overflowed; the service skips the remaining steps")
    layers: list[LayerStep] = Field(description="the last step in each layer, first to last; empty without a step")
    known: list[GoldenDigit] = Field(description="golden digits of the model; a changed answer shows what the copy forgot")


class Snapshot(BaseModel):
    """One step of the live model's training. null marks a missing measurement."""

    step: int = Field(description="number of steps taken")
    learning_rate: float | None = Field(description="learning rate of the last step")
    train_loss: float | None = Field(description="mean over the steps since the previous snapshot")
    validation_loss: float | None
    validation_accuracy: Probability
    gradient_norm: list[float | None] = Field(
        description="for each layer: Euclidean norm of its parameters' gradient in that step"
    )
    update_ratio: list[float | None] = Field(description="for each layer: norm of the update divided by norm of the parameters")
    dead_units: list[float | None] = Field(description="for each ReLU: share of channels or units that are zero for every image")
    filters: Tensor = Field(description="weights of the first layer: (filters, k, k), or (units, 28, 28) for a dense layer")
    points: Tensor = Field(description="(m, 2): places of the mapped digits on this snapshot's map")


class SnapshotsResponse(BaseModel):
    model_version: str
    epochs: int | None
    layers: list[str] = Field(description="names of the layers, first to last")
    mapped: list[int] = Field(description="labels of the digits on the maps; similar digits are close together")
    moments: list[Snapshot] = Field(description="snapshots from before the first step to after the last")


class SnapshotPrediction(Answer):
    place: tuple[float, float] = Field(description="place of the drawing on that snapshot's map")


class SnapshotPredictions(BaseModel):
    model_version: str
    readings: list[SnapshotPrediction]


class Message(BaseModel):
    message: str


class CardNetwork(BaseModel):
    layers: list[str | dict[str, Any]] = Field(description="first to last, each a name, or a name with options")
    input_shape: list[int]
    dtype: str
    parameters: int = Field(description="number of weights and biases")


class CardData(BaseModel):
    """The training images."""

    training_pictures: int | None = None
    synthetic_digits: int | None = None
    non_digits: int | None = None
    sha256: str | None = None


class CardTraining(BaseModel):
    finished_at: str | None = Field(None, description="ISO 8601")
    seconds: float | None = None
    epochs: int | None = None
    train_loss: float | None = None
    validation_accuracy: Probability | None = None


class CardTest(BaseModel):
    """Measurements on test digits."""

    accuracy: Probability | None = None
    loss: float | None = None
    errors: int | None = Field(None, description="number of wrong predictions")
    test_pictures: int | None = None
    accuracy_by_digit: dict[str, Probability] | None = None


class ModelCard(BaseModel):
    """A model's measurements, data and recipe. Older models lack some, and newer ones may have more."""

    model_config = ConfigDict(extra="allow")

    version: str
    format: str
    doodle_version: str = Field(description="version of this service")
    network: CardNetwork
    weights_sha256: str
    snapshots_sha256: str | None = Field(None, description="null if the model has no snapshots")
    card_sha256: str | None = None
    temperature: float = Field(1.0, description="divides the ten digits' logits before the softmax")
    no_digit_threshold: Probability = Field(1.0, description='a larger probability of no digit makes the answer "no digit"')
    recipe: dict[str, Any] | None = Field(None, description="options of the training")
    data: CardData | None = None
    training: CardTraining | None = None
    test: CardTest | None = None


class ModelAnswer(Answer):
    model_version: str


class Disagreement(BaseModel):
    """A live drawing for which the candidate predicts another answer."""

    prediction_id: str
    time: float = Field(description="Unix seconds")
    live: ModelAnswer
    candidate: ModelAnswer


class Disagreements(BaseModel):
    disagreements: list[Disagreement] = Field(description="the newest 100 of this replica, oldest first")


class FieldError(BaseModel):
    """An error in one place of the request."""

    detail: str = Field(description="what is wrong there")
    pointer: str | None = Field(None, description="JSON pointer to the field of the body, as a URI fragment: #/strokes/0/1")
    parameter: str | None = Field(None, description="name of the query parameter")


class Problem(BaseModel):
    """An error, as in RFC 9457."""

    type: str = Field(description='"about:blank": the status says it all')
    title: str = Field(description="the status in words")
    status: int
    detail: str = Field(description="what happened, and what to do")
    errors: list[FieldError] = Field(description="up to ten errors in the request; empty for other errors")
    request_id: str = Field(description="as in the header X-Request-ID and in the logs")
