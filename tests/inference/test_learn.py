"""POST /learn: lessons for a copy of the model, by digitnet's gradient descent; whoever draws beside it is read as before."""

import threading

import numpy as np
import pytest
from digitnet.drawing import in_unit_range
from digitnet.network import NO_DIGIT, reading
from digitnet.teaching import Lesson, teach
from inference.schemas import MAX_LESSONS, Learnt
from stores.folder_models import FolderModels

LAYERS = ["flatten", {"dense": {"units": 12}}, "relu", {"dense": {"units": 11}}]
ABOUT = {"temperature": 1.5, "no_digit_threshold": 0.9}
LESSON = {"label": 3, "learning_rate": 0.02}


@pytest.fixture
def models(tmp_path):
    return FolderModels(tmp_path / "models")


@pytest.fixture
def client(models, publish_model, serve):
    models.promote(publish_model(models.folder, 3, ABOUT, LAYERS)["version"])
    with serve(models.folder) as client:
        yield client


@pytest.fixture
def learn(client, strokes):
    """learn(lessons): the answer, for a drawing of a 5."""

    def learn(*lessons):
        response = client.post("/learn", json={"strokes": strokes, "lessons": list(lessons)})
        assert response.status_code == 200, response.text
        Learnt.model_validate(response.json())
        return response.json()

    return learn


@pytest.fixture
def picture(client, strokes):
    """The drawing, as the network reads it."""
    return np.array(client.post("/explain", json={"strokes": strokes}).json()["input"], np.float32)


def test_what_the_pupil_learns_is_what_digitnet_teaches(learn, models, picture, numbers):
    network, card = models.load(models.pointer("live"))
    answer = learn(LESSON, {"label": 7, "learning_rate": 0.01})
    taught = teach(network, picture, [Lesson(3, 0.02), Lesson(7, 0.01)])
    assert answer["losses"] == taught.losses
    assert answer["model_version"] == card["version"]
    (probabilities,), _ = reading(taught.logits[None], ABOUT["temperature"])
    np.testing.assert_allclose(answer["after"]["probabilities"], probabilities, atol=1e-6)
    for layer, declaration, expected in zip(answer["layers"], LAYERS, taught.layers, strict=True):
        assert layer["declaration"] == declaration
        gradient = numbers(layer["gradient"])
        np.testing.assert_array_equal(gradient, expected.gradient)
        assert (layer["parameters_norm"], layer["gradient_norm"], layer["update_norm"]) == expected[1:]


def test_thirty_lessons_and_it_reads_what_it_was_told(learn):
    answer = learn(*[LESSON | {"learning_rate": 0.2}] * 30)
    assert answer["after"]["digit"] == 3
    assert answer["losses"][-1] < 0.1 * answer["losses"][0]
    assert answer["before"] == learn()["after"]


def test_a_page_keeps_its_pupil_by_repeating_its_lessons(learn):
    five, six = learn(*[LESSON] * 5), learn(*[LESSON] * 6)
    assert six["losses"][:5] == five["losses"]
    assert learn(*[LESSON] * 5) == five


def test_it_shows_what_the_copy_forgot(learn, models, picture, numbers):
    """The digits that the model carries, read by the model and by its pupil."""
    network, card = models.load(models.pointer("live"))
    golden = models.golden_pictures(card["version"])
    answer = learn(*[LESSON | {"learning_rate": 0.2}] * 30)
    pictures = [numbers(each["input"]) for each in answer["known"]]
    np.testing.assert_array_equal(np.array(pictures), in_unit_range(golden))
    pupil = teach(network, picture, [Lesson(3, 0.2)] * 30).pupil
    for name, reader in (("before", network), ("after", pupil)):
        expected, _ = reader.read(np.array(pictures), ABOUT["temperature"])
        np.testing.assert_allclose([each[name]["probabilities"] for each in answer["known"]], expected, atol=1e-5)
    # It learnt to say 3, whatever it sees.
    assert sum(each["after"]["digit"] == 3 for each in answer["known"]) > sum(
        each["before"]["digit"] == 3 for each in answer["known"]
    )


def test_it_may_be_told_that_it_is_no_digit(learn):
    assert not learn(*[{"label": None, "learning_rate": 0.05}] * 30)["after"]["is_digit"]


def test_a_network_without_such_a_class_cannot_be_told_so(client, models, publish_model, strokes, tmp_path, serve):
    classic = publish_model(models.folder, 1, ABOUT, [*LAYERS[:-1], {"dense": {"units": NO_DIGIT}}])
    models.promote(classic["version"])
    with serve(models.folder, journal=f"sqlite:///{tmp_path}/other.sqlite") as client:
        body = {"strokes": strokes, "lessons": [{"label": None, "learning_rate": 0.1}]}
        response = client.post("/learn", json=body)
        assert response.status_code == 422
        assert "no class for what is no digit" in response.json()["detail"]


def test_a_pupil_that_diverges_is_no_error(learn):
    lessons = [{"label": label, "learning_rate": 10.0} for label in (3, 7)] * 25
    answer = learn(*lessons)
    assert answer["diverged"] == (answer["after"] is None)
    assert all(np.isfinite(answer["losses"]))


def test_the_served_model_answers_as_before_and_is_asked_meanwhile(client, learn, strokes):
    before = client.post("/predict", json={"strokes": strokes}).json()["probabilities"]
    stop, seen = threading.Event(), []

    def draw():
        while not stop.is_set():
            seen.append(client.post("/live/predict", json={"strokes": strokes}).json()["probabilities"])

    thread = threading.Thread(target=draw)
    thread.start()
    for _ in range(5):
        learn(*[LESSON] * MAX_LESSONS)
    stop.set()
    thread.join()
    assert seen
    assert all(probabilities == before for probabilities in seen)


@pytest.mark.parametrize(
    ("lessons", "said"),
    [
        (None, "lessons"),
        ([LESSON] * (MAX_LESSONS + 1), "lessons"),
        ([{"label": 10, "learning_rate": 0.1}], "label"),
        ([{"label": True, "learning_rate": 0.1}], "label"),
        ([{"label": 3}], "learning_rate"),
        ([{"label": 3, "learning_rate": 0}], "learning_rate"),
        ([{"label": 3, "learning_rate": 11}], "learning_rate"),
        ([{"label": 3, "learning_rate": 0.1, "momentum": 0.9}], "momentum"),
    ],
)
def test_lessons_that_cannot_be_given_are_refused_by_name(client, strokes, lessons, said):
    response = client.post("/learn", json={"strokes": strokes, "lessons": lessons})
    assert response.status_code == 422
    assert said in response.json()["detail"]


def test_a_png_is_not_taken_and_the_answer_says_what_is(client):
    response = client.post("/learn", content=b"\x89PNG", headers={"Content-Type": "image/png"})
    assert response.status_code == 415
    assert response.json()["detail"] == "send application/json, not image/png"


def test_lessons_are_counted(client, learn):
    learn(LESSON, LESSON)
    assert "doodle_lessons_total 2.0" in client.get("/metrics").text
