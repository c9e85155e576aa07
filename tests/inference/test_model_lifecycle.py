"""The model in service, over HTTP: waited for, replaced without a restart, and kept when what comes next is bad."""

import itertools
import json
import shutil
import threading

import pytest
from digitnet.checkpoint import write_atomically

SEEDS = itertools.count(100)
STROKES = {"strokes": [[[140, 40], [150, 240]]]}
SMALLER_NETWORK = {"layers": ["flatten", {"dense": {"units": 10}}], "input_shape": [1, 28, 28], "dtype": "float32"}


def served_version(service) -> str:
    return service.get("/model").json().get("version")


@pytest.fixture(scope="module")
def waiting(run_service, tmp_path_factory):
    """A service that never gets a model."""
    with run_service(tmp_path_factory.mktemp("nothing") / "models") as running:
        yield running


class TestWithoutAModel:
    @pytest.mark.parametrize("path", ["/healthz", "/metrics", "/docs", "/openapi.json"])
    def test_what_needs_no_model_is_answered(self, waiting, path):
        assert waiting.get(path).status_code == 200

    @pytest.mark.parametrize("path", ["/readyz", "/readyz/", "/model", "/model/"])
    def test_what_needs_one_is_a_503_with_words(self, waiting, path):
        response = waiting.get(path)
        assert response.status_code == 503
        detail = "there is no model yet: the trainer publishes one once it is trained; ask again then"
        assert response.json() == {"detail": detail}  # and no path of the server

    @pytest.mark.parametrize("path", ["/predict", "/predict/"])
    def test_predict_is_a_503_that_says_when_to_come_back(self, waiting, path):
        response = waiting.post_json(STROKES, path)
        assert response.status_code == 503
        assert list(response.json()) == ["detail"]
        assert int(response.headers["retry-after"]) > 0

    def test_the_503s_are_counted_as_calls_and_as_errors(self, waiting):
        names = [("api_predict_calls_total", ()), ("prediction_error_total", ()), ("doodle_predict_errors_total", ("503",))]
        before = waiting.samples()
        waiting.post_json(STROKES)
        after = waiting.samples()
        assert [after[name] - before[name] for name in names] == [1, 1, 1]

    def test_the_metrics_say_that_none_is_loaded(self, waiting):
        assert waiting.sample("doodle_model_loaded") == 0


def test_a_model_that_is_saved_later_is_taken_without_a_restart(run_service, publish_model, eventually, tmp_path):
    with run_service(tmp_path / "models") as running:
        assert running.get("/readyz").status_code == 503
        card = publish_model(tmp_path / "models")
        eventually(lambda: running.get("/readyz").status_code == 200, "the service is ready")
        assert running.post_json(STROKES).json()["model_version"] == card["version"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, publish_model):
    folder = tmp_path_factory.mktemp("following") / "models"
    publish_model(folder)
    return folder


@pytest.fixture(scope="module")
def following(run_service, folder):
    """A service whose model the tests change."""
    with run_service(folder) as running:
        yield running


@pytest.fixture
def publish(following, folder, publish_model, eventually):
    """publish() publishes a model that is new, waits until it is in service, and returns its card."""

    def publish():
        card = publish_model(folder, next(SEEDS))
        eventually(lambda: served_version(following) == card["version"], "the new model is in service")
        return card

    return publish


@pytest.fixture
def refused(following):
    return lambda: following.sample("doodle_model_loads_total", "refused")


def test_a_newer_model_answers_from_then_on(following, publish):
    first, second = publish(), publish()
    assert following.post_json(STROKES).json()["model_version"] == second["version"] != first["version"]


def test_a_newer_model_gives_its_own_probabilities(following, publish):
    publish()
    before = following.post_json(STROKES).json()["probabilities"]
    publish()
    assert following.post_json(STROKES).json()["probabilities"] != before


def test_the_metrics_name_the_one_model_in_service(following, publish):
    version = publish()["version"]
    assert {name: value for name, value in following.samples().items() if name[0] == "doodle_model_info"} == {
        ("doodle_model_info", (version,)): 1
    }


