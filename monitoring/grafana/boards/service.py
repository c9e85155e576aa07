"""The Service board: rate, errors, latency and saturation of the API."""

from boards.layout import Board, Line
from boards.panels import NONE_IS_GOOD, SOME_IS_GOOD, bars, figure, journal_reachable, lines, now, over_time

FAILING = ("green", (0.01, "orange"), (0.05, "red"))
# Requests of the page's views of the network.
INSPECTIONS = {
    "explanations": "doodle_explanations_total",
    "training steps": "doodle_lessons_total",
    "units": "doodle_units_looked_at_total",
    "snapshots": "doodle_snapshot_readings_total",
}

glance = Line(
    4,
    (
        figure(
            "Alerts firing",
            "Alerts that fire now. The table on the board Stack lists them.",
            "none",
            now('count(ALERTS{alertstate="firing", severity!="none"}) or vector(0)'),
            steps=NONE_IS_GOOD,
            loud=True,
        ),
        figure(
            "Replicas up",
            "API replicas that answered the last scrape.",
            "none",
            now('sum(up{job="fastapi-app"}) or vector(0)'),
            steps=SOME_IS_GOOD,
            loud=True,
        ),
        figure(
            "With a model",
            "Replicas with a loaded model. A replica without one answers 503.",
            "none",
            now("sum(doodle_model_loaded) or vector(0)"),
            steps=SOME_IS_GOOD,
            loud=True,
        ),
        journal_reachable(),
        figure(
            "Calls per second",
            "Prediction requests on all replicas, over the last minute.",
            "reqps",
            over_time("sum(instance:api_predict_calls:rate1m)"),
        ),
        figure(
            "Error ratio",
            "Ratio of prediction requests that ended in an error (4xx or 5xx), over five minutes.",
            "percentunit",
            over_time("job:prediction_error:ratio_rate5m"),
            steps=FAILING,
        ).decimals(1),
        figure(
            "Time per prediction",
            "Mean time of decoding, normalizing and the forward pass together, over five minutes.",
            "s",
            over_time("job:doodle_predict_seconds:mean_rate5m"),
            steps=("green", (0.05, "orange"), (0.2, "red")),
        ).no_value("no calls"),
        figure(
            "Requests in progress",
            "Mean number of requests in progress on the busiest replica. Near 1 requests queue.",
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
            "Prediction requests on each replica, over the last minute. The bands should have equal widths.",
            "reqps",
            over_time("instance:api_predict_calls:rate1m", "{{instance}}"),
            stacked=True,
        ),
        lines(
            "Requests per second, by route",
            "All API requests except health checks and scrapes.",
            "reqps",
            over_time(
                'sum by (route) (rate(doodle_http_requests_total{route!~"/healthz|/readyz|/metrics"}[$__rate_interval])) > 0',
                "{{route}}",
            ),
        ),
        bars(
            "Drawings by form",
            "Drawings in the time range: strokes from the page; image_vector and image files from programs; digits of numbers.",
            "none",
            now("sum by (form) (increase(doodle_drawings_total[$__range]))", "{{form}}"),
        ).decimals(0),
        bars(
            "Inspections",
            "Requests of the page's views of the network, in the time range. They are not predictions.",
            "none",
            now(
                " or ".join(
                    f'label_replace(sum(increase({metric}[$__range])), "what", "{what}", "", "")'
                    for what, metric in INSPECTIONS.items()
                ),
                "{{what}}",
            ),
        ).decimals(0),
        lines(
            "Numbers",
            "Numbers per second that POST /read found on all replicas, and their mean length in digits.",
            "none",
            over_time("sum(rate(doodle_number_digits_count[$__rate_interval]))", "numbers per second"),
            over_time(
                "sum(rate(doodle_number_digits_sum[$__rate_interval])) / "
                "(sum(rate(doodle_number_digits_count[$__rate_interval])) > 0)",
                "digits",
            ),
        ),
    ),
    (6, 6, 4, 4, 4),
)

errors = Line(
    8,
    (
        lines(
            "Errors",
            "Ratios over five minutes: all errors, server errors (5xx) and rejected requests (429). An alert fires at 5% server "
            "errors, or 1% rejected requests.",
            "percentunit",
            over_time("job:prediction_error:ratio_rate5m", "all errors"),
            over_time("job:doodle_predict_failures:ratio_rate5m", "server errors"),
            over_time("job:doodle_predictions_shed:ratio_rate5m", "rejected"),
            steps=("green", (0.05, "red")),
        ),
        lines(
            "Errors per second, by route and status",
            "Responses other than 2xx. 4xx are client errors, 5xx server errors.",
            "reqps",
            over_time(
                'sum by (route, code) (rate(doodle_http_requests_total{code!~"2.."}[$__rate_interval])) > 0', "{{route}} {{code}}"
            ),
        ).no_value("none"),
        bars(
            "Errors by status",
            "Errors of POST /predict, in the time range. 4xx: client errors. 500: a bug. 503: no model.",
            "none",
            now("sum by (code) (increase(doodle_predict_errors_total[$__range]))", "{{code}}"),
            steps=NONE_IS_GOOD,
        ).decimals(0),
        bars(
            "Errors of feedback",
            "Errors of POST /feedback, in the time range. 404: unknown prediction. 503: prediction log down.",
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
            "Median and 95th percentile of each phase over five minutes, and 95th of POST /read, on a logarithmic scale.",
            "s",
            over_time("job_phase:doodle_predict_phase_seconds:p50_rate5m", "{{phase}} 50%"),
            over_time("job_phase:doodle_predict_phase_seconds:p95_rate5m", "{{phase}} 95%"),
            over_time(
                "histogram_quantile(0.95, sum by (le) (rate(doodle_read_seconds_bucket[$__rate_interval]))) >= 0", "numbers 95%"
            ),
            logarithmic=True,
        ),
        lines(
            "Time of a request, by route",
            "95th percentile from request header to end of response, on a logarithmic scale.",
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
            "95th percentile. An alert fires when the line for all replicas stays above 0.5 s.",
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
            "Requests in progress, by replica",
            "Mean number of requests in progress. At 1 a replica is always busy and requests wait: add a replica.",
            "none",
            over_time("sum by (instance) (rate(doodle_http_request_seconds_sum[$__rate_interval]))", "{{instance}}"),
            steps=("green", (1, "red")),
        ),
        lines(
            "Requests in flight, by replica",
            "POST requests at each scrape, and calls in each queue for expensive work. A replica accepts 64 predictions and 64 "
            "other requests at a time, and rejects more with 429.",
            "none",
            over_time("doodle_http_requests_inside", "{{instance}}"),
            over_time("doodle_queued_calls", "{{instance}}, queue {{queue}}"),
            steps=("green", (48, "orange"), (64, "red")),
        ).decimals(0),
        lines(
            "Unlogged predictions, by replica",
            "Predictions in each replica's memory, not yet in the prediction log. It is near zero unless the log is down.",
            "none",
            over_time("doodle_recorder_pending_records", "{{instance}}"),
        ).decimals(0),
        lines(
            "Time of a replica's scrape",
            "An overloaded replica answers scrapes late. Prometheus scrapes every second, so this must stay far below 1 s.",
            "s",
            over_time('scrape_duration_seconds{job="fastapi-app"}', "{{instance}}"),
            steps=("green", (0.5, "red")),
        ),
    ),
)

BOARD = Board(
    name="Service",
    about="Rate, errors, latency and saturation of the API.",
    sections={
        "At a glance": (glance,),
        "Rate": (rate,),
        "Errors by route": (errors,),
        "Latency": (latency,),
        "Saturation": (saturation,),
    },
)
