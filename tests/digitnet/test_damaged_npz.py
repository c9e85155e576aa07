"""Damaged .npz files are rejected, need little memory and never give wrong numbers."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest
from digitnet.checkpoint import npz_arrays, npz_bytes

FREELY = 1_000_000  # bytes of memory in addition to three times the file

ARRAYS = {"parameters": np.arange(90, dtype=np.float32), "labels": np.arange(10, dtype=np.uint8), "none": np.empty((0, 2))}
SOUND = npz_bytes(ARRAYS)
HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (10,), }"
HEADER_PARTS = "(){}[]'\",:<>|fOVUSmMb0123456789\n\\#-e "
QUIET = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::SyntaxWarning", "ignore::DeprecationWarning")  # NumPy's parser


def npz_of(npy: bytes, compression=zipfile.ZIP_STORED, times=1) -> bytes:
    """Return an .npz with valid checksums that lists one file `times` times."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("parameters.npy", npy)
        archive.filelist *= times
    return buffer.getvalue()


def npy_of(header: str, content: bytes = bytes(40), version: bytes = b"\1\0") -> bytes:
    encoded = header.encode("latin-1")
    return b"\x93NUMPY" + version + len(encoded).to_bytes(2, "little") + encoded + content


def read_in_bounds(content: bytes) -> dict[str, np.ndarray] | None:
    """Return the arrays, or None if they are rejected. Fail if reading takes too much memory."""
    arrays, reason = None, "not a sound .npz file ("
    tracemalloc.start()
    try:
        arrays = npz_arrays(content)
    except ValueError as error:
        reason = str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < FREELY + 3 * len(content)
    assert reason.startswith("not a sound .npz file (")
    assert len(reason) < 300
    return arrays


def assert_rejected_or_unchanged(content: bytes) -> bool:
    """Assert that each array found equals the written one. Return whether the file was rejected."""
    arrays = read_in_bounds(content)
    for name in set(arrays or ()) & set(ARRAYS):
        assert (arrays[name].dtype, arrays[name].shape) == (ARRAYS[name].dtype, ARRAYS[name].shape)
        assert arrays[name].tobytes() == ARRAYS[name].tobytes()
    return arrays is None


def test_reads_a_sound_file():
    assert not assert_rejected_or_unchanged(SOUND)
    assert set(npz_arrays(SOUND)) == set(ARRAYS)


@pytest.mark.parametrize(("step", "masks"), [(7, [0x01]), pytest.param(1, (0xFF, 0x01, 0x20), marks=pytest.mark.slow)])
def test_a_damaged_byte_gives_no_wrong_numbers(documented, step, masks):
    changes = [(place, mask) for place in range(0, len(SOUND), step) for mask in masks]
    refused = 0
    for place, mask in changes:
        damaged = bytearray(SOUND)
        damaged[place] ^= mask
        refused += assert_rejected_or_unchanged(bytes(damaged))
    assert refused > len(changes) // 2
    if step == 1:
        documented(
            "bad-files",
            "digits.npz or unfinished.npz with a changed byte",
            "rejected, or read with the original numbers",
        )


@pytest.mark.parametrize("step", [29, pytest.param(1, marks=pytest.mark.slow)])
def test_rejects_truncated_files(step):
    assert all(read_in_bounds(SOUND[:length]) is None for length in range(0, len(SOUND), step))


# Each of these once raised an error other than ValueError.
ODD_HEADERS = [
    "((((",
    "'''",
    "  x\n y",
    "-" * 9_000 + "1",
    "{'descr': ',', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<04', 'fortran_order': False, 'shape': (10,), }",
    "{'descr': '|V0', 'fortran_order': False, 'shape': (10000000000000000000000,), }",
]


REFUSED = {header[:30]: npz_of(npy_of(header)) for header in ODD_HEADERS} | {
    "four gigabytes in its header": npz_of(npy_of("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000,), }")),
    "a negative size": npz_of(npy_of("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -10), }")),
    "a megabyte, deflated": npz_of(bytes(1_000_000), zipfile.ZIP_DEFLATED),
    "another version of NumPy's format": npz_of(npy_of(HEADER, version=b"\2\0")),
    # Each name takes 60 bytes of the file, and would be a separate array in memory.
    "one array named a thousand times": npz_of(
        npy_of("{'descr': '|u1', 'fortran_order': False, 'shape': (100000,), }", bytes(100_000)), times=1_000
    ),
}


@QUIET
@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_rejects_odd_headers_and_false_sizes(content):
    assert read_in_bounds(content) is None


@QUIET
def test_reads_or_rejects_any_array_header(generator):
    for _ in range(400):
        letters = list(HEADER)
        for _ in range(generator.integers(1, 5)):
            place, kept = generator.integers(len(letters)), generator.integers(2)
            letters[place] = letters[place] * kept + generator.choice(list(HEADER_PARTS))
        read_in_bounds(npz_of(npy_of("".join(letters))))
