"""Every name, unit and label as Prometheus wants them (prometheus.io/docs/practices/naming), by the golden scrape."""

import re
import subprocess
from pathlib import Path

from drift.reference import SUBJECTS
from prometheus_client.parser import text_string_to_metric_families

GOLDEN = Path(__file__).with_name("golden.txt").read_text()
LABEL_VALUES = {
    "pointer": {"live", "candidate"},
    "split": {"train", "validation"},
    "digit": set("0123456789"),
    "collector": {"model", "pipeline", "stages", "journal", "feedback", "drift", "disk"},
    "stage": {"fetch", "preprocess", "synthesize", "disturb", "train", "evaluate", "serve", "test", "end"},
    "data": {"0123456789ab"},
    "folder": {"models", "artifacts"},
    "form": {"strokes"},
    "subject": {*SUBJECTS, "digit_mix", "rejected", "feedback_error"},
    "actual": {*"0123456789", "none"},
    "verdict": {"right", "wrong", "no_digit", "unknown"},
    "version": {"<live version>", "<candidate version>"},  # one a pointer, as there is one sample a pointer
}


def test_names_end_in_their_unit_ratios_are_ratios_and_labels_have_known_values():
    for family in text_string_to_metric_families(GOLDEN):
        # data_drift_detected is older than the prefix.
        assert re.fullmatch(r"(doodle|process)(_[a-z]+)+|data_drift_detected", family.name)
        assert {"seconds", "bytes", "ratio"} & set(family.name.split("_")) <= {family.name.split("_")[-1]}
        assert re.fullmatch(r"[A-Z0-9].*\.", family.documentation)
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter")
            assert not sample.name.endswith("_ratio") or 0 <= sample.value <= 1
            assert all(value in LABEL_VALUES[label] for label, value in sample.labels.items()), sample


def test_promtool_finds_nothing_to_say(require):
    checked = subprocess.run(
        [require("promtool"), "check", "metrics"], input=GOLDEN, capture_output=True, text=True, timeout=30, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
