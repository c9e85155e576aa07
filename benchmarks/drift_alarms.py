"""Measure the drift detector: its rate of false alarms, and the number of drawings that it needs to detect a change.

    python benchmarks/drift_alarms.py --drawn /path/to/drawn.jsonl.gz

Run it in the project's top folder after `dvc repro`: it reads data/ and artifacts/model. Validation splits are the references,
test splits the traffic. The optional --drawn adds pen drawings that no network was trained on. The gzipped file has one JSON
object a line, {"label": "7", "donor": "gmd", "strokes": [[[x, y], ...], ...]}, in pixels of a canvas of 280 x 280. Labels are
digits or letters. Prints tables in Markdown.
"""

import argparse
import gzip
import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from digitnet.checkpoint import load
from digitnet.decision import Decision
from digitnet.images.normalize import in_bytes, in_unit_range
from digitnet.images.strokes import image_from_strokes
from digitnet.network import Network
from drift.blocks import SIZE
from drift.detector import TOLERANCES, Detector
from drift.reference import DIGITS, SUBJECTS, Drawings, Reference, measured
from drift.significance import binomial_tail
from trainer.data.digits import Split, joined, load_corrupted, load_drawings, load_splits, load_synthetic

SIZES = (100, 250, 500, 1000)  # Drawings in a block.
A_DAY = 5000  # Drawings: the default traffic.
NO_TOLERANCE = dict.fromkeys(TOLERANCES, 0.0)
NOISES = (0.4, 0.6)  # To make the network worse, relative to the weights' standard deviation.
BENFORD = np.log10(1.0 + 1.0 / np.arange(1, 10))  # The share of prices, lengths and populations that begin with 1 to 9.
FEEDBACK_SHARE, USUALLY_WRONG = 0.1, 0.1  # Shares: drawings with feedback, and feedback that corrects the prediction.


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--model", type=Path, default=Path("artifacts/model"))
    parser.add_argument("--drawn", type=Path)
    parser.add_argument("--days", type=int, default=1000)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    generator = np.random.default_rng(arguments.seed)
    reader = Reader(*load(arguments.model))
    splits, synthetic = load_splits(arguments.data / "digits.npz"), load_synthetic(arguments.data / "synthetic.npz")
    both = joined(splits["validation"], synthetic.digits("validation"))
    references = {
        "MNIST": reader.read(splits["validation"].images),
        "synthetic": reader.read(synthetic.digits("validation").images),
        "both": reader.read(both.images),
    }
    clean = {"MNIST": reader.read(splits["test"].images), "synthetic": reader.read(synthetic.digits("test").images)}
    other = {"synthetic non-digits": reader.read(synthetic.non_digits("test").images)}
    collections = {}
    if arguments.drawn:
        drawn, donors = read_drawn(arguments.drawn)
        other["letters"] = reader.read(drawn.images[drawn.labels == DIGITS])
        clean["pen-drawn"] = digits = reader.read(drawn.images[drawn.labels < DIGITS])
        donors = donors[drawn.labels < DIGITS]
        collections = {f"pen-drawn, {name}": digits.only(donors == name) for name in np.unique(donors)}

    detectors = {name: Detector(Reference.of(drawings)) for name, drawings in references.items()}
    conditions, condition, those = load_corrupted(arguments.data / "corrupted.npz")
    corrupted = {named: reader.read(those.images[condition == place]) for place, named in enumerate(conditions)}
    png = {f"PNG, {change} {value}": drawings for (source, change, value), drawings in corrupted.items() if source == "canvas"}
    png = {name.removesuffix(", none "): drawings for name, drawings in png.items() if "none" in name or "brush" in name}

    print_distances(detectors, clean | collections | png)
    print_in_order(detectors, clean)
    print_furthest(detectors, clean)
    print_false_alarms(generator, detectors, clean, collections, png["PNG"], arguments.days)
    strokes, _ = load_drawings(arguments.data / "synthetic.npz")
    strokes = [drawing for drawing, label in zip(strokes, synthetic.splits["test"].labels) if label < DIGITS]
    happening = changes(generator, reader, splits, synthetic, strokes, corrupted, clean, other)
    print_power(generator, detectors, happening, arguments.trials)


