"""The Model board: predictions, confidence, feedback, drift and versions."""

from boards import drift
from boards.layout import Board, Line, Mark
from boards.panels import NONE_IS_GOOD, bars, column, figure, lines, now, over_time, rows_of

ACCURATE = ("red", (0.95, "orange"), (0.98, "green"))
CONTENT = ("red", (0.8, "orange"), (0.95, "green"))  # users correct errors more often than they confirm predictions
LIVE = 'doodle_store_pointer_info{pointer="live"}'

answered = "sum(increase(doodle_digits_total[{span}]))"
rejected = "sum(increase(doodle_not_digits_total[{span}]))"
rejection = f"{rejected} / ({rejected} + {answered} > 0)"
unsure = (
    'sum(rate(doodle_prediction_confidence_ratio_bucket{{le="{most}"}}[$__rate_interval]))'
    " / (sum(rate(doodle_prediction_confidence_ratio_count[$__rate_interval])) > 0)"
)
agreement = (
    'sum(increase(doodle_shadow_predictions_total{{outcome="agree"}}[{span}]))'
    " / (sum(increase(doodle_shadow_predictions_total[{span}])) > 0)"
)

glance = Line(
    4,
    (
        figure(
            "Live version",
            "Version of the alias live in the model store. Replicas load it within seconds.",
            "none",
            now(LIVE, "{{version}}"),
            names=True,
        ).no_value("none yet"),
        figure(
            "Accuracy",
            "Accuracy of the live model on the MNIST test digits, from its card.",
            "percentunit",
            now('doodle_store_model_accuracy_ratio{pointer="live"}'),
            steps=ACCURATE,
        )
        .decimals(2)
        .no_value("not measured"),
        figure(
            "Feedback confirms",
            "Ratio of confirmations in the newest feedback, at most 100 items.",
            "percentunit",
            over_time("doodle_feedback_recent_agreement_ratio"),
            steps=CONTENT,
        )
        .decimals(1)
        .no_value("no feedback"),
        figure(
            "Mean confidence",
            "Mean probability of predicted digits, in the time range. It falls with unfamiliar drawings.",
            "percentunit",
            now(
                "sum(increase(doodle_prediction_confidence_ratio_sum[$__range]))"
                " / (sum(increase(doodle_prediction_confidence_ratio_count[$__range])) > 0)"
            ),
            steps=("red", (0.7, "orange"), (0.85, "green")),
        )
        .decimals(1)
        .no_value("no digits"),
        figure(
            "Not a digit",
            "Ratio of drawings classified as no digit, in the time range.",
            "percentunit",
            now(rejection.format(span="$__range")),
            steps=("green", (0.1, "orange"), (0.3, "red")),
        )
        .decimals(1)
        .no_value("no drawings"),
        figure(
            "Candidate",
            "Version that predicts live drawings in shadow. Users never get its predictions.",
            "none",
            now("count by (version) (doodle_candidate_info)", "{{version}}"),
            names=True,
        ).no_value("none"),
    ),
)

answers = Line(
    8,
    (
        bars(
            "Digits predicted",
            "Predictions of each digit, in the time range.",
            "none",
            now("sum by (digit) (increase(doodle_digits_total[$__range]))", "{{digit}}"),
            upright=True,
        ).decimals(0),
        lines(
            "Digits per second",
            "Predictions of each digit per second. If one band grows alone, the model may predict one digit for everything.",
            "cps",
            over_time("sum by (digit) (rate(doodle_digits_total[$__rate_interval]))", "{{digit}}"),
            stacked=True,
        ),
    ),
)

confidence = Line(
    8,
    (
        bars(
            "Confidence of predictions",
            "Predictions by probability, in the time range. A label is the bar's upper end. Most should be at the right.",
            "none",
            now("sum by (le) (increase(doodle_prediction_confidence_ratio_bucket[$__range]))", "{{le}}").format("heatmap"),
            upright=True,
        ).decimals(0),
        lines(
            "Unsure predictions",
            "Ratio of predictions with a probability below 90%, and below 50%. It rises with unfamiliar drawings.",
            "percentunit",
            over_time(unsure.format(most="0.9"), "below 90%"),
            over_time(unsure.format(most="0.5"), "below 50%"),
            steps=("green", (0.2, "red")),
        ),
        lines(
            "Classified as no digit",
            "Ratio of drawings classified as no digit. It rises with scribbles and blank drawings.",
            "percentunit",
            over_time(rejection.format(span="$__rate_interval"), "no digit"),
            steps=("green", (0.3, "red")),
        ),
    ),
)

