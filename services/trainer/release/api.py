"""The service as its clients see it: asked over HTTP, on connections that stay open, as fast as it answers."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

TIMEOUT = 10.0  # seconds
TRIES, PAUSE_SECONDS = 5, 0.5  # a replica that restarts is away for a moment


class ApiError(ValueError):
    """The service cannot be reached, or answers otherwise than it should; the message says where and how."""


class KeyRefusedError(ApiError):
    """The service is there, and asks for a key that is not ours."""


class Answer(NamedTuple):
    """The service's answer to one drawing."""

    is_digit: bool
    probabilities: list[float]  # of the ten digits
    model_version: str
    seconds: float  # from asking until the whole answer was there


class Api:
    """The service at a URL such as http://127.0.0.1:7000, with the key that it may ask for. Nothing is asked before a method is
    called."""

    def __init__(self, url: str, key: str = ""):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ApiError(f"{url!r} is no address of a service: it should look like http://127.0.0.1:7000")
        self.url = url.rstrip("/")
        self._connection_type = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._key = {"X-API-Key": key} if key else {}
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path.rstrip("/")

    @property
    def is_up(self) -> bool:
        """Whether a Doodle answers there at all."""
        try:
            status, answer = self._once("GET", "/healthz")
        except ApiError:
            return False
        return status == 200 and answer == {"status": "ok"}

    def version(self, alias: str) -> str | None:
        """What the replica that answers has as "live" or "candidate"; None where it has none. ApiError if nobody answers."""
        status, card = self._once("GET", f"/{alias}/model")
        if status == 503:
            return None
        if status != 200 or not isinstance(card, dict) or not isinstance(card.get("version"), str):
            raise ApiError(f"{self.url}/{alias}/model gives no model card, but {status} {card!r}")
        return card["version"]

    def serves(self, alias: str, version: str, times: int = 20) -> bool:
        """Whether every one of so many questions in a row, each on a connection of its own, finds this version there.

        Behind the address there may be several replicas, and each follows the model store by itself. KeyRefusedError where the
        key is another one: to ask again would not help.
        """
        try:
            return all(self.version(alias) == version for _ in range(times))
        except KeyRefusedError:
            raise
        except ApiError:
            return False

    def read(self, alias: str, bodies: Sequence[str], connections: int = 1) -> list[Answer]:
        """What the live model, or the candidate, makes of drawings, each the JSON that /predict takes; in their order.

        ApiError if one is not answered, after several tries where the service was away for a moment.
        """
        answers: list[Any] = [None] * len(bodies)

        def read_every(first):
            connection = self._connect()
            try:
                for index in range(first, len(bodies), connections):
                    answers[index] = self._read(connection, alias, bodies[index])
            finally:
                connection.close()

        with ThreadPoolExecutor(connections) as threads:
            list(threads.map(read_every, range(connections)))
        return answers

    def _read(self, connection, alias, body):
        for attempt in range(1, TRIES + 1):
            began = time.perf_counter()
            try:
                status, answer = self._ask(connection, "POST", f"/{alias}/predict", body)
                if status == 200:
                    seconds = time.perf_counter() - began
                    return Answer(*(answer[name] for name in ("is_digit", "probabilities", "model_version")), seconds=seconds)
                problem = f"{status} {answer!r}"
                if status not in (502, 503):
                    break
            except KeyRefusedError:
                raise
            except ApiError as error:
                problem = str(error)
            if attempt < TRIES:
                time.sleep(PAUSE_SECONDS)
        raise ApiError(f"{self.url}/{alias}/predict does not read a drawing: {problem}")

    def _once(self, method, path):
        connection = self._connect()
        try:
            return self._ask(connection, method, path)
        finally:
            connection.close()

    def _connect(self):
        return self._connection_type(self._host, self._port, timeout=TIMEOUT)

    def _ask(self, connection, method, path, body=None):
        """The status, and what the JSON of the answer says."""
        headers = self._key if body is None else self._key | {"Content-Type": "application/json"}
        try:
            connection.request(method, self._path + path, body, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            connection.close()  # the next question opens it anew
            raise ApiError(f"{self.url} cannot be reached ({error or type(error).__name__})") from error
        if response.status == 401:
            raise KeyRefusedError(f"{self.url} asks for its key: let DOODLE_API_KEY be the same here as there")
        try:
            return response.status, json.loads(content)
        except ValueError:
            return response.status, content[:200]
