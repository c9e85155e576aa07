"""Feedback is reviewed, and accepted drawings join the next training set."""

import httpx
import pytest

pytestmark = pytest.mark.slow

SEVEN = {"strokes": [[[80, 60], [200, 60], [160, 140], [130, 230]]]}


def trainer(stack, *arguments):
    return stack.compose("exec", "-T", "trainer", "python", "-m", "trainer", *arguments)


@pytest.fixture
def give(stack):
    """give(digit): give this feedback on a drawing of a 7."""

    def give(digit):
        prediction = httpx.post(f"{stack.page}/api/predict", json=SEVEN).raise_for_status().json()
        assert prediction["digit"] == 7
        answer = {"prediction_id": prediction["prediction_id"], "actual_digit": digit}
        httpx.post(f"{stack.page}/api/feedback", json=answer).raise_for_status()

    return give


def test_flags_wrong_labels_and_trains_on_accepted_ones(stack, give):
    trainer(stack, "feedback", "reject", "--flagged")  # feedback of other tests
    trainer(stack, "feedback", "accept", "--unflagged")
    before = trainer(stack, "feedback", "review")
    assert "0 undecided" in before
    give(7)
    give(3)
    review = trainer(stack, "feedback", "review")
    rows = {line.split()[1]: line for line in review.splitlines() if len(line.split()) > 3}
    assert "2 undecided, 2 of them flagged" in review
    assert "contradicts" in rows["3"]
    assert "contradicts" not in rows["7"]
    assert "conflict" in rows["7"], "the same strokes have two labels"
    sheet = "head -c 4 /training/feedback/review.png | tail -c 3"
    assert stack.compose("exec", "-T", "trainer", "sh", "-c", sheet) == "PNG"

    trainer(stack, "feedback", "reject", rows["3"].split()[0])
    trainer(stack, "feedback", "accept", rows["7"].split()[0])
    count = (
        "from pathlib import Path; from trainer.data.digits import load_splits\n"
        "splits = load_splits(Path('/training/data/digits.npz'))\n"
        "print(*(len(splits[name]) for name in ('training', 'validation', 'test')), splits['training'].labels[-1])"
    )
    trainer(stack, "preprocess")
    training, validation, test, label = map(int, stack.compose("exec", "-T", "trainer", "python", "-c", count).split())
    assert training > 55_000
    assert label == 7
    assert (validation, test) == (5_000, 10_000)
