"""The kinds of panels on the boards, with one style for each.

Each function takes a title, a line of help, a Grafana unit and queries, and returns a builder that the caller can change further.
"""

from collections.abc import Mapping

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import prometheus as queries

PROMETHEUS = models.DataSourceRef(type_val="prometheus", uid="prometheus")

# Color steps: the first starts at minus infinity, each other at its value.
NEUTRAL = ("blue",)
NONE_IS_GOOD = ("green", (1, "red"))
SOME_IS_GOOD = ("red", (1, "green"))

YES_NO = {0: ("no", "red"), 1: ("yes", "green")}
UP_DOWN = {0: ("down", "red"), 1: ("up", "green")}

Steps = tuple[str | tuple[float, str], ...]
Texts = Mapping[int, tuple[str, str]]
Query = prometheus.Dataquery


def over_time(expression: str, legend: str = "", interval: str | None = None) -> Query:
    """Query the expression over the selected time range; interval: of the scrapes, if longer than usual."""
    query = prometheus.Dataquery().editor_mode(queries.QueryEditorMode.CODE).expr(expression).legend_format(legend).range()
    return query if interval is None else query.interval(interval)


def now(expression: str, legend: str = "", interval: str | None = None) -> Query:
    """Query the expression at the end of the selected time range."""
    query = prometheus.Dataquery().editor_mode(queries.QueryEditorMode.CODE).expr(expression).legend_format(legend).instant()
    return query if interval is None else query.interval(interval)


def figure(title: str, help: str, unit: str, query: Query, *, steps: Steps = NEUTRAL, loud: bool = False, names: bool = False):
    """Return a stat, with a graph behind it for a range query. loud: color the whole panel. names: show legends, not values."""
    has_course = query.build().range_val
    return (
        _panel(stat.Panel(), title, help, unit, [query], steps)
        .reduce_options(_newest())
        .orientation(options.VizOrientation.AUTO)
        .text_mode(options.BigValueTextMode.NAME if names else options.BigValueTextMode.VALUE)
        .color_mode(options.BigValueColorMode.BACKGROUND if loud else options.BigValueColorMode.VALUE)
        .graph_mode(options.BigValueGraphMode.AREA if has_course else options.BigValueGraphMode.NONE)
        .justify_mode(options.BigValueJustifyMode.AUTO)
        .wide_layout(True)
        .show_percent_change(False)
    )


def lines(
    title: str,
    help: str,
    unit: str,
    *series: Query,
    steps: Steps = ("green",),
    stacked: bool = False,
    logarithmic: bool = False,
    stairs: bool = False,
    from_zero: bool = True,
):
    """Return lines over time. Steps after the first are drawn as limits. stairs: hold each value until the next."""
    scale = common.ScaleDistributionConfig().type(
        options.ScaleDistribution.LOG if logarithmic else options.ScaleDistribution.LINEAR
    )
    limits = options.GraphThresholdsStyleMode.LINE if len(steps) > 1 else options.GraphThresholdsStyleMode.OFF
    panel = (
        _panel(timeseries.Panel(), title, help, unit, series, steps)
        .color_scheme(dashboard.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC))
        .draw_style(options.GraphDrawStyle.LINE)
        .line_interpolation(options.LineInterpolation.STEP_AFTER if stairs else options.LineInterpolation.LINEAR)
        .line_width(2)
        .fill_opacity(25 if stacked else 0 if logarithmic or stairs else 8)
        .show_points(options.VisibilityMode.NEVER)
        .span_nulls(False)
        .axis_placement(options.AxisPlacement.AUTO)
        .scale_distribution(scale.log(10) if logarithmic else scale)
        .stacking(common.StackingConfig().mode(options.StackingMode.NORMAL if stacked else options.StackingMode.NONE).group("A"))
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(limits))
        .legend(_legend())
        .tooltip(common.VizTooltipOptions().mode(options.TooltipDisplayMode.MULTI).sort(options.SortOrder.DESCENDING))
    )
    return panel.min(0) if from_zero and not logarithmic else panel


