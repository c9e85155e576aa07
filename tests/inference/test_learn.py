"""POST /learn trains a copy of the model; the served model stays unchanged."""

import numpy as np
import pytest
from digitnet.decision import Decision
from digitnet.images.normalize import in_unit_range
from digitnet.inspect.training_steps import TrainingStep, train_on_image
from digitnet.network import NO_DIGIT
from inference.schemas.requests import MAX_STEPS
from inference.schemas.responses import LearnResponse
from stores.models.folder import FolderModels

LAYERS = ["flatten", {"dense": {"units": 12}}, "relu", {"dense": {"units": 11}}]
ABOUT = {"temperature": 1.5, "no_digit_threshold": 0.9}
STEP = {"label": 3, "learning_rate": 0.02}


@pytest.fixture(scope="module")
def models(tmp_path_factory, publish_model):
    models = FolderModels(tmp_path_factory.mktemp("learning"))
    publish_model(models.folder, 3, ABOUT, LAYERS)
    return models


@pytest.fixture(scope="module")
def client(models, serve):
    with serve(models.folder) as client:
        yield client


@pytest.fixture(scope="module")
def learn(client, strokes):
    """learn(*steps): return the answer for a drawing of a 5."""

    def learn(*steps):
        response = client.post("/learn", json={"strokes": strokes, "lessons": list(steps)})
        assert response.status_code == 200, response.text
        LearnResponse.model_validate(response.json())
        return response.json()

    return learn


@pytest.fixture(scope="module")
def image(client, strokes):
    return np.array(client.post("/explain", json={"strokes": strokes}).json()["input"], np.float32)


def test_returns_digitnet_s_training_result(learn, models, image, numbers):
    network, card = models.load(models.alias("live"))
    answer = learn(STEP, {"label": 7, "learning_rate": 0.01})
    result = train_on_image(network, image, [TrainingStep(3, 0.02), TrainingStep(7, 0.01)])
    assert answer["losses"] == result.losses
    assert answer["model_version"] == card["version"]
    (probabilities,) = Decision.of(ABOUT).probabilities(result.logits[None])
    np.testing.assert_allclose(answer["after"]["probabilities"], probabilities, atol=1e-6)
    for layer, declaration, expected in zip(answer["layers"], LAYERS, result.layers, strict=True):
        assert layer["declaration"] == declaration
        np.testing.assert_array_equal(numbers(layer["gradient"]), expected.gradient)
        assert (layer["parameters_norm"], layer["gradient_norm"], layer["update_norm"]) == expected[1:]


def test_returns_predictions_on_golden_images(learn, models, image, numbers):
    network, card = models.load(models.alias("live"))
    answer = learn(*[STEP | {"learning_rate": 0.2}] * 30)
    assert answer["after"]["digit"] == 3
    assert answer["before"] == learn()["after"]
    images = np.array([numbers(each["input"]) for each in answer["known"]])
    np.testing.assert_array_equal(images, in_unit_range(models.golden_images(card["version"])))
    copy = train_on_image(network, image, [TrainingStep(3, 0.2)] * 30).network
    for name, reader in (("before", network), ("after", copy)):
        expected = Decision.of(ABOUT).probabilities(reader.predict_logits(images))
        np.testing.assert_allclose([each[name]["probabilities"] for each in answer["known"]], expected, atol=1e-5)


def test_trains_no_digit_only_with_that_class(learn, publish_model, strokes, tmp_path, serve):
    assert not learn(*[{"label": None, "learning_rate": 0.05}] * 30)["after"]["is_digit"]
    publish_model(tmp_path, 1, ABOUT, [*LAYERS[:-1], {"dense": {"units": NO_DIGIT}}])
    with serve(tmp_path) as client:
        response = client.post("/learn", json={"strokes": strokes, "lessons": [{"label": None, "learning_rate": 0.1}]})
    assert response.status_code == 422
    assert 'no class for "no digit"' in response.json()["detail"]


def test_the_served_model_stays_unchanged(client, learn, strokes, samples):
    steps = samples(client)["doodle_lessons_total", ()]
    answers = []
    for _ in range(2):
        answers.append(client.post("/predict", json={"strokes": strokes}).json()["probabilities"])
        learn(*[STEP] * MAX_STEPS)
    assert answers[0] == answers[1]
    assert samples(client)["doodle_lessons_total", ()] - steps == 2 * MAX_STEPS


@pytest.mark.parametrize(
    ("lessons", "field"),
    [
        (None, "lessons"),
        ([{"label": 10, "learning_rate": 0.1}], "label"),
        ([{"label": True, "learning_rate": 0.1}], "label"),
        ([{"label": 3, "learning_rate": 0}], "learning_rate"),
        ([{"label": 3, "learning_rate": 11}], "learning_rate"),
        ([{"label": 3, "learning_rate": 0.1, "momentum": 0.9}], "momentum"),
    ],
)
def test_error_names_the_step_s_field(client, strokes, lessons, field):
    response = client.post("/learn", json={"strokes": strokes, "lessons": lessons})
    assert response.status_code == 422
    assert field in response.json()["detail"]
