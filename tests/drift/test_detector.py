"""The detector names what drifted and keeps its false alarm rate."""

from dataclasses import replace

import numpy as np
import pytest
from drift.detector import EXPECTED_WRONG, LEAST_DRAWINGS, LEAST_FEEDBACK, TOLERANCES, Detector
from drift.reference import SUBJECTS, Reference

NO_TOLERANCE = dict.fromkeys(TOLERANCES, 0.0)
ALL_AT_ONCE = {"alarms_a_day": 0.2, "drawings_a_day": 1}  # one window may spend the whole alarm rate, so that it can be measured


@pytest.fixture(scope="module")
def detector(population):
    return Detector(Reference.of(population(np.random.default_rng(1), 5000)))


def changed(drawings, subject, by):
    values = drawings.values.copy()
    values[:, SUBJECTS.index(subject)] += by
    return replace(drawings, values=values)


def with_rejected(drawings, count):
    return replace(drawings, rejected=np.arange(len(drawings)) < count)


@pytest.mark.parametrize(
    ("of_reference", "of_window", "looks"),
    [(2000, 200, 60), *(pytest.param(*sizes, 300, marks=pytest.mark.slow) for sizes in ((2000, 200), (400, 400)))],
)
def test_p_values_and_alarm_rate_hold_without_drift(generator, population, of_reference, of_window, looks):
    p, alarms = [], 0
    for _ in range(looks):
        detector = Detector(Reference.of(population(generator, of_reference)), NO_TOLERANCE, **ALL_AT_ONCE)
        findings = detector.test(population(generator, of_window))
        p.append([findings.subjects[name].p for name in SUBJECTS])
        alarms += findings.detected
    p = np.array(p)
    # 300 looks at nine independent values give shares within 0.03. Histogram and strata make p at most five times too large.
    for level in (0.05, 0.2, 0.5):
        assert 0.2 * level < np.mean(p < level) < level + 0.03
    assert 0.02 * looks < alarms < 0.27 * looks


def test_another_digit_mix_is_no_drift_of_features(generator, population):
    detector = Detector(Reference.of(population(generator, 5000)), NO_TOLERANCE)
    small_p = 0
    for _ in range(20):
        window = population(generator, 250, generator.choice([0, 1, 2], 250))
        findings = detector.test(window)
        small_p += sum(findings.subjects[name].p < 0.01 for name in SUBJECTS)
        assert findings.drifted == ["digit_mix"]
    assert np.mean(window.values[:, 0]) < 0.5  # the reference's mean is 0.9
    assert small_p <= 6  # 1.8 of 180 are expected


@pytest.mark.parametrize("subject", SUBJECTS)
def test_names_only_the_drifted_subject(detector, generator, population, subject):
    findings = detector.test(changed(population(generator, 250), subject, -0.05 if subject == "confidence" else 3.0))
    assert findings.drifted == [subject]
    assert findings.detected
    assert findings.subjects[subject].effect > 0.3
    assert findings.subjects[subject].p < 1e-5


def test_a_clean_window_has_no_drift(detector, generator, population):
    findings = detector.test(population(generator, 250), feedback=40, feedback_wrong=8)
    assert set(findings.subjects) == set(TOLERANCES)
    assert (findings.drifted, findings.detected) == ([], False)


def test_a_difference_within_the_tolerance_is_no_drift(detector, generator, population):
    window = population(generator, 10_000)
    little = detector.test(changed(window, "slant", 0.3)).subjects["slant"]
    assert 0.05 < little.effect < little.tolerance
    assert (little.p, little.drifted) == (1.0, False)
    assert detector.test(changed(window, "slant", 1.0)).subjects["slant"].drifted


def test_a_small_window_raises_no_alarm(detector, generator, population):
    for count in (0, 1, LEAST_DRAWINGS - 1):
        window = with_rejected(changed(population(generator, count), "ink", 99.0), count)
        findings = detector.test(window, feedback=100, feedback_wrong=100)
        assert (findings.subjects, findings.detected) == ({}, False)
    assert detector.test(changed(population(generator, LEAST_DRAWINGS), "ink", 99.0)).detected


def test_more_rejections_are_drift_and_fewer_are_not(detector, generator, population):
    window = population(generator, 250)
    assert detector.test(with_rejected(window, 40)).drifted == ["rejected"]
    assert detector.test(with_rejected(window, 6)).drifted == []
    none = detector.test(with_rejected(window, 0)).subjects["rejected"]
    assert (none.effect < 0.0, none.p) == (True, 1.0)


def test_feedback_is_tested_if_there_is_enough(detector, generator, population):
    window = population(generator, 250)
    assert detector.test(window, 25, 20).drifted == ["feedback_error"]
    assert detector.test(window, 25, 20).subjects["feedback_error"].effect == pytest.approx(0.8 - EXPECTED_WRONG)
    assert detector.test(window, 25, 6).drifted == []
    few = detector.test(window, LEAST_FEEDBACK - 1, LEAST_FEEDBACK - 1)
    assert "feedback_error" not in few.subjects
    assert not few.detected


def test_tolerates_benford_s_digits_but_not_ones_alone(detector, generator, population):
    prices = np.log10(1.0 + 1.0 / np.arange(1, 10))
    findings = detector.test(population(generator, 1000, generator.choice(np.arange(1, 10), 1000, p=prices)))
    assert 0.2 < findings.subjects["digit_mix"].effect < 0.4
    assert findings.drifted == []
    assert detector.test(population(generator, 250, np.ones(250, int))).drifted == ["digit_mix"]


def test_is_deterministic_and_order_free(detector, generator, population):
    window = population(generator, 250)
    findings = detector.test(window, 30, 5)
    assert detector.test(window.only(generator.permutation(250)), 30, 5) == findings
    assert Detector(Reference.from_dict(detector.reference.to_dict())).test(window, 30, 5) == findings


def test_splits_the_daily_alarm_rate_over_windows(detector):
    for size in (100, 250, 1000):
        assert detector.significance(size) * len(TOLERANCES) * 5000 / size == pytest.approx(0.01)
    assert detector.significance(50_000) == detector.significance(5000)  # at most one day's rate


def test_detects_shuffled_inverted_and_shifted_images(generator, images, measure_images):
    detector = Detector(Reference.of(measure_images(images(generator, 600))))
    clean = images(generator, 200)
    assert detector.test(measure_images(clean)).drifted == []
    shuffled = generator.permuted(clean.reshape(200, -1), axis=1).reshape(clean.shape)
    assert {"smoothness", "euler_number"} <= set(detector.test(measure_images(shuffled)).drifted)
    assert "ink" in detector.test(measure_images(255 - clean)).drifted
    assert detector.test(measure_images(np.roll(clean, 3, axis=1))).drifted == ["centre_y"]


def test_detects_blank_images(generator, images, measure_images):
    detector = Detector(Reference.of(measure_images(images(generator, 600))))
    findings = detector.test(measure_images(np.zeros((250, 28, 28), np.uint8)))
    assert {"ink", "stroke_width", "smoothness"} <= set(findings.drifted)
    blanks = Detector(Reference.of(measure_images(np.zeros((600, 28, 28), np.uint8))))
    assert blanks.test(measure_images(np.zeros((250, 28, 28), np.uint8))).drifted == []
