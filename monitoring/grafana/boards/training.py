"""The Training board: a training in progress, the pipeline's stages, and the results of the last run."""

from boards.layout import Board, Line, Mark
from boards.panels import SOME_IS_GOOD, bars, column, figure, lines, now, over_time, rows_of, said_as, states

ACCURATE = ("red", (0.95, "orange"), (0.98, "green"))
MEASURED = "doodle_pipeline_results_timestamp_seconds"
WENT = {0: ("failed", "red"), 1: ("succeeded", "green")}

glance = Line(
    4,
    (
        figure(
            "Training",
            "Whether a training runs now.",
            "none",
            now("doodle_training_running"),
            steps=("blue", (1, "green")),
            loud=True,
        )
        .no_value("never")
        .mappings(said_as({0: ("idle", "blue"), 1: ("running", "green")})),
        figure(
            "Progress",
            "Finished part of the planned epochs.",
            "percentunit",
            now("doodle_training_epochs / doodle_training_epochs_planned"),
        )
        .decimals(0)
        .no_value("no training"),
        figure(
            "Loss now",
            "Mean cross-entropy of the newest batch, or of the last training in the time range.",
            "none",
            over_time("doodle_training_loss"),
        )
        .decimals(3)
        .no_value("no training"),
        figure(
            "Test accuracy",
            "Accuracy of the last run's model on the MNIST test digits.",
            "percentunit",
            now("doodle_pipeline_test_accuracy_ratio"),
            steps=ACCURATE,
        )
        .decimals(2)
        .no_value("no results"),
        figure(
            "Stages failed",
            "Pipeline stages whose last run failed.",
            "none",
            now("count(doodle_pipeline_stage_success == 0) or vector(0)"),
            steps=("green", (1, "red")),
            loud=True,
        ),
        figure(
            "Newest results",
            "Time of the last evaluation of a model.",
            "dateTimeFromNow",
            now("doodle_pipeline_results_timestamp_seconds * 1000"),
        ).no_value("never"),
    ),
)

live = Line(
    8,
    (
        lines(
            "Loss",
            "Mean cross-entropy of the newest batch, on a logarithmic scale. If it rises, lower the learning rate.",
            "none",
            over_time("doodle_training_loss", "loss"),
            logarithmic=True,
        ).decimals(3),
        lines(
            "Accuracy",
            "Accuracy on the newest batch. Batches are small, so it jumps.",
            "percentunit",
            over_time("doodle_training_accuracy_ratio", "accuracy"),
        ).max(1),
        lines(
            "Images per second",
            "Training images per second. It dips when other processes use the CPU.",
            "none",
            over_time("doodle_training_pictures_per_second", "images"),
        ).decimals(0),
        lines(
            "Epochs",
            "Finished and planned passes over the training images.",
            "none",
            over_time("doodle_training_epochs", "done"),
            over_time("doodle_training_epochs_planned", "planned"),
        ),
    ),
)

stages_table = rows_of(
    "Last run of each stage",
    "End, duration and result of each stage's last run.",
    now("max by (stage) (doodle_pipeline_stage_finished_timestamp_seconds) * 1000"),
    now("max by (stage) (doodle_pipeline_stage_seconds)"),
    now("max by (stage) (doodle_pipeline_stage_success)"),
    columns={"stage": "Stage", "Value #A": "Ended", "Value #B": "Duration", "Value #C": "Result"},
    joined_by="stage",
).no_value("–")
column(stages_table, "Ended", "dateTimeFromNow")
column(stages_table, "Duration", "s", 1)
column(stages_table, "Result", "none", texts=WENT)

stages = Line(
    9,
    (
        stages_table,
        bars(
            "Time of each stage",
            "Duration of each stage's last run. The sum is the time for a model from scratch.",
            "s",
            now("sort_desc(doodle_pipeline_stage_seconds)", "{{stage}}"),
        ).decimals(1),
        states(
            "Stages over time",
            "Result of each stage's last run. A strip starts at the first result.",
            over_time("doodle_pipeline_stage_success", "{{stage}}"),
            WENT,
        ),
    ),
)

results = Line(
    4,
    (
        figure(
            "Results available",
            "Whether the exporter can read results of a run.",
            "none",
            now("doodle_pipeline_results_available"),
            steps=SOME_IS_GOOD,
            loud=True,
        ).mappings(said_as({0: ("no", "red"), 1: ("yes", "green")})),
        figure(
            "Test loss",
            "Mean cross-entropy on the test digits. It ranks models of equal accuracy.",
            "none",
            now("doodle_pipeline_test_loss"),
            steps=("green", (0.06, "orange"), (0.15, "red")),
        ).decimals(4),
        figure(
            "Validation accuracy",
            "Accuracy on the validation digits in the last epoch. Training selects weights by it, never by the test digits.",
            "percentunit",
            now('doodle_pipeline_accuracy_ratio{split="validation"}'),
            steps=ACCURATE,
        ).decimals(2),
        figure(
            "Overfitting",
            "Accuracy on training images minus accuracy on validation digits. Far above zero the model overfits.",
            "percentunit",
            now(
                'doodle_pipeline_accuracy_ratio{split="train"} - on (job, instance) '
                'doodle_pipeline_accuracy_ratio{split="validation"}'
            ),
            steps=("green", (0.01, "orange"), (0.03, "red")),
        ).decimals(2),
        figure("Epochs taken", "Epochs of the last training.", "none", now("doodle_pipeline_epochs")),
        figure("Training time", "Duration of the last training.", "s", now("doodle_pipeline_training_seconds")).decimals(1),
    ),
)

by_part = Line(
    8,
    (
        bars(
            "Accuracy by digit",
            "Accuracy on the test digits, by digit, in the last run. The bars start at 90%.",
            "percentunit",
            now("doodle_pipeline_digit_accuracy_ratio", "{{digit}}"),
            steps=ACCURATE,
            upright=True,
        )
        .decimals(1)
        .min(0.9)
        .max(1),
        bars(
            "Loss by split",
            "Mean cross-entropy in the last epoch. Augmentation can make the training loss the higher one.",
            "none",
            now("doodle_pipeline_loss", "{{split}}"),
        ).decimals(3),
        lines(
            "Accuracy over runs",
            "One step for each run in the time range. Select a longer range for the history.",
            "percentunit",
            over_time("doodle_pipeline_test_accuracy_ratio", "test"),
            over_time("doodle_pipeline_accuracy_ratio", "{{split}}"),
            stairs=True,
            from_zero=False,
        ).decimals(2),
    ),
    (10, 5, 9),
)

BOARD = Board(
    name="Training",
    about="A training in progress, the pipeline's stages, and the results of the last run.",
    sections={
        "At a glance": (glance,),
        "In progress": (live,),
        "Pipeline stages": (stages,),
        "Last run": (results, by_part),
    },
    annotations=(
        Mark(
            "Results",
            "purple",
            f"{MEASURED} != on (job) ({MEASURED} offset $__interval)",
            "Results of a run",
        ),
    ),
)
