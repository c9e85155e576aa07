"""Stack: whether all that belongs to it answers, how the journal does, and how Prometheus itself does."""

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

OWN = "15s"  # Prometheus scrapes itself less often than the rest, so that rates of its own metrics need longer ranges
FAILURES = {
    "rules": "prometheus_rule_evaluation_failures_total",
    "too long": "prometheus_target_scrapes_exceeded_sample_limit_total",
    "twice": "prometheus_target_scrapes_sample_duplicate_timestamp_total",
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
            now('count(ALERTS{alertstate="firing"}) or vector(0)'),
            steps=NONE_IS_GOOD,
            loud=True,
        ),
        figure(
            "Targets down",
            "Targets that Prometheus could not scrape the last time.",
            "none",
            now("count(up == 0) or vector(0)"),
            steps=NONE_IS_GOOD,
            loud=True,
        ),
        figure(
            "Collectors failing",
            "Collectors of the exporter that could not read their subject.",
            "none",
            now("count(doodle_exporter_collector_success == 0) or vector(0)"),
            steps=NONE_IS_GOOD,
            loud=True,
        ),
        journal_reachable(),
        figure(
            "Journal durable",
            "Whether what the journal acknowledges is on its disk, and survives a power cut. Unknown where you vouch for it.",
            "none",
            now("doodle_journal_durable"),
            steps=SOME_IS_GOOD,
            loud=True,
        )
        .no_value("unknown")
        .mappings(said_as(DURABLE)),
        figure(
            "Dropped",
            "Predictions that were answered but not recorded, in the time shown: the journal was away for too long.",
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
            "What Prometheus scrapes, up or down when. A replica that is scaled away is red for some seconds, then ends.",
            over_time("up", "{{job}} {{instance}}"),
            UP_DOWN,
        ),
        rows_of(
            "Alerts",
            "Alerts that fire now. Their descriptions, with what to do, are on Prometheus's own page of alerts.",
            now('max by (alertname, severity, instance, collector) (ALERTS{alertstate="firing"})'),
            columns={"alertname": "Alert", "severity": "Severity", "instance": "Instance", "collector": "Collector"},
        ).no_value("No alert fires"),
    ),
)

scrapes = Line(
    7,
    (
        lines(
            "Time of a scrape",
            "What a scrape takes, the slowest target of each job. The API is scraped every second: it must stay far below.",
            "s",
            over_time("max by (job) (scrape_duration_seconds)", "{{job}}"),
            steps=("green", (0.5, "red")),
        ),
        lines(
            "Samples of a scrape",
            "Figures that a target exposes, the largest of each job. A line that only climbs: a label with too many values.",
            "none",
            over_time("max by (job) (scrape_samples_scraped)", "{{job}}"),
        ).decimals(0),
        states(
            "Exporter's collectors",
            "Whether each collector of the exporter could read its subject.",
            over_time("doodle_exporter_collector_success", "{{collector}}"),
            {0: ("failing", "red"), 1: ("working", "green")},
        ),
        lines(
            "Time of a collector",
            "What each of the exporter's collectors takes at a scrape.",
            "s",
            over_time("doodle_exporter_collector_duration_seconds", "{{collector}}"),
        ),
    ),
)

