"""Every name, unit, type and help text as Prometheus wants them (prometheus.io/docs/practices/naming), by the golden scrape."""

import re
import subprocess
from pathlib import Path

import pytest
from drift.reference import SUBJECTS
from prometheus_client.parser import text_string_to_metric_families

GOLDEN = Path(__file__).with_name("golden.txt").read_text()
FAMILIES = [*text_string_to_metric_families(GOLDEN)]
UNITS_THAT_ARE_NOT_BASE = {"milliseconds", "microseconds", "minutes", "hours", "days", "ms", "kilobytes", "megabytes", "percent"}
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


def exposed(family):
    return family.name + ("_total" if family.type == "counter" else "")


each_family = pytest.mark.parametrize("family", FAMILIES, ids=exposed)


def test_no_metric_of_the_contract_is_missing():
    assert {exposed(family) for family in FAMILIES} == {
        "doodle_store_pointer_info",
        "doodle_store_model_data_info",
        "doodle_store_versions",
        "doodle_store_model_accuracy_ratio",
        "doodle_store_model_parameters",
        "doodle_store_model_size_bytes",
        "doodle_store_model_trained_timestamp_seconds",
        "doodle_store_model_training_seconds",
        "doodle_pipeline_results_available",
        "doodle_pipeline_results_timestamp_seconds",
        "doodle_pipeline_test_accuracy_ratio",
        "doodle_pipeline_test_loss",
        "doodle_pipeline_digit_accuracy_ratio",
        "doodle_pipeline_epochs",
        "doodle_pipeline_loss",
        "doodle_pipeline_accuracy_ratio",
        "doodle_pipeline_training_seconds",
        "doodle_pipeline_stage_finished_timestamp_seconds",
        "doodle_pipeline_stage_seconds",
        "doodle_pipeline_stage_success",
        "doodle_training_running",
        "doodle_training_epochs",
        "doodle_training_epochs_planned",
        "doodle_training_loss",
        "doodle_training_accuracy_ratio",
        "doodle_training_pictures_per_second",
        "doodle_feedback_received_total",
        "doodle_feedback_recent",
        "doodle_feedback_recent_agreement_ratio",
        "data_drift_detected_total",
        "doodle_drift_windows_total",
        "doodle_drift_watched",
        "doodle_drift_window_drawings",
        "doodle_drift_detected",
        "doodle_drift_effect",
        "doodle_drift_tolerance",
        "doodle_disk_size_bytes",
        "doodle_disk_free_bytes",
        "doodle_journal_up",
        "doodle_journal_predictions_total",
        "doodle_journal_predictions_kept",
        "doodle_journal_feedback_total",
        "doodle_journal_last_prediction_timestamp_seconds",
        "doodle_journal_durable",
        "doodle_journal_size_bytes",
        "doodle_journal_delayed_syncs_total",
        "doodle_journal_memory_bytes",
        "doodle_journal_memory_limit_bytes",
        "doodle_exporter_collector_success",
        "doodle_exporter_collector_duration_seconds",
        "process_cpu_seconds_total",
        "process_max_fds",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "process_virtual_memory_bytes",
    }


@each_family
def test_the_name_is_lower_case_with_our_prefix(family):
    """Or that of what any process says of itself. data_drift_detected is older than the habit."""
    assert re.fullmatch(r"(doodle|process)(_[a-z]+)+|data_drift_detected", family.name)


@each_family
def test_total_ends_the_name_of_a_counter_and_of_nothing_else(family):
    assert family.type in ("counter", "gauge")
    names = {sample.name for sample in family.samples}
    assert all(name.endswith("_total") == (family.type == "counter") for name in names | {exposed(family)})


@each_family
def test_the_unit_is_a_base_unit(family):
    assert not UNITS_THAT_ARE_NOT_BASE & set(family.name.split("_"))


@each_family
def test_a_name_with_a_unit_ends_with_it(family):
    units = {"seconds", "bytes", "ratio"} & set(family.name.split("_"))
    assert units <= {family.name.split("_")[-1]}


@each_family
def test_the_help_is_a_sentence(family):
    assert re.fullmatch(r"[A-Z0-9].*\.", family.documentation)


@each_family
def test_every_label_has_known_values(family):
    for sample in family.samples:
        for label, value in sample.labels.items():
            assert value in LABEL_VALUES[label]


@each_family
def test_a_ratio_is_from_0_to_1(family):
    if family.name.endswith("_ratio"):
        assert family.samples
        assert all(0 <= sample.value <= 1 for sample in family.samples)


def test_promtool_finds_nothing_to_say(require):
    checked = subprocess.run(
        [require("promtool"), "check", "metrics"], input=GOLDEN, capture_output=True, text=True, timeout=30, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
