"""Check the dashboards without a Grafana."""

import re
from collections import Counter

import pytest

COLUMNS = 24
SCHEMA_VERSION = 42  # of Grafana 13: the last one of this format. Grafana migrates older ones as they load
UIDS = {"doodle", "doodle-model", "doodle-stack", "doodle-training"}  # links and bookmarks need them
PANEL_TYPES = {"bargauge", "row", "stat", "state-timeline", "table", "timeseries"}


@pytest.fixture
def panels(dashboards):
    """Return all panels except rows, by dashboard and title."""
    return {
        f"{name}: {panel['title']}": panel
        for name, board in dashboards.items()
        for panel in board["panels"]
        if panel["type"] != "row"
    }


def datasources_in(part):
    """Yield the uid of every datasource reference."""
    if isinstance(part, dict):
        yield from (part["datasource"]["uid"],) if "datasource" in part else ()
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from datasources_in(value)


def test_files_match_the_generator(monitoring, monkeypatch):
    monkeypatch.syspath_prepend(monitoring / "grafana")
    import boards

    written = {file.name: file.read_text(encoding="utf-8") for file in (monitoring / "grafana/dashboards").iterdir()}
    assert written == boards.files(), "stale dashboards: make pages"


def test_dashboards_have_fixed_uids_link_each_other_and_use_prometheus(dashboards):
    assert {name.removesuffix(".json") for name in dashboards} == {board["uid"] for board in dashboards.values()} == UIDS
    assert len({board["title"] for board in dashboards.values()}) == len(UIDS)
    for name, board in dashboards.items():
        assert board["schemaVersion"] == SCHEMA_VERSION
        assert "id" not in board, "Grafana's id depends on its database"
        assert {link["url"] for link in board["links"]} == {f"/d/{uid}" for uid in UIDS - {board["uid"]}}
        assert all(link["type"] == "link" and link["keepTime"] and not link["targetBlank"] for link in board["links"])
        assert set(datasources_in(board)) - {"-- Grafana --"} == {"prometheus"}, name


@pytest.mark.parametrize(("name", "annotation"), [("doodle-model.json", "Release"), ("doodle-training.json", "Results")])
def test_annotates_releases_and_results(dashboards, name, annotation):
    """An annotation compares a value with the point before."""
    (found,) = dashboards[name]["annotations"]["list"]
    assert (found["name"], found["enable"], bool(found["textFormat"])) == (annotation, True, True)
    assert "offset $__interval" in found["target"]["expr"]


def test_every_panel_has_title_help_unit_and_thresholds(dashboards, panels):
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


def test_every_panel_has_queries_and_legends(panels):
    for where, panel in panels.items():
        assert set(Counter(target["refId"] for target in panel["targets"]).values()) == {1}, where
        for target in panel["targets"]:
            assert target["range"] != target["instant"], where
            if panel["type"] in {"timeseries", "bargauge", "state-timeline"}:
                assert target["legendFormat"], where


def test_rates_use_grafana_s_interval(panels, read_yaml):
    """A fixed range would fail when zoomed in and skip samples when zoomed out.

    Queries of Prometheus's own metrics set their interval, because Prometheus scrapes itself less often than the services.
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


def test_panels_fill_the_grid_without_overlap(dashboards):
    for name, board in dashboards.items():
        places = [panel["gridPos"] for panel in board["panels"]]
        cells = Counter(
            (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
        )
        height = max(at["y"] + at["h"] for at in places)
        assert cells == Counter((x, y) for x in range(COLUMNS) for y in range(height)), name
