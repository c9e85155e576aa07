"""reader.py as a BentoML service."""

import bentoml
from reader import read


@bentoml.service(workers=1)
class Digits:
    @bentoml.api
    def predict(self, image_vector: list[float]) -> dict:
        return read(image_vector)
