"""Size and free space of the disks with the models and the pipeline's results."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from prometheus_client.core import Metric

from exporter.scrape import gauge_by


class DiskCollector:
    """Reports one sample per folder. A missing folder has no sample, and is no failure."""

    name = "disk"

    def __init__(self, folders: Mapping[str, Path]):
        self._folders = folders

    def collect(self) -> Iterator[Metric]:
        size: dict[str, float] = {}
        free: dict[str, float] = {}
        for name, folder in self._folders.items():
            with suppress(FileNotFoundError):
                size[name], _, free[name] = shutil.disk_usage(folder)
        yield gauge_by("folder", "doodle_disk_size_bytes", "Size of the folder's disk.", size)
        yield gauge_by("folder", "doodle_disk_free_bytes", "Free space on the folder's disk.", free)
