"""Service: how much is asked, what fails, how long it takes, and how near the replicas are to their limits."""

from boards.layout import Board, Line
from boards.panels import NONE_IS_GOOD, SOME_IS_GOOD, bars, figure, journal_reachable, lines, now, over_time

FAILING = ("green", (0.01, "orange"), (0.05, "red"))
# The pages that show how the network comes to its answers.
LOOKS_INSIDE = {
    "explanations": "doodle_explanations_total",
    "lessons": "doodle_lessons_total",
    "units": "doodle_units_looked_at_total",
    "snapshots": "doodle_snapshot_readings_total",
}

glance = Line(
    4,
    (
        figure(
            "Alerts firing",
            "Alerts that fire now. The table on the board Stack names them.",
            "none",
            now('count(ALERTS{alertstate="firing"}) or vector(0)'),
            steps=NONE_IS_GOOD,
            loud=True,
        ),
        figure(
            "Replicas up",
            "Replicas of the API that answered Prometheus's last scrape.",
            "none",
            now('sum(up{job="fastapi-app"}) or vector(0)'),
            steps=SOME_IS_GOOD,
            loud=True,
        ),
        figure(
            "With a model",
            "Replicas that have a model loaded. One without answers 503 to every drawing.",
            "none",
            now("sum(doodle_model_loaded) or vector(0)"),
            steps=SOME_IS_GOOD,
            loud=True,
        ),
        journal_reachable(),
        figure(
            "Calls per second",
            "Calls for a prediction on all replicas, over the last minute.",
            "reqps",
            over_time("sum(instance:api_predict_calls:rate1m)"),
        ),
        figure(
            "End in an error",
            "Share of the calls of the last five minutes that ended in an error, the caller's or ours.",
            "percentunit",
            over_time("job:prediction_error:ratio_rate5m"),
            steps=FAILING,
        ).decimals(1),
        figure(
            "Time per prediction",
            "Mean time of decoding, normalizing and the forward pass together, over five minutes. Empty without predictions.",
            "s",
            over_time("job:doodle_predict_seconds:mean_rate5m"),
            steps=("green", (0.05, "orange"), (0.2, "red")),
        ).no_value("no calls"),
        figure(
            "Requests at once",
            "Requests in progress on the busiest replica, on average. Near 1 it always has something to do, and they queue.",
            "none",
            over_time("max(sum by (instance) (rate(doodle_http_request_seconds_sum[$__rate_interval])))"),
            steps=("green", (0.7, "orange"), (1, "red")),
        ).decimals(2),
    ),
)

rate = Line(
    8,
    (
        lines(
            "Calls per second, by replica",
            "Calls for a prediction that each replica answers, over the last minute. Even bands: the load is spread.",
            "reqps",
            over_time("instance:api_predict_calls:rate1m", "{{instance}}"),
            stacked=True,
        ),
        lines(
            "Requests per second, by route",
            "All that is asked of the API and is not a check of its health, whatever came of it.",
            "reqps",
            over_time(
                'sum by (route) (rate(doodle_http_requests_total{route!~"/healthz|/readyz|/metrics"}[$__rate_interval])) > 0',
                "{{route}}",
            ),
        ),
        bars(
            "Drawings by form",
            "What drawings came as: strokes from the page, image_vector and PNG from programs; in the time shown.",
            "none",
            now("sum by (form) (increase(doodle_drawings_total[$__range]))", "{{form}}"),
        ).decimals(0),
        bars(
            "Looks inside",
            "Asked by the pages that show the network at work, in the time shown. None of it counts as a prediction.",
            "none",
            now(
                " or ".join(
                    f'label_replace(sum(increase({metric}[$__range])), "what", "{what}", "", "")'
                    for what, metric in LOOKS_INSIDE.items()
                ),
                "{{what}}",
            ),
        ).decimals(0),
    ),
    (8, 8, 4, 4),
)

