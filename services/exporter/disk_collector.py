"""The disks on which models and the pipeline's results lie: how large they are, and what is free."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric


class DiskError(Exception):
    """A folder's disk cannot be asked; the message names the folder."""


class DiskCollector:
    """By what a folder is for. One that is not there yet has no sample, and that is no failure.

    Volumes of one engine lie on one disk as a rule, the prediction log's among them, which no folder here shows.
    """

    name = "disk"

    def __init__(self, folders: Mapping[str, Path]):
        self._folders = folders

    def collect(self) -> Iterator[Metric]:
        """What is known; then DiskError if a folder's disk cannot be asked."""
        size = GaugeMetricFamily("doodle_disk_size_bytes", "Bytes of the disk that the folder is on.", labels=["folder"])
        free = GaugeMetricFamily("doodle_disk_free_bytes", "Bytes of it that are free to write.", labels=["folder"])
        problems = []
        for name, folder in self._folders.items():
            try:
                usage = shutil.disk_usage(folder)
            except FileNotFoundError:
                continue
            except OSError as error:
                problems.append(f"the disk of {folder} cannot be asked: {error.strerror}")
                continue
            size.add_metric([name], usage.total)
            free.add_metric([name], usage.free)
        yield size
        yield free
        if problems:
            raise DiskError("; ".join(problems))
