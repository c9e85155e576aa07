"""The front door: request the page and a prediction through nginx, as a user does.

The prediction goes to /live/predict, which nginx offers on the API's port only. It takes the way of /predict, but does not count
as a user's or enter the prediction log.
"""

import json
import time
import urllib.request
from collections.abc import Iterator

from prometheus_client.core import Metric

from exporter.scrape import gauge_by

PROBE_SECONDS, TIMEOUT_SECONDS = 10.0, 5.0  # between two rounds; of a probe
ONE = json.dumps({"strokes": [[[140, 40], [145, 130], [150, 240]]]}).encode()


class FrontDoor:
    """Probes two URLs in a thread, so that a hung page does not delay scrapes, and reports the last result of each probe."""

    name = "front_door"

    def __init__(self, page_url: str, api_url: str, api_key: str = ""):
        """Probe the page and the API at these http:// or https:// URLs."""
        headers = {"Content-Type": "application/json"} | ({"X-API-Key": api_key} if api_key else {})
        self._requests = {
            "page": urllib.request.Request(f"{page_url}/"),  # noqa: S310  # the settings check the scheme
            "predict": urllib.request.Request(f"{api_url}/live/predict", ONE, headers),  # noqa: S310
        }
        self._expected = {"page": b"doodle-canvas", "predict": b"model_version"}
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._success: dict[str, float | None] = {}
        self._seconds: dict[str, float | None] = {}

    def follow(self) -> None:
        """Probe forever."""
        while True:
            self.probe()
            time.sleep(PROBE_SECONDS)

    def probe(self) -> None:
        """Send each request once."""
        for target in self._requests:
            started = time.perf_counter()
            self._success[target] = float(self._succeeds(target))
            self._seconds[target] = time.perf_counter() - started

    def collect(self) -> Iterator[Metric]:
        text = "1 if the page, or a prediction through it, answered the last probe, else 0."
        yield gauge_by("target", "doodle_probe_success", text, self._success)
        yield gauge_by("target", "doodle_probe_duration_seconds", "Duration of the last probe.", self._seconds)

    def _succeeds(self, target: str) -> bool:
        try:
            with self._opener.open(self._requests[target], timeout=TIMEOUT_SECONDS) as answer:
                return self._expected[target] in answer.read()
        except Exception:  # any failure, also of HTTP's syntax
            return False
