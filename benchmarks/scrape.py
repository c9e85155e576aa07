"""What a scrape costs: how long the service and the exporter take for it, and how much they send.

    python benchmarks/scrape.py                               # of what runs here, by docker compose up or make run
    python benchmarks/scrape.py http://localhost:7000/metrics

Prometheus asks the service each second and the exporter every five: what it costs is taken from those who draw. Each row is of
100 scrapes in a row, on one connection. Beside them stands a health check, which does nothing: the ratio says what of it is the
scrape.
"""

import argparse
import statistics
import sys
import time
from urllib.parse import urljoin

import httpx

SCRAPES = 100
URLS = ("http://localhost:7000/metrics", "http://localhost:18000/metrics")


def timed(client: httpx.Client, url: str) -> tuple[list[float], int]:
    """Milliseconds of each, sorted, and the bytes of the last."""
    took = []
    for _ in range(SCRAPES):
        began = time.perf_counter()
        answer = client.get(url, headers={"Accept": "text/plain", "Accept-Encoding": "identity"})
        took.append((time.perf_counter() - began) * 1e3)
        answer.raise_for_status()
    return sorted(took), len(answer.content)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("urls", nargs="*", default=URLS)
    urls = parser.parse_args().urls
    print("| scrape | median ms | 95% within ms | times a health check | KB |")
    print("|---|---|---|---|---|")
    try:
        with httpx.Client(trust_env=False, timeout=10.0) as client:
            for url in urls:
                idle, _ = timed(client, urljoin(url, "healthz"))
                took, size = timed(client, url)
                median, usual = statistics.median(took), took[int(0.95 * SCRAPES)]
                print(f"| {url} | {median:.1f} | {usual:.1f} | {median / statistics.median(idle):.1f} | {size / 1e3:.0f} |")
    except httpx.HTTPError as error:
        print(f"cannot be scraped: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
