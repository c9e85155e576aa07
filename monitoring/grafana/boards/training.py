"""Training: how it goes while it runs, how the pipeline's stages went, and what the last run brought."""

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
            "Whether a training is going on now.",
            "none",
            now("doodle_training_running"),
            steps=("blue", (1, "green")),
            loud=True,
        )
        .no_value("never")
        .mappings(said_as({0: ("idle", "blue"), 1: ("running", "green")})),
        figure(
            "Progress",
            "Part of the planned epochs that the training has behind it.",
            "percentunit",
            now("doodle_training_epochs / doodle_training_epochs_planned"),
        )
        .decimals(0)
        .no_value("no training"),
        figure(
            "Loss now",
            "Mean cross-entropy of the newest batch; of the last training in the time shown, if none is going on.",
            "none",
            over_time("doodle_training_loss"),
        )
        .decimals(3)
        .no_value("no training"),
        figure(
            "Test accuracy",
            "Share of the MNIST test digits that the last run's model reads right.",
            "percentunit",
            now("doodle_pipeline_test_accuracy_ratio"),
            steps=ACCURATE,
        )
        .decimals(2)
        .no_value("no results"),
        figure(
            "Stages failed",
            "Stages of the pipeline that failed the last time that they ran.",
            "none",
            now("count(doodle_pipeline_stage_success == 0) or vector(0)"),
            steps=("green", (1, "red")),
            loud=True,
        ),
        figure(
            "Newest results",
            "When the pipeline last measured a model.",
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
            "Mean cross-entropy of the newest batch, logarithmic. It falls fast, then slowly; if it rises, steps are too long.",
            "none",
            over_time("doodle_training_loss", "loss"),
            logarithmic=True,
        ).decimals(3),
        lines(
            "Accuracy",
            "Part of the newest batch that was read right. Batches are small, so it jumps.",
            "percentunit",
            over_time("doodle_training_accuracy_ratio", "accuracy"),
        ).max(1),
        lines(
            "Pictures per second",
            "Pictures that it learns from in a second. A dip: the machine has something else to do.",
            "none",
            over_time("doodle_training_pictures_per_second", "pictures"),
        ).decimals(0),
        lines(
            "Epochs",
            "How many times it has seen all pictures, and how many times it is to.",
            "none",
            over_time("doodle_training_epochs", "done"),
            over_time("doodle_training_epochs_planned", "planned"),
        ),
    ),
)

stages_table = rows_of(
    "Last run of each stage",
    "When each stage of the pipeline last ended, how long it took, and how it went.",
    now("max by (stage) (doodle_pipeline_stage_finished_timestamp_seconds) * 1000"),
    now("max by (stage) (doodle_pipeline_stage_seconds)"),
    now("max by (stage) (doodle_pipeline_stage_success)"),
    columns={"stage": "Stage", "Value #A": "Ended", "Value #B": "Took", "Value #C": "It"},
    joined_by="stage",
).no_value("–")
column(stages_table, "Ended", "dateTimeFromNow")
column(stages_table, "Took", "s", 1)
column(stages_table, "It", "none", texts=WENT)

stages = Line(
    9,
    (
        stages_table,
        bars(
            "Time of each stage",
            "How long each stage took, the last time. Together: what a model from scratch takes.",
            "s",
            now("sort_desc(doodle_pipeline_stage_seconds)", "{{stage}}"),
        ).decimals(1),
        states(
            "Stages over time",
            "How each stage had gone when it last ran. A strip begins when there is a first result.",
            over_time("doodle_pipeline_stage_success", "{{stage}}"),
            WENT,
        ),
    ),
)

results = Line(
    4,
    (
        figure(
            "Results there",
            "Whether there are results of a run that the exporter can read.",
            "none",
            now("doodle_pipeline_results_available"),
            steps=SOME_IS_GOOD,
            loud=True,
        ).mappings(said_as({0: ("no", "red"), 1: ("yes", "green")})),
        figure(
            "Test loss",
            "Mean cross-entropy on the test digits. It tells models apart whose accuracy is the same.",
            "none",
            now("doodle_pipeline_test_loss"),
            steps=("green", (0.06, "orange"), (0.15, "red")),
        ).decimals(4),
        figure(
            "Validation accuracy",
            "Part of the validation digits read right in the last epoch. It chose the weights; the test did not.",
            "percentunit",
            now('doodle_pipeline_accuracy_ratio{split="validation"}'),
            steps=ACCURATE,
        ).decimals(2),
        figure(
            "Learnt by heart",
            "How much better it reads what it learnt from than the validation digits. Far above zero it overfits.",
            "percentunit",
            now(
                'doodle_pipeline_accuracy_ratio{split="train"} - on (job, instance) '
                'doodle_pipeline_accuracy_ratio{split="validation"}'
            ),
            steps=("green", (0.01, "orange"), (0.03, "red")),
        ).decimals(2),
        figure("Epochs taken", "Epochs that training took.", "none", now("doodle_pipeline_epochs")),
        figure("Training took", "How long training took.", "s", now("doodle_pipeline_training_seconds")).decimals(1),
    ),
)

by_part = Line(
    8,
    (
        bars(
            "Accuracy by digit",
            "Share of the test digits read right, digit by digit, in the pipeline's last result. The bars begin at 90%.",
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
            "Mean cross-entropy in the last epoch. Training pictures are distorted, so theirs may well be the higher one.",
            "none",
            now("doodle_pipeline_loss", "{{split}}"),
        ).decimals(3),
        lines(
            "Test accuracy, run after run",
            "A step for each run that was measured in the time shown: choose a longer time to see the history.",
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
    about="How a training goes while it runs, how the pipeline's stages went, and what the last run brought.",
    sections={
        "At a glance": (glance,),
        "While it runs": (live,),
        "The pipeline": (stages,),
        "The last run": (results, by_part),
    },
    annotations=(
        Mark(
            "Results",
            "purple",
            f"{MEASURED} != on (job) ({MEASURED} offset $__interval)",
            "A run was measured",
        ),
    ),
)
