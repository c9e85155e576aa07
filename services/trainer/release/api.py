"""Call the inference API over HTTP."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from stores.models import CANDIDATE
from urllib3 import PoolManager, Retry
from urllib3.exceptions import HTTPError

TIMEOUT = 10.0  # seconds
MAX_ATTEMPTS, BACKOFF = 5, 0.25  # a replica may restart: pauses of 0, 0.5, 1 and 2 s
MAX_WAIT_SECONDS, POLL_INTERVAL = 20.0, 0.2  # each replica reads the aliases once a second


class ApiError(ValueError):
    """The API cannot be reached, or gives an unexpected answer; the message has the URL and the answer."""


class ReleaseError(ValueError):
    """The candidate cannot be served, was rejected, or did not become live; the message says why."""


class KeyRefusedError(ValueError):
    """The API rejects the key."""


class Prediction(NamedTuple):
    is_digit: bool
    probabilities: list[float]  # of the ten digits
    model_version: str
    seconds: float  # from the request to the end of the response


class Api:
    """The API at a URL such as http://127.0.0.1:7000. `key` is its API key, if it requires one."""

    def __init__(self, url: str, key: str = ""):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ApiError(f"{url!r} is not the address of a service: it should look like http://127.0.0.1:7000")
        self.url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json"} | ({"X-API-Key": key} if key else {})

    @property
    def is_up(self) -> bool:
        """Whether a Doodle service answers at the URL."""
        try:
            return self._get("/healthz") == (200, {"status": "ok"})
        except ApiError:
            return False

    def version(self, alias: str) -> str | None:
        """Return one replica's version of "live" or "candidate", None if it has no such model."""
        status, card = self._get(f"/{alias}/model")
        if status == 503 or (status == 404 and alias == CANDIDATE):
            return None
        if status != 200 or not isinstance(card, dict) or not isinstance(card.get("version"), str):
            raise ApiError(f"{self.url}/{alias}/model returned no model card, but {status} {card!r}")
        return str(card["version"])

    def serves(self, alias: str, version: str, times: int = 20) -> bool:
        """Return whether `times` requests in a row find this version. Each replica follows the store on its own."""
        try:
            return all(self.version(alias) == version for _ in range(times))
        except ApiError:
            return False

    def takes_up(self, alias: str, version: str) -> bool:
        """Wait up to MAX_WAIT_SECONDS until all replicas serve this version; return whether they do."""
        return poll(lambda: self.serves(alias, version), MAX_WAIT_SECONDS)

    def predict(self, alias: str, bodies: Sequence[str], connections: int = 1) -> list[Prediction]:
        """Return the predictions of "live" or "candidate" for JSON bodies of /predict, in order. ApiError if one fails."""
        path = f"/{alias}/predict"
        retries = Retry(
            MAX_ATTEMPTS - 1, status_forcelist=(502, 503), allowed_methods=None, backoff_factor=BACKOFF, raise_on_status=False
        )

        def predict(body: str) -> Prediction:
            began = time.perf_counter()
            status, answer = self._request(http, "POST", path, body)
            if status != 200:
                raise ApiError(f"{self.url}{path} failed: {status} {answer!r}")
            seconds = time.perf_counter() - began
            return Prediction(answer["is_digit"], answer["probabilities"], answer["model_version"], seconds)

        with self._connections(retries=retries, maxsize=connections) as http, ThreadPoolExecutor(connections) as threads:
            return list(threads.map(predict, bodies))

    def _get(self, path: str) -> tuple[int, Any]:
        """Send a GET on a new connection, which may reach another replica than the last one."""
        with self._connections(retries=False) as http:
            return self._request(http, "GET", path)

    def _connections(self, **options: Any) -> PoolManager:
        return PoolManager(timeout=TIMEOUT, headers=self._headers, **options)

    def _request(self, http: PoolManager, method: str, path: str, body: str | None = None) -> tuple[int, Any]:
        """Return the status and the JSON of the response, or the first bytes of a response that is not JSON."""
        try:
            response = http.request(method, self.url + path, body=body, redirect=False)
        except HTTPError as error:
            raise ApiError(f"{self.url} cannot be reached ({error})") from error
        if response.status == 401:
            raise KeyRefusedError(f"{self.url} rejected the API key: set DOODLE_API_KEY to the service's key")
        try:
            return response.status, response.json()
        except ValueError:
            return response.status, response.data[:200]


def poll(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until the condition holds, for at most `seconds`; return whether it does."""
    deadline = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(POLL_INTERVAL)
    return holds