def test_a_loaded_model_is_counted(following, publish):
    before = following.sample("doodle_model_loads_total", "loaded")
    publish()
    assert following.sample("doodle_model_loads_total", "loaded") > before


def flip_a_byte(weights: bytes) -> bytes:
    return weights[:-500] + bytes([weights[-500] ^ 1]) + weights[-499:]


def changed_card(**changes):
    return lambda card: json.dumps(json.loads(card) | changes).encode()


DAMAGES = {
    "a flipped byte": ("weights.npz", flip_a_byte),
    "weights cut short": ("weights.npz", lambda weights: weights[: len(weights) // 2]),
    "no weights left": ("weights.npz", lambda _: b""),
    "a card cut short": ("model.json", lambda card: card[: len(card) // 2]),
    "an empty card": ("model.json", lambda _: b""),
    "a card of other weights": ("model.json", changed_card(weights_sha256="0" * 64)),
    "a card of another format": ("model.json", changed_card(format="digitnet-model-0")),
    "a card of another network": ("model.json", changed_card(network=SMALLER_NETWORK)),
    "a temperature that divides by zero": ("model.json", changed_card(temperature=1e-300)),
    "a threshold that rejects every digit": ("model.json", changed_card(no_digit_threshold=-0.5)),
    "a number that JSON lacks": ("model.json", lambda card: card.replace(b"0.5", b"1e999")),
}


@pytest.fixture(params=DAMAGES)
def damage(request, folder, live_folder):
    """damage() spoils the live model on disk, as a publisher would replace a file: all at once."""
    name, change = DAMAGES[request.param]

    def damage():
        path = live_folder(folder) / name
        write_atomically(path, change(path.read_bytes()))

    return damage


def test_a_damaged_model_is_refused_and_the_old_one_goes_on(following, publish, refused, damage, eventually):
    card, before, answer = publish(), refused(), following.post_json(STROKES).json()
    damage()
    eventually(lambda: refused() > before, "the refusal is counted")
    assert following.get("/readyz").status_code == 200
    assert following.get("/model").json() == card
    assert following.post_json(STROKES).json()["probabilities"] == answer["probabilities"]


def test_a_good_model_is_taken_after_a_bad_one(following, folder, live_folder, publish, refused, eventually):
    publish()
    before = refused()
    write_atomically(live_folder(folder) / "weights.npz", b"not weights")
    eventually(lambda: refused() > before, "the bad one is refused")
    assert following.post_json(STROKES).json()["model_version"] != publish()["version"]
    assert following.get("/readyz").status_code == 200


def test_the_model_stays_when_its_folder_goes(following, folder, publish, tmp_path):
    version = publish()["version"]
    shutil.move(folder, tmp_path / "elsewhere")
    assert following.post_json(STROKES).json()["model_version"] == version
    assert publish()["version"] != version


def test_no_request_fails_while_models_are_replaced(following, publish):
    stop, failures, answers = threading.Event(), [], {}

    def keep_asking():
        while not stop.is_set():
            response = following.post_json(STROKES)
            if response.status_code != 200:
                failures.append(response.text)
                return
            answer = response.json()
            answers.setdefault(answer["model_version"], set()).add(tuple(answer["probabilities"]))

    threads = [threading.Thread(target=keep_asking) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            publish()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert len(answers) >= 5
    assert all(len(probabilities) == 1 for probabilities in answers.values()), "a version answered in more than one way"


def test_a_service_that_finds_a_bad_model_at_its_start_waits_for_a_good_one(
    run_service, publish_model, live_folder, eventually, tmp_path
):
    publish_model(tmp_path)
    weights = live_folder(tmp_path) / "weights.npz"
    write_atomically(weights, flip_a_byte(weights.read_bytes()))
    with run_service(tmp_path) as running:
        eventually(lambda: running.sample("doodle_model_loads_total", "refused") == 1, "the refusal is counted")
        assert running.get("/readyz").status_code == 503
        publish_model(tmp_path, seed=1)
        eventually(lambda: running.get("/readyz").status_code == 200, "the good model is taken")
