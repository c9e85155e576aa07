"""The Stack board: targets, alerts, scrapes, the prediction log, processes and Prometheus."""

from boards.layout import Board, Line
from boards.panels import (
    NONE_IS_GOOD,
    SOME_IS_GOOD,
    UP_DOWN,
    bars,
    figure,
    journal_reachable,
    lines,
    now,
    over_time,
    rows_of,
    said_as,
    states,
)

OWN = "15s"  # Prometheus scrapes itself less often, so rates of its metrics need longer ranges
FAILURES = {
    "rules": "prometheus_rule_evaluation_failures_total",
    "sample limit": "prometheus_target_scrapes_exceeded_sample_limit_total",
    "duplicates": "prometheus_target_scrapes_sample_duplicate_timestamp_total",
}
FILLING = ("green", (0.7, "orange"), (0.9, "red"))
DURABLE = {0: ("no", "red"), 1: ("yes", "green")}

glance = Line(
    4,
    (
        figure(
            "Alerts firing now",
            "Alerts that fire now. The table below names them.",
            "none",
            now('count(ALERTS{alertstate="firing", severity!="none"}) or vector(0)'),
            steps=NONE_IS_GOOD,
            loud=True,
        ),
        figure(
            "Targets down",
            "Targets whose last scrape failed.",
            "none",
            now("count(up == 0) or vector(0)"),
            steps=NONE_IS_GOOD,
            loud=True,
        ),
        figure(
            "Collectors failing",
            "Exporter collectors that cannot read their source.",
            "none",
            now("count(doodle_exporter_collector_success == 0) or vector(0)"),
            steps=NONE_IS_GOOD,
            loud=True,
        ),
        journal_reachable(),
        figure(
            "Log durable",
            "Whether acknowledged records are on disk and survive a power cut. Unknown with durable=managed.",
            "none",
            now("doodle_journal_durable"),
            steps=SOME_IS_GOOD,
            loud=True,
        )
        .no_value("unknown")
        .mappings(said_as(DURABLE)),
        figure(
            "Dropped",
            "Predictions answered but not logged, in the time range. The prediction log was down too long.",
            "none",
            now('sum(increase(doodle_recorder_records_total{outcome="dropped"}[$__range]))'),
            steps=NONE_IS_GOOD,
            loud=True,
        )
        .decimals(0)
        .no_value("no replica"),
    ),
)

targets = Line(
    8,
    (
        states(
            "Targets",
            "State of each scrape target. A replica that you remove is red for some seconds.",
            over_time("up", "{{job}} {{instance}}"),
            UP_DOWN,
        ),
        rows_of(
            "Alerts",
            "Alerts that fire now. The alerts page of Prometheus shows their descriptions, and docs/runbook.md the remedies.",
            now('max by (alertname, severity, instance, collector) (ALERTS{alertstate="firing", severity!="none"})'),
            columns={"alertname": "Alert", "severity": "Severity", "instance": "Instance", "collector": "Collector"},
        ).no_value("No alert fires"),
    ),
)

scrapes = Line(
    7,
    (
        lines(
            "Time of a scrape",
            "Scrape duration, for the slowest target of each job. Prometheus scrapes the API each second, so stay far below 1 s.",
            "s",
            over_time("max by (job) (scrape_duration_seconds)", "{{job}}"),
            steps=("green", (0.5, "red")),
        ),
        lines(
            "Samples of a scrape",
            "Samples per scrape, for the largest target of each job. If a line only climbs, a label has too many values.",
            "none",
            over_time("max by (job) (scrape_samples_scraped)", "{{job}}"),
        ).decimals(0),
        states(
            "Exporter's collectors",
            "Whether each exporter collector could read its source.",
            over_time("doodle_exporter_collector_success", "{{collector}}"),
            {0: ("failing", "red"), 1: ("working", "green")},
        ),
        lines(
            "Time of a collector",
            "Duration of each exporter collector in a scrape.",
            "s",
            over_time("doodle_exporter_collector_duration_seconds", "{{collector}}"),
        ),
    ),
)

journal = Line(
    4,
    (
        figure(
            "Predictions logged",
            "All predictions ever written to the prediction log.",
            "short",
            now("doodle_journal_predictions_total"),
        ),
        figure(
            "Predictions kept",
            "Predictions in the log now. Beyond its cap it drops the oldest.",
            "short",
            now("doodle_journal_predictions_kept"),
        ),
        figure(
            "Feedback",
            "All corrections and confirmations ever received.",
            "short",
            now("doodle_journal_feedback_total"),
        ),
        figure(
            "Last prediction",
            "Time of the newest prediction in the log.",
            "dateTimeFromNow",
            now("doodle_journal_last_prediction_timestamp_seconds * 1000"),
        ).no_value("none yet"),
        figure(
            "Size on disk",
            "Bytes of the prediction log on disk.",
            "bytes",
            over_time("doodle_journal_size_bytes"),
        ).decimals(1),
        figure(
            "Memory used",
            "Ratio of Redis's memory limit in use. The log never drops feedback before its retention ends. At 100% writes fail.",
            "percentunit",
            over_time("doodle_journal_memory_bytes / doodle_journal_memory_limit_bytes"),
            steps=FILLING,
        )
        .decimals(0)
        .no_value("no limit"),
        figure(
            "Delayed syncs",
            "Writes that waited for an earlier sync to disk, in the time range. Many mean that the disk is too slow.",
            "none",
            now("increase(doodle_journal_delayed_syncs_total[$__range])"),
            steps=("green", (1, "orange"), (100, "red")),
        ).decimals(0),
    ),
    (4, 4, 3, 4, 3, 3, 3),
)

