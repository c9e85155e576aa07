"""reader.py as an MLServer runtime."""

from digitnet.decision import Decision
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from reader import NETWORK


class Digits(MLModel):
    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        images = NumpyCodec.decode_input(payload.inputs[0]).reshape(-1, 28, 28)
        probabilities = Decision().probabilities(NETWORK.predict_logits(images))
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("probabilities", probabilities)])
