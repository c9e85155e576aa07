"""Call the API over HTTP, as its clients do, on connections that stay open."""

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

TIMEOUT = 10.0  # seconds
MAX_ATTEMPTS, PAUSE_SECONDS = 5, 0.5  # a replica that restarts is away for a moment
MAX_WAIT_SECONDS, POLL_INTERVAL = 20.0, 0.2  # each replica reads the aliases once a second


class ApiError(ValueError):
    """The API cannot be reached, or its answer is not the API's; the message says where and how."""


class KeyRefusedError(ValueError):
    """The API answers, and requires another key."""


class Prediction(NamedTuple):
    is_digit: bool
    probabilities: list[float]  # of the ten digits
    model_version: str
    seconds: float  # from the request to the end of the answer


class Api:
    """The API at a URL such as http://127.0.0.1:7000, with the key that it may require."""

    def __init__(self, url: str, key: str = ""):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ApiError(f"{url!r} is no address of a service: it should look like http://127.0.0.1:7000")
        self.url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json"} | ({"X-API-Key": key} if key else {})
        self._connection_type = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path.rstrip("/")

    @property
    def is_up(self) -> bool:
        """Whether a Doodle answers there."""
        try:
            return self._get("/healthz") == (200, {"status": "ok"})
        except ApiError:
            return False

    def version(self, alias: str) -> str | None:
        """Return the version that one replica has as "live" or "candidate", None if it has none."""
        status, card = self._get(f"/{alias}/model")
        if status == 503:
            return None
        if status != 200 or not isinstance(card, dict) or not isinstance(card.get("version"), str):
            raise ApiError(f"{self.url}/{alias}/model gives no model card, but {status} {card!r}")
        return str(card["version"])

    def serves(self, alias: str, version: str, times: int = 20) -> bool:
        """Whether `times` requests in a row, each on its own connection, find this version.

        There may be several replicas behind the address, and each follows the model store by itself.
        """
        try:
            return all(self.version(alias) == version for _ in range(times))
        except ApiError:
            return False

    def takes_up(self, alias: str, version: str) -> bool:
        """Wait until all replicas serve this version; return whether they do within MAX_WAIT_SECONDS."""
        return poll(lambda: self.serves(alias, version), MAX_WAIT_SECONDS)

    def predict(self, alias: str, bodies: Sequence[str], connections: int = 1) -> list[Prediction]:
        """Return the predictions of "live" or "candidate" for JSON bodies of /predict, in their order.

        ApiError if one fails, after MAX_ATTEMPTS where the API was away.
        """

        def predict_part(first: int) -> list[Prediction]:
            with closing(self._connect()) as connection:
                return [self._predict(connection, alias, body) for body in bodies[first::connections]]

        with ThreadPoolExecutor(connections) as threads:
            parts = list(threads.map(predict_part, range(connections)))
        return [parts[index % connections][index // connections] for index in range(len(bodies))]

    def _predict(self, connection: HTTPConnection, alias: str, body: str) -> Prediction:
        for _ in range(MAX_ATTEMPTS):
            began = time.perf_counter()
            try:
                status, answer = self._request(connection, "POST", f"/{alias}/predict", body)
            except ApiError as error:
                problem = str(error)
            else:
                if status == 200:
                    seconds = time.perf_counter() - began
                    return Prediction(answer["is_digit"], answer["probabilities"], answer["model_version"], seconds)
                problem = f"{status} {answer!r}"
                if status not in (502, 503):
                    break
            time.sleep(PAUSE_SECONDS)
        raise ApiError(f"{self.url}/{alias}/predict fails: {problem}")

    def _get(self, path: str) -> tuple[int, Any]:
        with closing(self._connect()) as connection:
            return self._request(connection, "GET", path)

    def _connect(self) -> HTTPConnection:
        return self._connection_type(self._host, self._port, timeout=TIMEOUT)

    def _request(self, connection: HTTPConnection, method: str, path: str, body: str | None = None) -> tuple[int, Any]:
        """Return the status and the JSON of the answer."""
        try:
            connection.request(method, self._path + path, body, self._headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            connection.close()  # the next request opens it again
            raise ApiError(f"{self.url} cannot be reached ({error or type(error).__name__})") from error
        if response.status == 401:
            raise KeyRefusedError(f"{self.url} requires its key: let DOODLE_API_KEY be the same here as there")
        try:
            return response.status, json.loads(content)
        except ValueError:
            return response.status, content[:200]


def poll(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until the condition holds, at most so many seconds; return whether it does."""
    deadline = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(POLL_INTERVAL)
    return holds
