"""Responses. The routes return JSON that fits them; tests validate it, OpenAPI describes it."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

Digit = Annotated[int, Field(ge=0, le=9)]
Probability = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False, strict=True)]
Rows = list[list[float]]  # 28 of 28
Status = dict[str, str]  # {"status": "ok"}
ModelCard = dict[str, Any]  # as artifacts/model/model.json, which digitnet.checkpoint describes


class NoDigit(BaseModel):
    """The network's class for images that show no digit."""

    probability: Probability = Field(description="that the image shows no digit; 1 for a blank or a dot")
    threshold: Probability = Field(description='above it the answer is "no digit"')


class Answer(BaseModel):
    digit: Digit | None = Field(description="null: no digit")
    is_digit: bool = Field(description="false: a blank, a dot, or an image that the network takes for no digit")
    best_guess: Digit | None = Field(description="the likeliest digit, also when is_digit is false; null for a blank or a dot")
    probabilities: list[Probability] = Field(min_length=10, max_length=10, description="of the digits, if it shows one")
    confidence: Probability = Field(description='the probability of the answer: of the digit, or of "no digit"')
    no_digit: NoDigit | None = Field(description="null: the network has no class for that")


class PredictionResponse(Answer):
    Result: Digit | None = Field(description="digit, under the name that older clients read")
    model_version: str
    prediction_id: str
    input: Rows | None = Field(None, description="with ?input=true: the 28 x 28 image that the network read")


class Tensor(BaseModel):
    """Numbers in the order of C: the last axis varies fastest."""

    shape: list[int]
    float32: str = Field(description="base64 of little-endian float32: np.frombuffer(base64.b64decode(…), '<f4').reshape(shape)")


class Layer(BaseModel):
    name: str = Field(description="conv2d, maxpool2d, relu, dropout, flatten or dense")
    declaration: str | dict[str, Any] = Field(description="with its options, as in the model card")


class LayerActivations(Layer):
    activations: Tensor = Field(description="(channels, height, width), or (features) after flatten")


class Explanation(PredictionResponse):
    input: Rows = Field(description="28 rows of 28: the image that the network read, 1 is ink")
    layers: list[LayerActivations] = Field(description="first to last; the last one's are the logits")
    logits: list[float] = Field(description="of the ten digits, and of no digit where the network has a class for that")
    temperature: float = Field(description="probabilities are the softmax of the ten digits' logits divided by this")
    saliency: Rows = Field(description="28 rows of 28: how the likeliest digit's logit changes with each pixel")
    gradients: Tensor = Field(description="(logits, 28, 28): the same of every logit")
    occlusion: Tensor | None = Field(
        None, description="with ?occlusion=true: each logit's fall where 4 x 4 pixels lose their ink"
    )


class UnitResponse(BaseModel):
    """One number of a layer: inputs times weights, summed, plus the bias."""

    model_version: str
    value: float
    inputs: Tensor = Field(description="its part of the layer before: (channels, k, k), or (features)")
    weights: Tensor | None = Field(description="in the same shape; null where the layer has none")
    bias: float | None
    field: dict[str, int] = Field(description="top and left to before bottom and right: the part of the image that can change it")


class LayerStep(Layer):
    """The effect of the last training step on a layer. Norms are Euclidean, over its weights and biases; 0 without any."""

    gradient: Tensor = Field(description="of the loss, with respect to the layer's output, in its shape")
    parameters_norm: float = Field(description="before the update")
    gradient_norm: float
    update_norm: float = Field(description="learning rate times gradient_norm: how far the parameters moved")


class GoldenDigit(BaseModel):
    """An image that the model carries, and the answers of the network and its copy."""

    input: Tensor = Field(description="(28, 28)")
    before: Answer
    after: Answer | None = Field(description="null where the copy diverged")


class LearnResponse(BaseModel):
    """The training of the copy. The served model has not changed."""

    model_version: str
    losses: list[float] = Field(description="for each step, before its update: cross-entropy, in natural units")
    before: Answer
    after: Answer | None = Field(description="null where it diverged")
    diverged: bool = Field(description="numbers grew beyond all bounds; the steps that were left did not run")
    layers: list[LayerStep] = Field(description="of the last step, first to last; empty where there was none")
    known: list[GoldenDigit] = Field(description="digits that the model carries: the copy's answers show what it forgot")


class Snapshot(BaseModel):
    """A step of the live model's training. null: nothing to measure then, or in that layer."""

    step: int = Field(description="how many steps were taken")
    learning_rate: float | None = Field(description="of the step just taken")
    train_loss: float | None = Field(description="the mean over the steps since the snapshot before")
    validation_loss: float | None
    validation_accuracy: Probability
    gradient_norm: list[float | None] = Field(description="of each layer's weights and biases, in the step just taken; Euclidean")
    update_ratio: list[float | None] = Field(description="of each layer: the norm of that step to its parameters' norm")
    dead_units: list[float | None] = Field(description="of each ReLU: the share of its channels or units that nothing wakes")
    filters: Tensor = Field(description="the first layer's weights: (filters, k, k), or (units, 28, 28) where it is dense")
    points: Tensor = Field(description="(m, 2): where the mapped digits are on this snapshot's map")


class SnapshotsResponse(BaseModel):
    model_version: str
    epochs: int | None
    layers: list[str] = Field(description="their names, first to last")
    mapped: list[int] = Field(description="labels of the digits on the maps: near each other where the network saw them alike")
    moments: list[Snapshot] = Field(description="from before the first step to after the last")


class SnapshotPrediction(Answer):
    place: tuple[float, float] = Field(description="on that snapshot's map")


class SnapshotPredictions(BaseModel):
    model_version: str
    readings: list[SnapshotPrediction]


class Message(BaseModel):
    message: str


class ModelAnswer(Answer):
    model_version: str


class Disagreement(BaseModel):
    """A live drawing that the candidate reads otherwise."""

    prediction_id: str
    time: float = Field(description="Unix seconds")
    live: ModelAnswer
    candidate: ModelAnswer


class Disagreements(BaseModel):
    disagreements: list[Disagreement] = Field(description="the newest hundred that this replica has seen, oldest first")


class Problem(BaseModel):
    detail: str