def bars(title: str, help: str, unit: str, query: Query, *, steps: Steps = NEUTRAL, upright: bool = False):
    """Return a bar for the newest value of each series."""
    return (
        _panel(bargauge.Panel(), title, help, unit, [query], steps)
        .min(0)
        .reduce_options(_newest())
        .orientation(options.VizOrientation.VERTICAL if upright else options.VizOrientation.HORIZONTAL)
        .display_mode(options.BarGaugeDisplayMode.BASIC)
        .value_mode(options.BarGaugeValueMode.COLOR)
        .show_unfilled(True)
    )


def states(title: str, help: str, query: Query, texts: Texts):
    """Return a strip for each series that shows when it was 0 and when 1."""
    return (
        _panel(statetimeline.Panel(), title, help, "none", [query], SOME_IS_GOOD)
        .mappings(said_as(texts))
        .line_width(0)
        .fill_opacity(80)
        .merge_values(True)
        .show_value(options.VisibilityMode.NEVER)
        .align_value(options.TimelineValueAlignment.LEFT)
        .row_height(0.8)
        .legend(_legend())
        .tooltip(common.VizTooltipOptions().mode(options.TooltipDisplayMode.SINGLE).sort(options.SortOrder.NONE))
    )


def rows_of(title: str, help: str, *series: Query, columns: Mapping[str, str], joined_by: str | None = None):
    """Return a table. columns: Prometheus's name -> title, in order; the table hides other columns.

    Several queries become one table, joined by a label; the value of query B is then the column "Value #B".
    """
    panel = (
        _panel(table.Panel(), title, help, "none", [query.format(queries.PromQueryFormat.TABLE) for query in series], ("green",))
        .show_header(True)
        .cell_height(options.TableCellHeight.SM)
    )
    if joined_by is not None:
        join = {"byField": joined_by, "mode": "outer"}
        panel.with_transformation(models.DataTransformerConfig(id_val="joinByField", options=join))
    keep = {"include": {"names": list(columns)}}
    order = {"indexByName": {name: index for index, name in enumerate(columns)}, "renameByName": dict(columns)}
    panel.with_transformation(models.DataTransformerConfig(id_val="filterFieldsByName", options=keep))
    return panel.with_transformation(models.DataTransformerConfig(id_val="organize", options=order))


def said_as(texts: Texts) -> list[models.ValueMapping]:
    """Return a mapping from values to colored texts."""
    said = {
        str(value): models.ValueMappingResult(text=text, color=color, index=index)
        for index, (value, (text, color)) in enumerate(texts.items())
    }
    return [models.ValueMap(options=said)]


def column(panel: table.Panel, name: str, unit: str, decimals: int | None = None, texts: Texts | None = None) -> table.Panel:
    """Set the unit of the table's column, and return the table."""
    properties = [models.DynamicConfigValue("unit", unit)]
    if decimals is not None:
        properties.append(models.DynamicConfigValue("decimals", decimals))
    if texts is not None:
        properties.append(models.DynamicConfigValue("mappings", said_as(texts)))
        properties.append(models.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
    return panel.override_by_name(name, properties)


def _panel(panel, title, help, unit, series, steps):
    """Set the options that all kinds share."""
    first, *others = steps
    thresholds = [models.Threshold(None, first), *(models.Threshold(value, color) for value, color in others)]
    panel.title(title).description(help).datasource(PROMETHEUS).unit(unit)
    panel.thresholds(dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(thresholds))
    panel.color_scheme(dashboard.FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
    for letter, query in zip("ABCDEFGH", series):
        panel.with_target(query.ref_id(letter).datasource(PROMETHEUS))
    return panel


def _newest():
    return common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False)


def _legend():
    legend = common.VizLegendOptions().show_legend(True).display_mode(options.LegendDisplayMode.LIST)
    return legend.placement(options.LegendPlacement.BOTTOM).calcs([])


def journal_reachable():
    """Return the stat that opens two boards."""
    return (
        figure(
            "Prediction log up",
            "Whether the exporter reaches the prediction log. While it is down, the API rejects feedback and queues predictions.",
            "none",
            now("doodle_journal_up"),
            steps=SOME_IS_GOOD,
            loud=True,
        )
        .no_value("unknown")
        .mappings(said_as(UP_DOWN))
    )