class Reader:
    """The model, with the predictions of the inference service."""

    def __init__(self, network, card):
        self.network, self.decision = network, Decision.of(card)

    def read(self, images) -> Drawings:
        found = self.decision.predictions(self.network.predict_logits(in_unit_range(images)), images)
        return measured(images, found.digit, found.probabilities.max(axis=1), ~found.is_digit)

    def worse(self, generator, noise) -> "Reader":
        """Return a reader with noise in the network's weights."""
        right = self.network.parameters
        wrong = right + (generator.standard_normal(right.size) * noise * right.std()).astype(right.dtype)
        network = Network(self.network.specification, right.dtype, wrong)
        return Reader(network, asdict(self.decision))

    def unsure(self, factor) -> "Reader":
        """Return a reader with the temperature multiplied by `factor`."""
        return Reader(self.network, asdict(self.decision) | {"temperature": self.decision.temperature * factor})


def read_drawn(file):
    """Return the images, the labels, 10 for letters, and the donors."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    images = in_bytes(np.stack([image_from_strokes(row["strokes"]) for row in rows]))
    labels = np.array([int(row["label"]) if row["label"].isdigit() else DIGITS for row in rows])
    return Split(images, labels), np.array([row["donor"] for row in rows])


def print_distances(detectors, traffic):
    """Print the distance of each kind of traffic from each reference."""
    print("\n| traffic | reference | " + " | ".join(SUBJECTS) + " |\n" + "|---" * (2 + len(SUBJECTS)) + "|", flush=True)
    for name, drawings in traffic.items():
        for of, detector in detectors.items():
            subjects = detector.test(drawings).subjects
            print(f"| {name} | {of} | " + " | ".join(f"{subjects[subject].effect:.2f}" for subject in SUBJECTS) + " |")


def print_in_order(detectors, clean):
    """Print the alarms for blocks in file order, where each writer's digits are together, as if people came one by one."""
    print(
        "\n| drawings as they stand in the file | reference | size of blocks | blocks | with an alarm | of |\n" + "|---" * 6 + "|"
    )
    for name, of in (("MNIST", "MNIST"), ("pen-drawn", "synthetic"), ("pen-drawn", "both")):
        for size in SIZES if name in clean else ():
            blocks = range(0, len(clean[name]) - size + 1, size)
            drifted = [detectors[of].test(clean[name].only(slice(start, start + size))).drifted for start in blocks]
            alarms = ", ".join(sorted({subject for subjects in drifted for subject in subjects}))
            print(f"| {name} | {of} | {size} | {len(blocks)} | {sum(map(bool, drifted))} | {alarms} |", flush=True)


def print_furthest(detectors, clean, size=1000):
    """Print the largest distance of such blocks from a reference, which a few writers alone can cause."""
    print(
        f"\n| the furthest of {size} in a row | reference | " + " | ".join(SUBJECTS) + " |\n" + "|---" * (2 + len(SUBJECTS)) + "|"
    )
    for name, of in (("MNIST", "MNIST"), ("pen-drawn", "synthetic")):
        if name in clean:
            blocks = [clean[name].only(slice(end - size, end)) for end in range(size, len(clean[name]) + 1, size)]
            looks = [detectors[of].test(block).subjects for block in blocks]
            furthest = (max(subjects[subject].effect for subjects in looks) for subject in SUBJECTS)
            print(f"| {name} | {of} | " + " | ".join(f"{effect:.2f}" for effect in furthest) + " |", flush=True)


