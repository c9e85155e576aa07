"""The dashboards as Grafana would read them, checked without a Grafana."""

import re
from collections import Counter

import pytest

COLUMNS = 24
SCHEMA_VERSION = 42  # of Grafana 13: the last one of this format. Grafana migrates older ones as they load
UIDS = {"doodle", "doodle-model", "doodle-stack", "doodle-training"}  # links and bookmarks hold on to them
PANEL_TYPES = {"bargauge", "row", "stat", "state-timeline", "table", "timeseries"}


@pytest.fixture
def panels(dashboards):
    """All panels but rows, by dashboard and title."""
    return {
        f"{name}: {panel['title']}": panel
        for name, board in dashboards.items()
        for panel in board["panels"]
        if panel["type"] != "row"
    }


def datasources_in(part):
    """The uid of every reference to a datasource, however deep."""
    if isinstance(part, dict):
        yield from (part["datasource"]["uid"],) if "datasource" in part else ()
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from datasources_in(value)


def test_files_are_those_that_the_code_makes(monitoring, monkeypatch):
    monkeypatch.syspath_prepend(monitoring / "grafana")
    import boards

    written = {file.name: file.read_text(encoding="utf-8") for file in (monitoring / "grafana/dashboards").iterdir()}
    assert written == boards.files(), "stale dashboards: make pages"


def test_dashboards_have_fixed_uids_lead_to_each_other_and_ask_prometheus_alone(dashboards):
    assert {name.removesuffix(".json") for name in dashboards} == {board["uid"] for board in dashboards.values()} == UIDS
    assert len({board["title"] for board in dashboards.values()}) == len(UIDS)
    for name, board in dashboards.items():
        assert board["schemaVersion"] == SCHEMA_VERSION
        assert "id" not in board, "Grafana's own number, which differs from one database to another"
        assert {link["url"] for link in board["links"]} == {f"/d/{uid}" for uid in UIDS - {board["uid"]}}
        assert all(link["type"] == "link" and link["keepTime"] and not link["targetBlank"] for link in board["links"])
        assert set(datasources_in(board)) - {"-- Grafana --"} == {"prometheus"}, name


@pytest.mark.parametrize(("name", "mark"), [("doodle-model.json", "Release"), ("doodle-training.json", "Results")])
def test_marks_releases_and_results(dashboards, name, mark):
    """A mark is one moment: it asks for the same moment before, as far back as one point is from the next."""
    (found,) = dashboards[name]["annotations"]["list"]
    assert (found["name"], found["enable"], bool(found["textFormat"])) == (mark, True, True)
    assert "offset $__interval" in found["target"]["expr"]


def test_every_panel_has_a_title_a_line_of_help_a_unit_and_rising_thresholds(dashboards, panels):
    for board in dashboards.values():
        for key in ("id", "title"):
            assert max(Counter(panel[key] for panel in board["panels"]).values()) == 1, key
    for where, panel in panels.items():
        assert panel["type"] in PANEL_TYPES, where
        assert panel["title"], where
        assert panel["description"].endswith("."), where
        assert panel["fieldConfig"]["defaults"]["unit"], where
        lowest, *values = (step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"])
        assert lowest is None, where
        assert values == sorted(values), where


def test_every_panel_asks_something_and_names_its_lines(panels):
    for where, panel in panels.items():
        assert set(Counter(target["refId"] for target in panel["targets"]).values()) == {1}, where
        for target in panel["targets"]:
            assert target["range"] != target["instant"], where
            if panel["type"] in {"timeseries", "bargauge", "state-timeline"}:
                assert target["legendFormat"], where


def test_rates_follow_the_resolution_and_span_several_scrapes(panels, read_yaml):
    """A fixed range in a panel is blind when zoomed in and skips samples when zoomed out; the recording rules have theirs.

    $__rate_interval is four times the query's interval, or else the datasource's, which is shorter than Prometheus's own scrapes.
    """
    own = read_yaml("prometheus/prometheus.yml")["global"]["scrape_interval"]
    of_prometheus = 0
    for where, panel in panels.items():
        for target in panel["targets"]:
            ranges = target["expr"].split("[")[1:]
            assert all(text.startswith(("$__rate_interval]", "$__range]")) for text in ranges), where
            assert "$__range" not in target["expr"] or target["instant"], f"{where} adds up a range at each point"
            is_own = re.search(r"\b(prometheus|process)_\w+", target["expr"]) is not None
            assert target.get("interval") == (own if is_own else None), where
            of_prometheus += is_own
    assert of_prometheus


def test_panels_fill_the_grid_and_none_lies_on_another(dashboards):
    for name, board in dashboards.items():
        places = [panel["gridPos"] for panel in board["panels"]]
        cells = Counter(
            (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
        )
        height = max(at["y"] + at["h"] for at in places)
        assert cells == Counter((x, y) for x in range(COLUMNS) for y in range(height)), name
