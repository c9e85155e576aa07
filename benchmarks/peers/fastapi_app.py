"""A plain FastAPI handler, as in FastAPI's tutorial. Pillow draws strokes and resizes PNGs, the usual solution."""

import io

from fastapi import FastAPI, Request
from PIL import Image
from pillow_drawing import drawn, smaller
from pydantic import BaseModel
from reader import of_image, read

app = FastAPI()


class Vector(BaseModel):
    image_vector: list[float]


class Strokes(BaseModel):
    strokes: list[list[tuple[float, float]]]


@app.post("/predict")
async def predict(body: Vector) -> dict:
    return read(body.image_vector)


@app.post("/predict/strokes")
async def predict_strokes(body: Strokes) -> dict:
    return of_image(drawn(body.strokes))


@app.post("/predict/png")
async def predict_png(request: Request) -> dict:
    return of_image(smaller(Image.open(io.BytesIO(await request.body())).convert("L")))
