"""Damaged files: MNIST's and the decisions on feedback. Each is read as it is or refused by name, and reading changes none."""

import base64
import json
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stores.journal import Feedback
from trainer.decisions import Decisions, ReviewError
from trainer.idx import IDXError, images_to_bytes, labels_to_bytes, read_images, read_labels

BOUNDED = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,  # the same examples every time
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],  # one folder for all of them
)
FREELY = 1_000_000  # bytes of memory, beside ten times the file
REFUSED, READ = "refused", "read"

IMAGES = images_to_bytes(np.arange(3 * 784, dtype=np.uint32).astype(np.uint8).reshape(3, 28, 28))
LABELS = labels_to_bytes(np.arange(10, dtype=np.uint8))


def in_bounds(read, size):
    """What is read, or the IDXError or ReviewError; never another, nor with more memory than such a file is worth."""
    tracemalloc.start()
    try:
        return read()
    except (IDXError, ReviewError) as error:
        return error
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < FREELY + 10 * size


def idx(path, content: bytes) -> str:
    """Read both ways: REFUSED, or READ where it was the file that these bytes are."""
    path.write_bytes(content)
    outcomes = set()
    for read, to_bytes in ((read_images, images_to_bytes), (read_labels, labels_to_bytes)):
        found = in_bounds(lambda read=read: read(path), len(content))
        if isinstance(found, IDXError):
            assert str(path) in str(found)
            assert len(str(found)) < len(str(path)) + 200
            outcomes.add(REFUSED)
        else:
            assert to_bytes(found) == content
            outcomes.add(READ)
    return READ if READ in outcomes else REFUSED


def test_refuses_an_idx_file_with_any_byte_of_its_header_changed(tmp_path, documented):
    counted = Counter()
    for content, length in ((IMAGES, 16), (LABELS, 8)):
        for place in range(length):
            for mask in (0xFF, *(1 << bit for bit in range(8))):
                counted[idx(tmp_path / "idx", content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :])] += 1
    assert set(counted) == {REFUSED}
    documented(
        "bad-files",
        "MNIST's files: every byte of the header, each bit of it and all eight",
        f"{counted.total():,} times",
        f"refused {counted[REFUSED]:,} times, with a sentence that names the file and says how to get it anew",
    )


def test_refuses_an_idx_file_that_is_cut_anywhere(tmp_path):
    for content in (IMAGES, LABELS):
        for length in (*range(18), *range(18, len(content), 11), len(content) - 1):
            assert idx(tmp_path / "idx", content[:length]) == REFUSED


def line_of(**changes) -> str:
    values = {"feedback_id": "an-id", "actual_digit": 5, "picture": base64.b64encode(bytes(784)).decode()}
    return json.dumps(values | changes)


FEEDBACK = Feedback("new", 1e9, None, None, 3, None, bytes(784))


def decisions(folder, content: bytes, name: str = "accepted.jsonl") -> str:
    """READ or REFUSED, and where it is refused, nothing of what was decided is changed, and no new decision made."""
    paths = {each: folder / each for each in ("accepted.jsonl", "rejected.jsonl")}
    for path in paths.values():
        path.write_text(line_of(feedback_id="new") + "\n")
    paths[name].write_bytes(content)
    before = {path: path.read_bytes() for path in paths.values()}

    def read():
        read_all = Decisions(folder)
        read_all.decided()
        return read_all.accepted_drawings()

    found = in_bounds(read, len(content))
    assert {path: path.read_bytes() for path in paths.values()} == before
    if not isinstance(found, ReviewError):
        pictures, labels = found
        assert (pictures.dtype, pictures.shape[1:], labels.dtype) == (np.uint8, (28, 28), np.uint8)
        assert len(pictures) == len(labels)
        assert labels.max(initial=0) <= 10
        return READ
    assert f"{paths[name]} is damaged in line " in str(found)
    assert len(str(found)) < len(str(folder)) + 300
    for decide in (Decisions(folder).accept, Decisions(folder).reject):
        with pytest.raises(ReviewError):
            decide([FEEDBACK])
    assert {path: path.read_bytes() for path in paths.values()} == before
    return REFUSED


# The first six once came through as another error, or as a digit; of the others some were refused without their line.
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
def test_names_a_damaged_line_and_loses_nothing(tmp_path, name, documented):
    for bad in BAD_LINES.values():
        bad = bad if isinstance(bad, bytes) else bad.encode()
        content = line_of().encode() + b"\n\n" + bad + b"\n" + line_of(feedback_id="another").encode() + b"\n"
        assert decisions(tmp_path, content, name) == REFUSED
        with pytest.raises(ReviewError, match=f"{name} is damaged in line 3 "):
            Decisions(tmp_path).decided()
    if name == "accepted.jsonl":
        documented(
            "bad-files",
            "feedback/accepted.jsonl, rejected.jsonl: a line that is no decision (half of one, 100,000 deep, a megabyte, …)",
            f"{len(BAD_LINES)} ways",
            "refused each time, with a sentence that names the file and the line; both files stay as they were",
        )


def test_names_a_folder_in_the_place_of_decisions(tmp_path):
    (tmp_path / "accepted.jsonl").mkdir()
    with pytest.raises(ReviewError, match=r"accepted\.jsonl cannot be read \(Is a directory\)"):
        Decisions(tmp_path).accepted()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
sound = st.builds(line_of, feedback_id=st.text(max_size=5), actual_digit=st.none() | st.integers(0, 9))
odd = st.builds(line_of, feedback_id=anything, actual_digit=st.integers(-1, 11) | anything) | st.builds(line_of, picture=anything)
lines = st.lists(sound | odd | anything.map(json.dumps) | st.text(max_size=20), max_size=4)
TWO = f"{line_of()}\n{line_of(feedback_id='another')}\n".encode()
damaged = st.builds(
    lambda place, value, kept: (TWO[:place] + bytes([value]) + TWO[place + 1 :])[:kept],
    *(st.integers(0, 1_000), st.integers(0, 255), st.integers(0, 2_500)),
)


@pytest.mark.slow
@BOUNDED
@given(content=lines.map(lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass")) | damaged)
def test_any_lines_are_decisions_or_refused(tmp_path, content):
    decisions(tmp_path, content)
