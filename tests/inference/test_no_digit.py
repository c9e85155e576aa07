"""A blank sheet and a dot are predicted as no digit."""

import numpy as np
import pytest
from digitnet.network import NO_DIGIT
from pngs import png_of


def dot(side: int, radius: float) -> np.ndarray:
    y, x = np.indices((side, side))
    return (np.hypot(x - side * 0.4, y - side * 0.6) <= radius) * np.uint8(255)


DRAWINGS = {
    "a click that trembled": {"strokes": [[[140, 140], [143, 141], [139, 142]]]},
    "a vector with a dot": {"image_vector": (dot(28, 1.5).ravel() / 255).tolist()},
    "transparent": np.zeros((280, 280, 4), np.uint8),
    "a dark dot": 255 - dot(280, 10),
    "a dot on a large sheet": dot(2000, 70),
}


@pytest.mark.parametrize("drawing", DRAWINGS.values(), ids=DRAWINGS)
def test_predicts_no_digit(service, drawing):
    post, body = (service.post_json, drawing) if isinstance(drawing, dict) else (service.post_bytes, png_of(drawing))
    answer = post(body, path="/predict?input=true").json()
    assert not np.any(answer["input"])
    assert answer["is_digit"] is False
    assert [answer[name] for name in ("Result", "digit", "best_guess")] == [None] * 3
    assert answer["confidence"] == 1.0
    assert len(answer["probabilities"]) == 10


@pytest.mark.parametrize(("threshold", "is_digit"), [(0.0, False), (1.0, True)])
def test_the_threshold_decides_the_answer_and_its_confidence(publish_model, serve, tmp_path, threshold, is_digit):
    publish_model(tmp_path, 5, {"no_digit_threshold": threshold}, ["flatten", {"dense": {"units": 11}}])
    line = {"strokes": [[[100, 100], [100, 200]]]}
    with serve(tmp_path) as client:
        answer, explained = (client.post(path, json=line).json() for path in ("/predict?input=true", "/explain"))
        blank = client.post("/predict", json={"strokes": []}).json()
        learned = client.post("/learn", json={**line, "lessons": []}).json()
    likeliest, logits = int(np.argmax(answer["probabilities"])), np.array(explained["logits"])
    no_digit = np.exp(logits - logits.max())[NO_DIGIT] / np.exp(logits - logits.max()).sum()
    assert answer["is_digit"] is is_digit
    assert answer["best_guess"] == likeliest
    assert answer["digit"] == answer["Result"] == (likeliest if is_digit else None)
    assert answer["no_digit"] == {"probability": pytest.approx(no_digit, rel=1e-5), "threshold": threshold}
    assert answer["confidence"] == pytest.approx(max(answer["probabilities"]) if is_digit else no_digit, rel=1e-5)
    assert blank["no_digit"] == {"probability": 1.0, "threshold": threshold}
    same = ("digit", "is_digit", "best_guess", "confidence", "no_digit")
    assert [explained[name] for name in same] == [learned["before"][name] for name in same] == [answer[name] for name in same]
    assert [explained[name] for name in ("probabilities", "model_version")] == [answer["probabilities"], answer["model_version"]]
    np.testing.assert_allclose(explained["input"], answer["input"], atol=5e-5)
