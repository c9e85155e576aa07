"""A client that openapi-python-client generates from the description works without changes."""

import importlib
import io
import sys
from pathlib import Path

import numpy as np
import pytest
from pngs import png_of

NAME = "doodle_client"


@pytest.fixture
def generated(service, tmp_path, monkeypatch):
    """generated(module): import a module of the generated client."""
    generator = pytest.importorskip("openapi_python_client")
    config = importlib.import_module("openapi_python_client.config")
    (tmp_path / "openapi.json").write_text(service.get("/openapi.json").text)
    options = config.Config.from_sources(
        config.ConfigFile(post_hooks=[]), config.MetaType.NONE, Path(tmp_path / "openapi.json"), "utf-8", True, tmp_path / NAME
    )
    warnings = generator.generate(config=options)
    assert {each.detail for each in warnings} <= {f"Unsupported content type image/{form}" for form in ("png", "jpeg", "webp")}
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda module: importlib.import_module(f"{NAME}.{module}")
    for module in [each for each in sys.modules if each.partition(".")[0] == NAME]:
        del sys.modules[module]


def test_generated_client_predicts_explains_and_gives_feedback(service, generated, strokes):
    models, types = generated("models"), generated("types")
    client = generated("client").Client(base_url=str(service.client.base_url)).set_httpx_client(service.client)

    def call(tag, operation, **arguments):
        return generated(f"api.{tag}.{operation}").sync(client=client, **arguments)

    predicted = call("predictions", "predict", body=models.PredictStrokes(strokes=strokes))
    assert isinstance(predicted, models.PredictionResponse)
    file = types.File(payload=io.BytesIO(png_of(np.pad(np.full((40, 5), 255, np.uint8), (8, 26)))))
    assert call("predictions", "predict", body=file).is_digit
    changed = models.ExplainStrokes(strokes=strokes, changes=[models.Change(layer=0, unit=0)])
    assert len(call("inspection", "explain", body=changed).layers) > 1
    trained = models.LearnStrokes(strokes=strokes, lessons=[models.TrainingStep(label=3, learning_rate=0.01)])
    assert len(call("inspection", "learn", body=trained).losses) == 1
    unit = models.UnitVector(image_vector=[0.5] * 784, layer=4, place=[3])
    assert len(call("inspection", "inspect_unit", body=unit).inputs.shape) == 1
    said = models.FeedbackById(prediction_id=predicted.prediction_id, actual_digit=3)
    assert call("feedback", "give_feedback", body=said).message
    again = models.PredictionFeedback(actual_digit=None)
    assert call("feedback", "set_feedback", prediction_id=predicted.prediction_id, body=again).message
    assert call("models", "get_model").version == predicted.model_version
    problem = call("predictions", "predict", body=models.PredictVector(image_vector=[0.5]))
    assert (problem.status, problem.errors[0].pointer) == (400, "#/image_vector")