errors = Line(
    8,
    (
        lines(
            "Errors",
            "Share of the calls of the last five minutes: all errors, those that are the service's own (5xx), and what was "
            "turned away (429). An alert fires when 5% are its own, or 1% is turned away.",
            "percentunit",
            over_time("job:prediction_error:ratio_rate5m", "all errors"),
            over_time("job:doodle_predict_failures:ratio_rate5m", "the service's own"),
            over_time("job:doodle_predictions_shed:ratio_rate5m", "turned away"),
            steps=("green", (0.05, "red")),
        ),
        lines(
            "Errors per second, by route and status",
            "Every answer that is not 2xx. Below 500 it is the caller's mistake; from 500 on it is ours.",
            "reqps",
            over_time(
                'sum by (route, code) (rate(doodle_http_requests_total{code!~"2.."}[$__rate_interval])) > 0', "{{route}} {{code}}"
            ),
        ).no_value("none"),
        bars(
            "Errors by status",
            "Errors of predictions, in the time shown. 4xx are the caller's, 500 is a fault, 503 a model that is missing.",
            "none",
            now("sum by (code) (increase(doodle_predict_errors_total[$__range]))", "{{code}}"),
            steps=NONE_IS_GOOD,
        ).decimals(0),
        bars(
            "Errors of feedback",
            "Errors of feedback, in the time shown. 404 is a drawing that is unknown, 503 a journal that is away.",
            "none",
            now("sum by (code) (increase(doodle_feedback_errors_total[$__range]))", "{{code}}"),
            steps=NONE_IS_GOOD,
        ).decimals(0),
    ),
    (8, 8, 4, 4),
)

latency = Line(
    8,
    (
        lines(
            "Time of a prediction, by phase",
            "Median and 95% quantile of each phase over five minutes, logarithmic. The forward pass is the network itself.",
            "s",
            over_time("job_phase:doodle_predict_phase_seconds:p50_rate5m", "{{phase}} 50%"),
            over_time("job_phase:doodle_predict_phase_seconds:p95_rate5m", "{{phase}} 95%"),
            logarithmic=True,
        ),
        lines(
            "Time of a request, by route",
            "95% of the requests are answered sooner; from header to the end of the answer, on a logarithmic scale.",
            "s",
            over_time(
                "histogram_quantile(0.95, sum by (route, le) "
                '(rate(doodle_http_request_seconds_bucket{route!~"/healthz|/readyz|/metrics"}[$__rate_interval]))) >= 0',
                "{{route}}",
            ),
            logarithmic=True,
        ),
        lines(
            "Time of POST /predict, by replica",
            "95% of the calls are answered sooner. An alert fires when that of all stays above half a second.",
            "s",
            over_time(
                "histogram_quantile(0.95, sum by (instance, le) "
                '(rate(doodle_http_request_seconds_bucket{route="/predict"}[$__rate_interval]))) >= 0',
                "{{instance}}",
            ),
            over_time("job:doodle_predict_request_seconds:p95_rate5m", "all, over five minutes"),
            steps=("green", (0.5, "red")),
        ),
    ),
)

saturation = Line(
    8,
    (
        lines(
            "Requests at once, by replica",
            "Requests in progress on average. At 1 a replica is always busy, and whoever comes has to wait: start another.",
            "none",
            over_time("sum by (instance) (rate(doodle_http_request_seconds_sum[$__rate_interval]))", "{{instance}}"),
            steps=("green", (1, "red")),
        ),
        lines(
            "Requests in flight, by replica",
            "POST requests at each scrape, and the calls of each queue for expensive work. A replica rejects more than 64 "
            "predictions, and more than 64 other requests, with 429.",
            "none",
            over_time("doodle_http_requests_inside", "{{instance}}"),
            over_time("doodle_queued_calls", "{{instance}}, queue {{queue}}"),
            steps=("green", (48, "orange"), (64, "red")),
        ).decimals(0),
        lines(
            "Waiting to be recorded, by replica",
            "Predictions in each replica's memory, not yet in the journal. It rises while the journal is away, and is near zero "
            "otherwise.",
            "none",
            over_time("doodle_recorder_pending_records", "{{instance}}"),
        ).decimals(0),
        lines(
            "Time of a replica's scrape",
            "A replica that has too much to do answers late. It is scraped every second, so it must stay far below that.",
            "s",
            over_time('scrape_duration_seconds{job="fastapi-app"}', "{{instance}}"),
            steps=("green", (0.5, "red")),
        ),
    ),
)

BOARD = Board(
    name="Service",
    about="Drawings in, digits out: how much is asked, what fails, how long it takes, how near the replicas are to their limits.",
    sections={
        "At a glance": (glance,),
        "Rate: how much is asked": (rate,),
        "Errors: what fails": (errors,),
        "Latency: how long it takes": (latency,),
        "Saturation: how near the limits": (saturation,),
    },
)
