"""A damaged SQLite file gives a PredictionLogError with its name, or valid records."""

from collections import Counter

import numpy as np
import pytest
from log_records import make_feedback, make_prediction
from stores.prediction_log import Feedback, Prediction, PredictionLogError, open_prediction_log

HEADER, PLACES, LENGTHS = 100, 200, 40


def outcome(path, content: bytes) -> str:
    """Call every reader: return "refused" if one raises, else "read"."""
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(content)
    log, outcome = open_prediction_log(f"sqlite:///{path}"), "read"
    for ask in (lambda: log.feedback(10), lambda: log.recent_predictions(10), log.summary, log.durability):
        try:
            found = ask()
        except PredictionLogError as error:
            assert str(path) in str(error)  # noqa: PT017
            outcome = "refused"
            continue
        values = found if isinstance(found, list) else list(vars(found).values())
        assert all(isinstance(each, Feedback | Prediction | int | float | None) for each in values)
    log.close()
    return outcome


@pytest.mark.slow
def test_damage_is_an_error_or_leaves_valid_records(tmp_path, documented):
    path = tmp_path / "sound.sqlite"
    log = open_prediction_log(f"sqlite:///{path}")
    log.add_predictions([make_prediction() for _ in range(6)])
    for _ in range(6):
        log.add_feedback(make_feedback())
    log.close()  # moves all records into the one file
    content = path.read_bytes()
    assert outcome(tmp_path / "a.sqlite", content) == "read"
    places = [*range(HEADER), *np.random.default_rng(0).integers(HEADER, len(content), PLACES).tolist()]
    damaged = [content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :] for place in places]
    damaged += [content[:length] for length in np.linspace(1, len(content) - 1, LENGTHS).astype(int)]
    counted = Counter(outcome(tmp_path / "a.sqlite", each) for each in damaged)
    assert counted["refused"] > HEADER // 4
    documented(
        "bad-files",
        "the prediction log's SQLite file, with a changed byte or cut",
        "an error that names the file and says to move it away, or only the undamaged records",
    )