records = Line(
    7,
    (
        lines(
            "Records per second",
            "Predictions and feedback written to the log per second.",
            "cps",
            over_time("rate(doodle_journal_predictions_total[$__rate_interval])", "predictions"),
            over_time("rate(doodle_journal_feedback_total[$__rate_interval])", "feedback"),
        ),
        lines(
            "Predictions, by outcome",
            "Predictions that replicas write to the log, or drop.",
            "cps",
            over_time("sum by (outcome) (rate(doodle_recorder_records_total[$__rate_interval]))", "{{outcome}}"),
        ),
        bars(
            "Free disk space",
            "Free part of each disk, by a folder on it. An alert fires below 10%.",
            "percentunit",
            now("doodle_disk_free_bytes / doodle_disk_size_bytes", "{{folder}}"),
            steps=("red", (0.1, "orange"), (0.2, "green")),
        )
        .decimals(0)
        .max(1),
        lines(
            "Unlogged predictions",
            "Predictions in the replicas' memory, not yet in the log. A replica keeps 20,000, then drops the oldest.",
            "none",
            over_time("sum(doodle_recorder_pending_records)", "waiting"),
            steps=("green", (20_000, "red")),
        ).decimals(0),
    ),
)

prometheus = Line(
    7,
    (
        lines(
            "Series",
            "Series in Prometheus's memory. Series of a removed replica stay for some hours.",
            "short",
            over_time("prometheus_tsdb_head_series", "series", OWN),
        ),
        lines(
            "Samples per second",
            "Samples that Prometheus stores, from scrapes and rules.",
            "cps",
            over_time("sum(rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))", "samples", OWN),
        ),
        lines(
            "Time of the rules",
            "Duration of the last evaluation of all rule groups, and of the slowest one. They run every five seconds.",
            "s",
            over_time("sum(prometheus_rule_group_last_duration_seconds)", "all", OWN),
            over_time("max(prometheus_rule_group_last_duration_seconds)", "the slowest", OWN),
            steps=("green", (1, "red")),
        ),
        lines(
            "Storage",
            "Prometheus's data on disk: finished blocks, and newer data. It deletes the oldest after 15 days, or at 4 GB.",
            "bytes",
            over_time("prometheus_tsdb_storage_blocks_bytes", "blocks", OWN),
            over_time("prometheus_tsdb_wal_storage_size_bytes + prometheus_tsdb_head_chunks_storage_size_bytes", "newer", OWN),
            stacked=True,
            steps=("green", (4 * 10**9, "red")),
        ),
    ),
)

processes = Line(
    8,
    (
        lines(
            "Memory",
            "Resident memory of each process. Limits: replica and Prometheus 1 GB, exporter 256 MB, Redis 384 MB. "
            "A line that only climbs is a leak.",
            "bytes",
            over_time("process_resident_memory_bytes", "{{job}} {{instance}}", OWN),
            over_time("doodle_journal_memory_bytes", "prediction log: Redis"),
            steps=("green", (2**30, "red")),
        ),
        lines(
            "CPU",
            "CPU use of each process, as a part of one core. A replica uses one core; at 100% requests wait.",
            "percentunit",
            over_time("rate(process_cpu_seconds_total[$__rate_interval])", "{{job}} {{instance}}", OWN),
        ),
        lines(
            "Open files",
            "Open files and connections of each process. They follow the load; a line that only climbs is a leak.",
            "none",
            over_time("process_open_fds", "{{job}} {{instance}}", OWN),
        ).decimals(0),
        bars(
            "Restarts",
            "Restarts of each job at the same address, in the time range.",
            "none",
            now("sum by (job) (changes(process_start_time_seconds[$__range]))", "{{job}}", OWN),
            steps=("green", (0.5, "orange"), (3, "red")),
        ).decimals(0),
    ),
    (7, 7, 6, 4),
)

queries = Line(
    7,
    (
        lines(
            "Time of a query",
            "Mean duration of the queries of rules and dashboards.",
            "s",
            over_time(
                'rate(prometheus_engine_query_duration_seconds_sum{slice="inner_eval"}[$__rate_interval])'
                ' / (rate(prometheus_engine_query_duration_seconds_count{slice="inner_eval"}[$__rate_interval]) > 0)',
                "mean",
                OWN,
            ),
        ),
        lines(
            "Notifications per second",
            "Alerts sent to Alertmanager (docker compose --profile alerting), and failed attempts.",
            "cps",
            over_time("sum(rate(prometheus_notifications_sent_total[$__rate_interval])) or vector(0)", "sent", OWN),
            over_time(
                "sum(rate(prometheus_notifications_errors_total[$__rate_interval]))"
                " + sum(rate(prometheus_notifications_dropped_total[$__rate_interval])) or vector(0)",
                "failed",
                OWN,
            ),
        ),
        bars(
            "Failures of Prometheus",
            "Failed rule evaluations, and rejected samples, in the time range.",
            "none",
            now(
                " or ".join(
                    f'label_replace(sum(increase({metric}[$__range])), "what", "{what}", "", "")'
                    for what, metric in FAILURES.items()
                ),
                "{{what}}",
                OWN,
            ),
            steps=NONE_IS_GOOD,
        ).decimals(0),
    ),
)

BOARD = Board(
    name="Stack",
    about="Targets, alerts, scrapes, the prediction log, processes and Prometheus.",
    sections={
        "At a glance": (glance,),
        "Targets and alerts": (targets,),
        "Scrapes": (scrapes,),
        "Prediction log": (journal, records),
        "Processes": (processes,),
        "Prometheus": (prometheus, queries),
    },
)
