"""The Model board's part about drift: whether drawings are still like those that the model was measured on."""

from drift.blocks import SIZE

from boards.layout import Line
from boards.panels import NONE_IS_GOOD, bars, column, figure, lines, now, over_time, rows_of, said_as, states

WATCHED = {0: ("no", "blue"), 1: ("yes", "green")}
DRIFTED = {0: ("like them", "green"), 1: ("drifted", "red")}

found = Line(
    4,
    (
        figure(
            "Drifted",
            "In how many respects the newest window of drawings is unlike those that the model was measured on.",
            "none",
            now("sum(doodle_drift_detected)"),
            steps=NONE_IS_GOOD,
            loud=True,
        ).no_value("no window yet"),
        figure(
            "Windows that drifted",
            "Windows of drawings, in the time shown, in which something had drifted. An alert fires at two in six hours.",
            "none",
            now("increase(data_drift_detected_total[$__range])"),
            steps=NONE_IS_GOOD,
            loud=True,
        ).decimals(0),
        figure(
            "Windows looked at",
            "Windows of drawings held against the reference, in the time shown. Each drawing is in one.",
            "none",
            now("increase(doodle_drift_windows_total[$__range])"),
        ).decimals(0),
        bars(
            "In the next window",
            f"Drawings of the live model that wait for their window to be full, by form: {SIZE} of one form are one.",
            "none",
            now("doodle_drift_window_drawings", "{{form}}"),
        )
        .decimals(0)
        .max(SIZE)
        .no_value("not watched"),
        figure(
            "Watched",
            "Whether the live model has a reference that drawings are held against.",
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
    """How far the drawings of one form are from their reference: another pen draws what comes as pixels."""
    chosen = f'{{form="{form}"}}'
    subjects = rows_of(
        f"{name}: how far",
        "How far the newest window is from its reference, how far it may be, and whether more than chance lies between.",
        now(f"max by (subject) (doodle_drift_effect{chosen})"),
        now(f"max by (subject) (doodle_drift_tolerance{chosen})"),
        now(f"max by (subject) (doodle_drift_detected{chosen})"),
        columns={"subject": "Subject", "Value #A": "Is", "Value #B": "May be", "Value #C": "Drawings"},
        joined_by="subject",
    ).no_value("no window yet")
    column(subjects, "Is", "none", 3)
    column(subjects, "May be", "none", 3)
    column(subjects, "Drawings", "none", texts=DRIFTED)
    return Line(
        11,
        (
            subjects,
            lines(
                f"{name}: window after window",
                "The distance of each window from its reference, by subject. One that leaves the others: look at drawings.",
                "none",
                over_time(f"max by (subject) (doodle_drift_effect{chosen})", "{{subject}}"),
                stairs=True,
            ).no_value("no window yet"),
            states(
                f"{name}: drifted",
                "When something had drifted. Feedback is not judged before there is enough of it.",
                over_time(f"max by (subject) (doodle_drift_detected{chosen})", "{{subject}}"),
                DRIFTED,
            ).no_value("no window yet"),
        ),
    )


LINES = (found, of_form("strokes", "Strokes"), of_form("pixels", "Pictures"))
