"""synthesize: write synthetic digits in styles that MNIST lacks, and non-digits.

Each page has one writer and its own random generator. So no two splits share a writer, and the same settings make the same
bytes on any number of processes.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
from digitnet.arrays import IMAGE_SIDE, Arrays, Bytes, Integers
from digitnet.checkpoint import npz_bytes, write_atomically
from digitnet.images.normalize import in_bytes
from digitnet.images.strokes import PEN_RADIUS, image_from_strokes
from digitnet.network import NO_DIGIT

from trainer.data.digits import SPLITS, Drawing, drawing_arrays
from trainer.data.pool import map_in_processes
from trainer.data.strokes import Forms
from trainer.settings import SynthesizeSettings

log = logging.getLogger(__name__)

PAGE = 20  # images by one writer: two of each digit, or 20 non-digits
PAGES_A_JOB = 50
read_once = cache(Forms)


@dataclass(frozen=True)
class Job:
    """Some pages of a split, with digits or with non-digits."""

    seed: int
    split: int
    digits: bool
    first: int  # among the split's digits or non-digits
    end: int


def synthesize(settings: SynthesizeSettings, file: Path) -> None:
    """Write one .npz: form_names, and for each split _pictures uint8 (n, 28, 28), _labels uint8 (n,) and _forms uint16 (n,).

    A label is 10 for no digit; _forms are indices into form_names. A split's digits come first, then its non-digits. The
    test split has its drawings too, in the format of drawing_arrays.
    """
    jobs = [job for split in range(len(SPLITS)) for job in _jobs(settings, split)]
    made = map_in_processes(_make, jobs)
    arrays: Arrays = {"form_names": np.array(read_once().names)}
    for number, split in enumerate(SPLITS):
        parts = [part for job, part in zip(jobs, made, strict=True) if job.split == number]
        *values, drawings = zip(*parts, strict=True)
        for name, of_jobs in zip(("pictures", "labels", "forms"), values, strict=True):
            arrays[f"{split}_{name}"] = np.concatenate(of_jobs)
        if split == "test":
            arrays |= drawing_arrays(list(chain.from_iterable(drawings)))
        log.info("%s: %d digits and %d non-digits", split, *settings.sizes(split))
    write_atomically(file, npz_bytes(arrays))


def _jobs(settings: SynthesizeSettings, split: int) -> Iterator[Job]:
    for digits, count in zip((True, False), settings.sizes(SPLITS[split]), strict=True):
        for first in range(0, max(count, 1), PAGE * PAGES_A_JOB):  # at least one job, so that an empty split has arrays too
            yield Job(settings.seed, split, digits, first, min(first + PAGE * PAGES_A_JOB, count))


def _make(job: Job) -> tuple[Bytes, Integers, Integers, list[Drawing]]:
    """Return the job's images, labels and forms, and the drawings of the test split."""
    forms = read_once()
    numbers = {name: number for number, name in enumerate(forms.names)}
    count = job.end - job.first
    images = np.empty((count, IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    labels, form_numbers, drawings = np.full(count, NO_DIGIT, np.uint8), np.empty(count, np.uint16), list[Drawing]()
    for index in range(count):
        page, place = divmod(job.first + index, PAGE)
        if place == 0:
            generator = np.random.default_rng([job.seed, job.split, job.digits, page])
            writer = forms.writer(generator)
        if job.digits:
            labels[index] = place % 10
            strokes, name = forms.digit(place % 10, generator, writer)
        else:
            strokes, name = forms.non_digit(generator, writer)
        # Held-out splits use the pen of /predict for strokes; corrupt measures other pens.
        pen = writer.pen if SPLITS[job.split] == "training" else PEN_RADIUS
        images[index] = in_bytes(image_from_strokes(strokes, pen_radius=pen))
        form_numbers[index] = numbers[name]
        if SPLITS[job.split] == "test":
            drawings.append(strokes)
    return images, labels, form_numbers, drawings