journal = Line(
    4,
    (
        figure(
            "Predictions ever",
            "Predictions that were ever written to the journal.",
            "short",
            now("doodle_journal_predictions_total"),
        ),
        figure(
            "Predictions kept",
            "Predictions that the journal still has. It is capped: the oldest go.",
            "short",
            now("doodle_journal_predictions_kept"),
        ),
        figure(
            "Feedback",
            "Corrections and confirmations of users, ever.",
            "short",
            now("doodle_journal_feedback_total"),
        ),
        figure(
            "Last prediction",
            "When the newest prediction in the journal was made.",
            "dateTimeFromNow",
            now("doodle_journal_last_prediction_timestamp_seconds * 1000"),
        ).no_value("none yet"),
        figure(
            "On its disk",
            "Bytes of the journal on its disk.",
            "bytes",
            over_time("doodle_journal_size_bytes"),
        ).decimals(1),
        figure(
            "Memory used",
            "Part of the memory that Redis may take for the journal. Feedback is never dropped, so it grows; when it is full, "
            "writes fail.",
            "percentunit",
            over_time("doodle_journal_memory_bytes / doodle_journal_memory_limit_bytes"),
            steps=FILLING,
        )
        .decimals(0)
        .no_value("no limit"),
        figure(
            "Delayed syncs",
            "Times, in the time shown, that the disk had not taken the last write when the next one came. Many: a disk too slow.",
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
            "Predictions and feedback that arrive in the journal.",
            "cps",
            over_time("rate(doodle_journal_predictions_total[$__rate_interval])", "predictions"),
            over_time("rate(doodle_journal_feedback_total[$__rate_interval])", "feedback"),
        ),
        lines(
            "Recorder, by outcome",
            "What the replicas' recorders do with predictions: written to the journal, or dropped.",
            "cps",
            over_time("sum by (outcome) (rate(doodle_recorder_records_total[$__rate_interval]))", "{{outcome}}"),
        ),
        bars(
            "Room on the disks",
            "Part of each disk that is free, by a folder on it. An alert fires below a tenth.",
            "percentunit",
            now("doodle_disk_free_bytes / doodle_disk_size_bytes", "{{folder}}"),
            steps=("red", (0.1, "orange"), (0.2, "green")),
        )
        .decimals(0)
        .max(1),
        lines(
            "Waiting to be recorded",
            "Predictions in the replicas' memory, not yet in the journal. Each has room for 20,000, then drops the oldest.",
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
            "Series in Prometheus's memory. They stay for some hours after a replica has gone.",
            "short",
            over_time("prometheus_tsdb_head_series", "series", OWN),
        ),
        lines(
            "Samples per second",
            "Figures that Prometheus takes in: scraped ones, and those that its rules compute.",
            "cps",
            over_time("sum(rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))", "samples", OWN),
        ),
        lines(
            "Time of the rules",
            "What the last evaluation of all groups of rules took, and that of the slowest. They run every five seconds.",
            "s",
            over_time("sum(prometheus_rule_group_last_duration_seconds)", "all", OWN),
            over_time("max(prometheus_rule_group_last_duration_seconds)", "the slowest", OWN),
            steps=("green", (1, "red")),
        ),
        lines(
            "Storage",
            "What Prometheus has on its disk: finished blocks, and what is newer. The oldest go after 15 days, or at 4 GB.",
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
            "What each process has in memory. A replica and Prometheus may take 1 GB, the exporter 256 MB, Redis 384 MB. "
            "A line that only climbs is a leak.",
            "bytes",
            over_time("process_resident_memory_bytes", "{{job}} {{instance}}", OWN),
            over_time("doodle_journal_memory_bytes", "journal: Redis"),
            steps=("green", (2**30, "red")),
        ),
        lines(
            "CPU",
            "Part of one core that each process keeps busy. A replica computes with one; at 100% whoever comes has to wait.",
            "percentunit",
            over_time("rate(process_cpu_seconds_total[$__rate_interval])", "{{job}} {{instance}}", OWN),
        ),
        lines(
            "Open files",
            "Files and connections that each process has open. It follows the load; a line that only climbs is a leak.",
            "none",
            over_time("process_open_fds", "{{job}} {{instance}}", OWN),
        ).decimals(0),
        bars(
            "Restarts",
            "How often each process began anew at the same address, in the time shown.",
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
            "Mean time of the queries that rules and dashboards asked of Prometheus.",
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
            "Alerts that Prometheus hands to Alertmanager (docker compose --profile alerting), and those it could not hand over.",
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
            "Rules that could not be evaluated, and scrapes refused or lost on the way, in the time shown.",
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
    about="Whether all that belongs to it answers, how the journal does, and how Prometheus itself does.",
    sections={
        "At a glance": (glance,),
        "Targets and alerts": (targets,),
        "Scrapes": (scrapes,),
        "Journal": (journal, records),
        "Processes": (processes,),
        "Prometheus itself": (prometheus, queries),
    },
)