feedback = Line(
    8,
    (
        lines(
            "Confirmations",
            "Ratio of confirmations in the newest feedback, at most 100 items.",
            "percentunit",
            over_time("doodle_feedback_recent_agreement_ratio", "confirms"),
            steps=("red", (0.8, "green")),
        ).max(1),
        bars(
            "Feedback by verdict",
            "Feedback in the time range: right, wrong, or no digit.",
            "none",
            now("sum by (verdict) (increase(doodle_feedback_total[$__range]))", "{{verdict}}"),
        ).decimals(0),
        bars(
            "Confirmations by digit",
            "Ratio of right predictions for each digit, in all feedback in the prediction log.",
            "percentunit",
            now(
                'sum by (actual) (doodle_feedback_received_total{verdict="right"})'
                ' / (sum by (actual) (doodle_feedback_received_total{verdict=~"right|wrong"}) > 0)',
                "{{actual}}",
            ),
            steps=CONTENT,
            upright=True,
        )
        .decimals(0)
        .max(1)
        .no_value("no feedback"),
        bars(
            "Feedback by digit",
            "Feedback in the prediction log, by the digit that users reported. none: no digit.",
            "none",
            now("sum by (actual) (doodle_feedback_received_total)", "{{actual}}"),
            upright=True,
        ).decimals(0),
        figure(
            "Newest feedback",
            "Feedback behind the ratio of confirmations, at most 100 items. The alert needs 50.",
            "none",
            now("doodle_feedback_recent"),
            steps=("orange", (50, "green")),
        ).no_value("none"),
    ),
    (5, 4, 7, 5, 3),
)

served = Line(
    8,
    (
        lines(
            "Version served, by replicas",
            "Replicas that serve each version. After a release one color replaces the other. If both stay, a replica refused the "
            "new version.",
            "none",
            over_time("count by (version) (doodle_model_info)", "{{version}}"),
            stacked=True,
            stairs=True,
        ).decimals(0),
        lines(
            "Candidate agrees with the live model",
            "Ratio of live drawings with equal predictions. No line without a candidate.",
            "percentunit",
            over_time(agreement.format(span="$__rate_interval"), "agrees"),
            steps=("red", (0.95, "green")),
        )
        .max(1)
        .no_value("no candidate"),
        bars(
            "Models loaded",
            "Model loads of all replicas, in the time range: one at start, one at each release.",
            "none",
            now("sum by (outcome) (increase(doodle_model_loads_total[$__range]))", "{{outcome}}"),
        ).decimals(0),
        figure(
            "Refused",
            "Models that replicas refused, in the time range: damaged, or with other predictions than the golden examples.",
            "none",
            now('sum(increase(doodle_model_loads_total{outcome="refused"}[$__range]))'),
            steps=NONE_IS_GOOD,
            loud=True,
        ).decimals(0),
    ),
    (9, 8, 4, 3),
)

store = rows_of(
    "Models in use",
    "Models of the aliases live and candidate.",
    now("max by (pointer, version) (doodle_store_pointer_info)"),
    now("max by (pointer) (doodle_store_model_accuracy_ratio)"),
    now("max by (pointer) (doodle_store_model_parameters)"),
    now("max by (pointer) (doodle_store_model_size_bytes)"),
    now("max by (pointer) (doodle_store_model_trained_timestamp_seconds) * 1000"),
    now("max by (pointer) (doodle_store_model_training_seconds)"),
    now("max by (pointer, data) (doodle_store_model_data_info)"),
    columns={
        "pointer": "Alias",
        "version": "Version",
        "Value #B": "Accuracy",
        "Value #C": "Parameters",
        "Value #D": "Size",
        "Value #E": "Trained",
        "Value #F": "Training took",
        "data": "Data",
    },
    joined_by="pointer",
).no_value("–")
column(store, "Accuracy", "percentunit", 2)
column(store, "Parameters", "locale")
column(store, "Size", "bytes", 1)
column(store, "Trained", "dateTimeFromNow")
column(store, "Training took", "s", 0)

kept = Line(
    5,
    (
        store,
        bars(
            "Predictions by alias",
            "Predictions under /live and /candidate, mostly by tests, in the time range. They are not logged.",
            "none",
            now("sum by (pointer) (increase(doodle_trial_predictions_total[$__range]))", "{{pointer}}"),
        ).decimals(0),
        figure(
            "Versions kept",
            "Models in the store. Each can become live.",
            "none",
            now("doodle_store_versions"),
            steps=("red", (1, "blue")),
        ),
        figure(
            "With a candidate",
            "Replicas that have loaded a candidate in addition to the live model.",
            "none",
            now("sum(doodle_candidate_loaded) or vector(0)"),
        ),
    ),
    (14, 4, 3, 3),
)

BOARD = Board(
    name="Model",
    about="Predictions, confidence, feedback, drift and versions of the model.",
    sections={
        "At a glance": (glance,),
        "Predictions": (answers,),
        "Confidence and rejection": (confidence,),
        "Feedback": (feedback,),
        "Drift": drift.LINES,
        "Versions": (served, kept),
    },
    annotations=(
        Mark(
            "Release",
            "purple",
            f"{LIVE} unless on (version) ({LIVE} offset $__interval) and on (job) ({LIVE} offset $__interval)",
            "{{version}} is live",
        ),
    ),
)
