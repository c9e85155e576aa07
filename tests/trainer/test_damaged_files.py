"""Damaged MNIST and feedback files are rejected by name and stay unchanged."""

import base64
import json
import tracemalloc

import numpy as np
import pytest
from digitnet.mnist import read_images, read_labels
from stores.prediction_log import Feedback
from trainer.data.idx import idx_bytes
from trainer.feedback.decisions import Decisions, ReviewError

FREELY = 1_000_000  # bytes of memory, plus ten times the file

IMAGES = idx_bytes(np.arange(3 * 784, dtype=np.uint32).astype(np.uint8).reshape(3, 28, 28))
LABELS = idx_bytes(np.arange(10, dtype=np.uint8))


def error_of(kind, read, size):
    """Return the message of the error, which must be of this kind and need bounded memory."""
    tracemalloc.start()
    with pytest.raises(kind) as caught:
        read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < FREELY + 10 * size
    return str(caught.value)


def test_rejects_an_idx_file_with_a_damaged_header(tmp_path, documented):
    path = tmp_path / "idx"
    for content, length in ((IMAGES, 16), (LABELS, 8)):
        for place in range(length):
            for mask in (0xFF, *(1 << bit for bit in range(8))):
                path.write_bytes(content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :])
                for read in (read_images, read_labels):
                    error = error_of(ValueError, lambda read=read: read(path), len(content))
                    assert str(path) in error
                    assert len(error) < len(str(path)) + 200
    documented(
        "bad-files",
        "an MNIST file with a changed header",
        "rejected; the error names the file and says how to fetch it again",
    )


def line_of(**changes) -> str:
    values = {"feedback_id": "an-id", "actual_digit": 5, "picture": base64.b64encode(bytes(784)).decode()}
    return json.dumps(values | changes)


FEEDBACK = Feedback("new", 1e9, None, None, 3, None, bytes(784))


# Some of these once raised another error or were read as a digit.
BAD_LINES = {
    "lists 100,000 deep": b"[" * 100_000,
    "objects 100,000 deep": b'{"a":' * 100_000,
    "a truth value for a digit": line_of(actual_digit=True),
    "a fraction for a digit": line_of(actual_digit=1.0),
    "a line that another program ended": '{"feedback_id": "a\u2028b", "actual_digit": 1',
    "a long id with half a picture": line_of(feedback_id="x" * 10_000, picture="AAAA"),
    "eleven": line_of(actual_digit=11),
    "a digit as text": line_of(actual_digit="5"),
    "a number for an id": line_of(feedback_id=5),
    "no picture": line_of(picture=None),
    "a picture that is no base64": line_of(picture="é" * 1048),
    "a picture of a byte too much": line_of(picture=base64.b64encode(bytes(785)).decode()),
    "half a line": line_of()[:500],
    "no label": '{"feedback_id": "a"}',
    "a megabyte": "x" * 1_000_000,
    "a picture of a megabyte": line_of(picture="A" * 1_000_000),
    "a number of 5,000 digits": "9" * 5_000,
    "no text": b"\xff\xfe",
    "zeros, as after a power cut": bytes(500),
    "another thing": "null",
}


@pytest.mark.parametrize("name", ["accepted.jsonl", "rejected.jsonl"])
def test_error_names_a_damaged_line(tmp_path, name, documented):
    decisions, files = Decisions(tmp_path), [tmp_path / "accepted.jsonl", tmp_path / "rejected.jsonl"]
    for bad in BAD_LINES.values():
        for file in files:
            file.write_text(line_of(feedback_id="new") + "\n")
        bad = bad if isinstance(bad, bytes) else bad.encode()
        content = line_of().encode() + b"\n\n" + bad + b"\n" + line_of(feedback_id="another").encode() + b"\n"
        (tmp_path / name).write_bytes(content)
        before = [file.read_bytes() for file in files]
        error = error_of(ReviewError, decisions.decided, len(content))
        assert f"{tmp_path / name} is damaged in line 3 " in error
        assert len(error) < len(str(tmp_path)) + 300
        for decide in (decisions.accept, decisions.reject):
            with pytest.raises(ReviewError):
                decide([FEEDBACK])
        assert [file.read_bytes() for file in files] == before
    if name == "accepted.jsonl":
        documented(
            "bad-files",
            "a damaged line in feedback/accepted.jsonl or rejected.jsonl",
            "rejected; the error names the file and the line, and both files stay unchanged",
        )
