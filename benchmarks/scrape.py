"""Measure the time and size of a scrape of the service and the exporter.

    python benchmarks/scrape.py                               # of the running stack: docker compose up, or make run
    python benchmarks/scrape.py http://localhost:7000/metrics

Prometheus scrapes the service each second and the exporter every five seconds, and predictions wait meanwhile. Each row has 100
scrapes in a row on one connection, and their ratio to a health check, which does no work.
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
    """Return the milliseconds of each scrape, sorted, and the bytes of the last one."""
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
        print(f"scrape failed: {error}. Start Doodle first, or give its metrics' URL", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
