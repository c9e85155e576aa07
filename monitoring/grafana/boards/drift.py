"""The drift section of the Model board: the distance of drawings from the live model's reference."""

from drift.blocks import SIZE

from boards.layout import Line
from boards.panels import NONE_IS_GOOD, bars, column, figure, lines, now, over_time, rows_of, said_as, states

WATCHED = {0: ("no", "blue"), 1: ("yes", "green")}
DRIFTED = {0: ("similar", "green"), 1: ("drifted", "red")}

found = Line(
    4,
    (
        figure(
            "Drifted",
            "Subjects that drifted in the newest window of drawings.",
            "none",
            now("sum(doodle_drift_detected)"),
            steps=NONE_IS_GOOD,
            loud=True,
        ).no_value("no window yet"),
        figure(
            "Windows that drifted",
            "Windows with drift, in the time range. An alert fires at two in six hours.",
            "none",
            now("increase(data_drift_detected_total[$__range])"),
            steps=NONE_IS_GOOD,
            loud=True,
        ).decimals(0),
        figure(
            "Windows tested",
            "Windows compared with the reference, in the time range. Each drawing is in one window.",
            "none",
            now("increase(doodle_drift_windows_total[$__range])"),
        ).decimals(0),
        bars(
            "Next window",
            f"Drawings in the incomplete window, by form. A window has {SIZE} drawings of one form.",
            "none",
            now("doodle_drift_window_drawings", "{{form}}"),
        )
        .decimals(0)
        .max(SIZE)
        .no_value("not watched"),
        figure(
            "Watched",
            "Whether the live model has a drift reference.",
            "none",
            now("doodle_drift_watched"),
            loud=True,
        )
        .no_value("unknown")
        .mappings(said_as(WATCHED)),
    ),
    (5, 5, 5, 5, 4),
)


def of_form(form: str, name: str) -> Line:
    """Return the panels for drawings of one form. Pixels and strokes have separate references, because their pens differ."""
    chosen = f'{{form="{form}"}}'
    subjects = rows_of(
        f"{name}: distance",
        "Distance of the newest window from its reference, the limit, and the result of the test.",
        now(f"max by (subject) (doodle_drift_effect{chosen})"),
        now(f"max by (subject) (doodle_drift_tolerance{chosen})"),
        now(f"max by (subject) (doodle_drift_detected{chosen})"),
        columns={"subject": "Subject", "Value #A": "Distance", "Value #B": "Limit", "Value #C": "Result"},
        joined_by="subject",
    ).no_value("no window yet")
    column(subjects, "Distance", "none", 3)
    column(subjects, "Limit", "none", 3)
    column(subjects, "Result", "none", texts=DRIFTED)
    return Line(
        11,
        (
            subjects,
            lines(
                f"{name}: distance over time",
                "Distance of each window from its reference, by subject. If one line leaves the others, look at the drawings.",
                "none",
                over_time(f"max by (subject) (doodle_drift_effect{chosen})", "{{subject}}"),
                stairs=True,
            ).no_value("no window yet"),
            states(
                f"{name}: drift over time",
                "Windows with drift, by subject. The test of feedback starts when there is enough of it.",
                over_time(f"max by (subject) (doodle_drift_detected{chosen})", "{{subject}}"),
                DRIFTED,
            ).no_value("no window yet"),
        ),
    )


LINES = (found, of_form("strokes", "Strokes"), of_form("pixels", "Images"))
