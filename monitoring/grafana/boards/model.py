"""Model: what it answers, how sure it is, what people say of that, whether drawings drift, and which version answers."""

from boards import drift
from boards.layout import Board, Line, Mark
from boards.panels import NONE_IS_GOOD, bars, column, figure, lines, now, over_time, rows_of

ACCURATE = ("red", (0.95, "orange"), (0.98, "green"))
CONTENT = ("red", (0.8, "orange"), (0.95, "green"))  # people correct what is wrong sooner than they confirm what is right
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
            "The version that the store's live pointer names. Replicas follow within seconds.",
            "none",
            now(LIVE, "{{version}}"),
            names=True,
        ).no_value("none yet"),
        figure(
            "Accuracy",
            "Share of the MNIST test digits that the live model reads right, as its card says.",
            "percentunit",
            now('doodle_store_model_accuracy_ratio{pointer="live"}'),
            steps=ACCURATE,
        )
        .decimals(2)
        .no_value("not measured"),
        figure(
            "People agree",
            "Share of the newest feedback, a hundred at most, that says that the answer was right.",
            "percentunit",
            over_time("doodle_feedback_recent_agreement_ratio"),
            steps=CONTENT,
        )
        .decimals(1)
        .no_value("no feedback"),
        figure(
            "Mean confidence",
            "Mean probability of the digits answered, in the time shown. It falls when drawings are unlike those it learnt from.",
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
            "Share of the drawings that it took for no digit, in the time shown.",
            "percentunit",
            now(rejection.format(span="$__range")),
            steps=("green", (0.1, "orange"), (0.3, "red")),
        )
        .decimals(1)
        .no_value("no drawings"),
        figure(
            "Candidate",
            "The version that reads live drawings beside the live one, for comparison only.",
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
            "Digits read",
            "How often each digit was the answer, in the time shown.",
            "none",
            now("sum by (digit) (increase(doodle_digits_total[$__range]))", "{{digit}}"),
            upright=True,
        ).decimals(0),
        lines(
            "Digits per second",
            "How often each digit is the answer. A band that widens alone: one digit for everything, or a class at work.",
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
            "Confidence of the answers",
            "Answers by their probability, up to what each bar says (+Inf: 1), in the time shown. Most belong at the right end.",
            "none",
            now("sum by (le) (increase(doodle_prediction_confidence_ratio_bucket[$__range]))", "{{le}}").format("heatmap"),
            upright=True,
        ).decimals(0),
        lines(
            "Unsure answers",
            "Share of the answers whose probability is below 90%, and below 50%. It rises with drawings of a new kind.",
            "percentunit",
            over_time(unsure.format(most="0.9"), "below 90%"),
            over_time(unsure.format(most="0.5"), "below 50%"),
            steps=("green", (0.2, "red")),
        ),
        lines(
            "Taken for no digit",
            "Share of the drawings that are answered with no digit. It rises with scribbles, and with a page that sends blanks.",
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
            "Feedback that agrees",
            "Share of the newest feedback, a hundred at most, that says that the answer was right.",
            "percentunit",
            over_time("doodle_feedback_recent_agreement_ratio", "agrees"),
            steps=("red", (0.8, "green")),
        ).max(1),
        bars(
            "Feedback by verdict",
            "What people said of the answers in the time shown: right, wrong, or that it is no digit.",
            "none",
            now("sum by (verdict) (increase(doodle_feedback_total[$__range]))", "{{verdict}}"),
        ).decimals(0),
        bars(
            "Right, by digit",
            "Share of the drawings of each digit whose answer was right, in all feedback in the journal. No bar: no feedback.",
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
            "How much feedback the journal has on drawings of each digit; none is what people say is no digit.",
            "none",
            now("sum by (actual) (doodle_feedback_received_total)", "{{actual}}"),
            upright=True,
        ).decimals(0),
        figure(
            "Newest feedback",
            "Pieces of feedback that the agreement is of, a hundred at most. No alert heeds fewer than fifty.",
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
            "How many replicas serve which version. One colour hands over to the next at a release; two that stay mean that a "
            "replica refused the new one.",
            "none",
            over_time("count by (version) (doodle_model_info)", "{{version}}"),
            stacked=True,
            stairs=True,
        ).decimals(0),
        lines(
            "Candidate agrees with the live model",
            "Share of the live drawings that both read alike. Lines only while replicas have a candidate loaded.",
            "percentunit",
            over_time(agreement.format(span="$__rate_interval"), "agrees"),
            steps=("red", (0.95, "green")),
        )
        .max(1)
        .no_value("no candidate"),
        bars(
            "Models loaded",
            "Models that replicas read from disk, in the time shown: each replica its first, and one more at each release.",
            "none",
            now("sum by (outcome) (increase(doodle_model_loads_total[$__range]))", "{{outcome}}"),
        ).decimals(0),
        figure(
            "Refused",
            "Models that replicas would not load, in the time shown: damaged, or answering otherwise than at their maker's.",
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
    "What the store's pointers name: the model that answers, and the one that is to follow it, if there is one.",
    now("max by (pointer, version) (doodle_store_pointer_info)"),
    now("max by (pointer) (doodle_store_model_accuracy_ratio)"),
    now("max by (pointer) (doodle_store_model_parameters)"),
    now("max by (pointer) (doodle_store_model_size_bytes)"),
    now("max by (pointer) (doodle_store_model_trained_timestamp_seconds) * 1000"),
    now("max by (pointer) (doodle_store_model_training_seconds)"),
    now("max by (pointer, data) (doodle_store_model_data_info)"),
    columns={
        "pointer": "Pointer",
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
            "Asked of a model by name",
            "Predictions asked of a model by its pointer, by tests for the most part, in the time shown. None counts elsewhere.",
            "none",
            now("sum by (pointer) (increase(doodle_trial_predictions_total[$__range]))", "{{pointer}}"),
        ).decimals(0),
        figure(
            "Versions kept",
            "Models that are kept and that live could point to.",
            "none",
            now("doodle_store_versions"),
            steps=("red", (1, "blue")),
        ),
        figure(
            "With a candidate",
            "Replicas that have a candidate loaded beside the live model.",
            "none",
            now("sum(doodle_candidate_loaded) or vector(0)"),
        ),
    ),
    (14, 4, 3, 3),
)

BOARD = Board(
    name="Model",
    about="What the model answers, how sure it is, what people say of it, whether drawings drift, and which version answers.",
    sections={
        "At a glance": (glance,),
        "Answers": (answers,),
        "Confidence and rejection": (confidence,),
        "What people say": (feedback,),
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
