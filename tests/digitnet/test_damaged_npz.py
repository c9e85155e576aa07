"""Bytes that are no sound .npz file: a ValueError that says so, arrays that are what was written, and nothing else; and no more
memory than the bytes themselves are worth, whatever they promise."""

import io
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest
from digitnet.checkpoint import npz_arrays, npz_bytes
from hypothesis import example, given, settings
from hypothesis import strategies as st

# The same examples every time: a run that fails can be run again.
BOUNDED = settings(max_examples=400, deadline=None, derandomize=True, database=None)
FREELY = 1_000_000  # bytes of memory beside three times the file

ARRAYS = {"parameters": np.arange(90, dtype=np.float32), "labels": np.arange(10, dtype=np.uint8), "none": np.empty((0, 2))}
SOUND = npz_bytes(ARRAYS)
HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (10,), }"


def npz_of(npy: bytes, compression=zipfile.ZIP_STORED) -> bytes:
    """An .npz, with right checksums, of one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("parameters.npy", npy)
    return buffer.getvalue()


def npy_of(header: str, content: bytes = bytes(40), version: bytes = b"\1\0") -> bytes:
    header_bytes = header.encode("latin-1")
    return b"\x93NUMPY" + version + len(header_bytes).to_bytes(2, "little") + header_bytes + content


def read_in_bounds(content: bytes) -> dict[str, np.ndarray] | None:
    """What is read; None where that is refused. It fails where more memory was needed than the file is worth."""
    arrays, reason = None, None
    tracemalloc.start()
    try:
        arrays = npz_arrays(content)
    except ValueError as error:
        reason = str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < FREELY + 3 * len(content)
    if reason is not None:
        assert reason.startswith("not a sound .npz file (")
        assert len(reason) < 300
    return arrays


def assert_refused_or_as_written(content: bytes) -> bool:
    """An array may be missing, and whoever needs it says so; one that is there is what was written. Was it refused?"""
    arrays = read_in_bounds(content)
    for name in set(arrays or ()) & set(ARRAYS):
        assert (arrays[name].dtype, arrays[name].shape) == (ARRAYS[name].dtype, ARRAYS[name].shape)
        assert arrays[name].tobytes() == ARRAYS[name].tobytes()
    return arrays is None


def test_sound_bytes_are_read_as_written():
    assert not assert_refused_or_as_written(SOUND)
    assert set(npz_arrays(SOUND)) == set(ARRAYS)


def test_any_byte_damaged_gives_no_other_numbers(documented):
    changes = [(place, mask) for place in range(len(SOUND)) for mask in (0xFF, 0x01, 0x20)]
    refused = 0
    for place, mask in changes:
        damaged = bytearray(SOUND)
        damaged[place] ^= mask
        refused += assert_refused_or_as_written(bytes(damaged))
    assert refused > len(changes) // 2
    documented(
        "bad-files",
        "an .npz without a checksum of its own (digits.npz, unfinished.npz): every byte, in three ways",
        f"{len(changes):,} times",
        "refused; or, where nobody reads that byte, the same numbers",
    )


def test_cut_anywhere_it_is_refused():
    assert all(read_in_bounds(SOUND[:length]) is None for length in range(len(SOUND)))


@BOUNDED
@given(
    changes=st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), min_size=2, max_size=6),
    kept=st.integers(len(SOUND) // 2, len(SOUND)),
    added=st.binary(max_size=30),
)
def test_several_bytes_changed_cut_off_and_added_give_no_other_numbers(changes, kept, added):
    damaged = bytearray(SOUND)
    for place, value in changes:
        damaged[place] = value
    assert_refused_or_as_written(bytes(damaged))
    assert_refused_or_as_written(bytes(damaged[:kept]) + added)


@BOUNDED
@given(content=st.binary(max_size=200))
def test_any_bytes_are_refused(content):
    assert read_in_bounds(content) is None


@BOUNDED
@given(
    header=st.lists(
        st.tuples(st.integers(0, len(HEADER) - 1), st.sampled_from("(){}[]'\",:<>|fOVUSmMb0123456789\n\\#-e "), st.booleans()),
        min_size=1,
        max_size=4,
    ).map(lambda changes: edited(HEADER, changes))
    | st.text(st.characters(max_codepoint=255), max_size=60)
)
# Each of these once came through as something else than a ValueError.
@example(header="((((")
@example(header="'''")
@example(header="  x\n y")
@example(header="-" * 9_000 + "1")
@example(header="{'descr': ',', 'fortran_order': False, 'shape': (1,), }")
@example(header="{'descr': '<04', 'fortran_order': False, 'shape': (10,), }")
@example(header="{'descr': '|V0', 'fortran_order': False, 'shape': (10000000000000000000000,), }")
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::SyntaxWarning", "ignore::DeprecationWarning")  # of NumPy's parser
def test_whatever_an_array_s_header_says_it_is_an_array_or_refused(header):
    for version in (b"\1\0", b"\2\0", b"\3\0"):
        read_in_bounds(npz_of(npy_of(header, version=version)))


def edited(text, changes):
    letters = list(text)
    for place, letter, is_more in changes:
        letters[place : place + (not is_more)] = letter
    return "".join(letters)


BOMBS = {
    "four gigabytes in its header": npz_of(npy_of("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000,), }")),
    "four petabytes in its header": npz_of(npy_of("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000,), }")),
    "a negative size": npz_of(npy_of("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -10), }")),
    "thirty megabytes, deflated": npz_of(bytes(30_000_000), zipfile.ZIP_DEFLATED),
    "thirty megabytes, by bzip2": npz_of(bytes(30_000_000), zipfile.ZIP_BZIP2),
    "a pickle": npz_of(npy_of("{'descr': '|O', 'fortran_order': False, 'shape': (5,), }", pickle.dumps(["x" * 19]).ljust(40))),
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_what_promises_more_than_it_holds_is_refused(content):
    assert read_in_bounds(content) is None


def test_one_array_that_is_named_a_thousand_times_is_refused():
    """Each name is 60 bytes of the file, and would be an array of its own in memory."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(
            "parameters.npy", npy_of("{'descr': '|u1', 'fortran_order': False, 'shape': (100000,), }", bytes(100_000))
        )
        archive.filelist *= 1_000
    assert read_in_bounds(buffer.getvalue()) is None