def print_false_alarms(generator, detectors, clean, collections, png, days):
    print(f"\n| drawings of | reference | tolerance | size of blocks | days of {A_DAY:,} | alarms | a day | at most (95%) |")
    print("|---" * 8 + "|", flush=True)
    rounds = max(1, days // 10)
    for name in ("MNIST", "synthetic"):
        for size in SIZES:
            alarms = sum(alarms_where_nothing_differs(generator, clean[name], size) for _ in range(rounds))
            _print_alarms(f"{name} test", "others of them, redrawn every 10 days", "none", size, 10 * rounds, alarms)
    cases = [(name, name, clean[name]) for name in ("MNIST", "synthetic")]
    cases += [("MNIST", "both", clean["MNIST"]), ("PNG", "MNIST", png)]
    cases += [(name, of, clean[name]) for name in clean if name == "pen-drawn" for of in detectors]
    cases += [(name, "synthetic", drawings) for name, drawings in collections.items()]
    for name, of, drawings in cases:
        for size in SIZES:
            if size > len(drawings) // 2:
                continue  # With so few drawings, each block would have the same ones.
            alarms = sum(
                detectors[of].test(drawings.only(generator.choice(len(drawings), size, replace=False))).detected
                for _ in range(days * A_DAY // size)
            )
            _print_alarms(name, of, "as set", size, days, alarms)


def alarms_where_nothing_differs(generator, pool, size):
    """Count alarms in ten days without tolerance, one half of a pool against the other, to test the p-values."""
    order = generator.permutation(len(pool))
    reference, traffic = np.array_split(order, 2)
    detector = Detector(Reference.of(pool.only(reference)), NO_TOLERANCE)
    looks = 10 * A_DAY // size
    return sum(detector.test(pool.only(generator.choice(traffic, size, replace=False))).detected for _ in range(looks))


def _print_alarms(name, of, tolerance, size, days, alarms):
    most = alarms_at_most(alarms, days * A_DAY // size) * A_DAY / size
    print(f"| {name} | {of} | {tolerance} | {size} | {days} | {alarms} | {alarms / days:.4f} | {most:.4f} |", flush=True)


def alarms_at_most(alarms, looks):
    """Return the upper 95% bound of the alarm rate, given `alarms` in `looks` (Clopper and Pearson)."""
    low, high = alarms / looks, 1.0
    while alarms < looks and high - low > 1e-12:
        middle = (low + high) / 2.0
        more = binomial_tail(alarms + 1, looks, middle)
        low, high = (middle, high) if more < 0.95 else (low, middle)
    return high


def changes(generator, reader, splits, synthetic, strokes, corrupted, clean, other):
    """Return (name, reference, before, after, share of the changed drawings, share of corrections in the feedback)."""
    images = {"MNIST": splits["test"].images, "synthetic": synthetic.digits("test").images}
    labels = {"MNIST": splits["test"].labels, "synthetic": synthetic.digits("test").labels}
    for (source, change, value), drawings in corrupted.items():
        if (source, change) == ("canvas", "brush") and value != "20 pixels":
            yield f"PNG, a brush of {value}, not 20", "MNIST", corrupted["canvas", "none", ""], drawings, 1.0, None
        if change == "rotation" and source != "canvas":
            name = "MNIST" if source == "MNIST" else "synthetic"
            yield f"turned by {value}", name, clean[name], drawings, 1.0, None
    for radius in (1.0, 0.8, 1.6):
        redrawn = in_bytes(np.stack([image_from_strokes(drawing, pen_radius=radius) for drawing in strokes]))
        yield f"a pen of {radius} pixels, not 1.2", "synthetic", clean["synthetic"], reader.read(redrawn), 1.0, None
    for name, those in images.items():
        before = clean[name]
        yield "inverted ink", name, before, reader.read(255 - those), 1.0, None
        yield "shuffled pixels", name, before, reader.read(shuffled(generator, those)), 1.0, None
        for distance in (1, 2, 4):
            yield f"shifted by {distance} to the right", name, before, reader.read(shifted(those, distance)), 1.0, None
        for which, drawings in other.items():
            for share in (0.1, 0.3):
                yield f"{share:.0%} {which}", name, before, drawings, share, None
        for noise in NOISES:
            worse = reader.worse(generator, noise).read(those)
            yield f"a worse model, {np.mean(worse.digits == labels[name]):.1%} right", name, before, worse, 1.0, None
        yield "logits divided by 2", name, before, reader.unsure(2.0).read(those), 1.0, None
        yield "only ones", name, before, before.only(before.digits == 1), 1.0, None
        yield "half of them sevens", name, before, before.only(before.digits == 7), 0.5, None
        yield "Benford's digits", name, before, before.only(benford(generator, before.digits)), 1.0, None
        for wrong in (0.3, 0.5, 0.8):
            yield f"feedback on {FEEDBACK_SHARE:.0%}, {wrong:.0%} of it “wrong”", name, before, before, 1.0, wrong
    yield "synthetic digits come", "MNIST", clean["MNIST"], clean["synthetic"], 1.0, None
    yield "MNIST's digits come", "synthetic", clean["synthetic"], clean["MNIST"], 1.0, None
    if "pen-drawn" in clean:
        yield "pen-drawn digits come", "MNIST", clean["MNIST"], clean["pen-drawn"], 1.0, None


def shuffled(generator, images):
    return generator.permuted(images.reshape(len(images), -1), axis=1).reshape(images.shape)


def shifted(images, distance):
    moved = np.zeros_like(images)
    moved[:, :, distance:] = images[:, :, :-distance]
    return moved


def benford(generator, digits):
    """Choose drawings so that their digits follow the first digits of prices."""
    wanted = generator.choice(np.arange(1, 10), 3000, p=BENFORD)
    return np.array([generator.choice(np.flatnonzero(digits == digit)) for digit in wanted])


def print_power(generator, detectors, changes, trials):
    print("\nDrawings from the change to the alarm: the median, and what nine in ten need. Last, what blocks of 500 show.\n")
    print("| change | reference | " + " | ".join(f"blocks of {size}" for size in SIZES) + " | seen in |")
    print("|---" * (3 + len(SIZES)) + "|", flush=True)
    for name, of, before, after, share, wrong in changes:
        cells, seen = [], {}
        for size in SIZES:
            found = [until_seen(generator, detectors[of], before, after, share, wrong, size) for _ in range(trials)]
            needed = np.array([drawings for drawings, _ in found])
            median, most = (np.quantile(needed, at, method="inverted_cdf") for at in (0.5, 0.9))
            cells.append(f"{_needed(median)}, {_needed(most)}")
            if size == SIZE:
                seen = {subject: sum(subject in subjects for _, subjects in found) for subject in TOLERANCES}
        seen = ", ".join(subject for subject in sorted(seen, key=seen.get, reverse=True) if seen[subject] >= trials / 2)
        print(f"| {name} | {of} | {' | '.join(cells)} | {seen or 'nothing'} |", flush=True)


def until_seen(generator, detector, before, after, share, wrong, size):
    """Return the number of drawings from a change, anywhere in a block, to the alarm at a block's end, and the drifted subjects.

    Return infinity and no subjects if a day has no alarm.
    """
    clean, drawings = int(generator.integers(size)), 0
    while drawings < A_DAY:
        changed = np.arange(size) >= clean
        window = drawn_from(generator, before, after, changed & (generator.random(size) < share))
        feedback = (np.array([clean, size - clean] if wrong else [0, 0]) * FEEDBACK_SHARE).round().astype(int)  # Before, after.
        looked = detector.test(
            window, int(feedback.sum()), int(generator.binomial(feedback, [USUALLY_WRONG, wrong or 0.0]).sum())
        )
        drawings += size - clean
        if looked.detected:
            return drawings, looked.drifted
        clean = 0
    return math.inf, []


def drawn_from(generator, before, after, is_after):
    old, new = (part.only(generator.integers(len(part), size=len(is_after))) for part in (before, after))
    return replace(
        old,
        values=np.where(is_after[:, None], new.values, old.values),
        digits=np.where(is_after, new.digits, old.digits),
        rejected=np.where(is_after, new.rejected, old.rejected),
    )


def _needed(drawings):
    return "not in a day" if drawings > A_DAY else f"{drawings:,.0f}"


if __name__ == "__main__":
    main()
