"""The dashboards as Grafana would read them, checked without a Grafana."""

import json
import re
import sys
from itertools import combinations

import pytest
import yaml

COLUMNS = 24
SCHEMA_VERSION = 41  # of Grafana 12.0: older ones are migrated as they load, newer ones not understood
UIDS = {"doodle", "doodle-model", "doodle-stack", "doodle-training"}  # links and bookmarks hold on to them
PANEL_TYPES = {"bargauge", "row", "stat", "state-timeline", "table", "timeseries"}


@pytest.fixture
def boards(monitoring, monkeypatch):
    """The code that the dashboards are made by."""
    monkeypatch.syspath_prepend(monitoring / "grafana")
    import boards

    yield boards
    for name in [name for name in sys.modules if name.split(".")[0] == "boards"]:
        del sys.modules[name]


@pytest.fixture
def datasource_uids(monitoring):
    files = (monitoring / "grafana/provisioning/datasources").glob("*.yml")
    return {source["uid"] for file in files for source in yaml.safe_load(file.read_text(encoding="utf-8"))["datasources"]}


@pytest.fixture
def panels(dashboards):
    """All panels but rows, with the dashboard that they are on."""
    found = [(name, panel) for name, board in dashboards.items() for panel in board["panels"] if panel["type"] != "row"]
    assert found
    return found


def datasources_in(part):
    """Every reference to a datasource, however deep."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "datasource":
                yield value
            else:
                yield from datasources_in(value)
    elif isinstance(part, list):
        for value in part:
            yield from datasources_in(value)


def test_files_are_those_that_the_code_makes(boards, monitoring):
    written = {file.name: file.read_text(encoding="utf-8") for file in (monitoring / "grafana/dashboards").iterdir()}
    assert written == boards.files(), "stale dashboards: make pages"


def test_a_line_with_a_hole_or_a_panel_too_many_is_not_made(boards):
    from boards.layout import Line

    panel = boards.service.glance.panels[0]
    assert [width for _, width in Line(4, (panel, panel)).places()] == [12, 12]
    with pytest.raises(ValueError, match="hole"):
        Line(4, (panel, panel), (12, 11)).places()
    with pytest.raises(ValueError, match="longer"):
        Line(4, (panel, panel), (8, 8, 8)).places()


def test_files_are_written_as_a_diff_wants_them(monitoring):
    for file in (monitoring / "grafana/dashboards").glob("*.json"):
        text = file.read_text(encoding="utf-8")
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n", file.name


def test_every_dashboard_has_a_uid_of_its_own_that_never_changes(dashboards):
    assert {name.removesuffix(".json") for name in dashboards} == {board["uid"] for board in dashboards.values()} == UIDS
    assert len({board["title"] for board in dashboards.values()}) == len(UIDS)
    for board in dashboards.values():
        assert board["schemaVersion"] == SCHEMA_VERSION
        assert "id" not in board, "Grafana's own number, which differs from one database to another"


def test_each_dashboard_leads_to_all_others_and_keeps_the_time(dashboards):
    for board in dashboards.values():
        assert {link["url"] for link in board["links"]} == {f"/d/{uid}" for uid in UIDS - {board["uid"]}}
        assert all(link["type"] == "link" and link["keepTime"] and not link["targetBlank"] for link in board["links"])


def test_releases_and_results_are_marked(dashboards):
    """A mark is one moment: it asks for the same moment before, as far back as one point is from the next."""
    marks = {name: [mark["name"] for mark in board["annotations"]["list"]] for name, board in dashboards.items()}
    assert marks == {
        "doodle.json": [],
        "doodle-model.json": ["Release"],
        "doodle-stack.json": [],
        "doodle-training.json": ["Results"],
    }
    for name in ("doodle-model.json", "doodle-training.json"):
        (mark,) = dashboards[name]["annotations"]["list"]
        assert mark["enable"]
        assert mark["textFormat"]
        assert "offset $__interval" in mark["target"]["expr"]


def test_every_datasource_is_named_by_a_uid_that_is_provisioned(dashboards, datasource_uids):
    for name, board in dashboards.items():
        references = list(datasources_in(board))
        assert references, name
        for reference in references:
            assert reference["uid"] in datasource_uids, f"{name}: {reference}"


def test_nothing_waits_for_an_import_to_fill_it_in(monitoring):
    for file in (monitoring / "grafana").rglob("*.*"):
        assert file.suffix == ".pyc" or "${DS_" not in file.read_text(encoding="utf-8"), file.name
    assert not any("__inputs" in file.read_text(encoding="utf-8") for file in (monitoring / "grafana").rglob("*.json"))


def test_every_panel_has_a_title_a_line_of_help_and_a_unit(panels):
    for name, panel in panels:
        assert panel["type"] in PANEL_TYPES, f"{name}: {panel['type']}"
        assert panel["title"], f"{name}: panel {panel['id']}"
        assert panel["description"].endswith("."), f"{name}: {panel['title']}"
        assert panel["fieldConfig"]["defaults"]["unit"], f"{name}: {panel['title']}"
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert steps[0]["value"] is None, f"{name}: {panel['title']}"
        values = [step["value"] for step in steps[1:]]
        assert values == sorted(values), f"{name}: {panel['title']}"


def test_ids_and_titles_are_unique(dashboards):
    for name, board in dashboards.items():
        ids = [panel["id"] for panel in board["panels"]]
        titles = [panel["title"] for panel in board["panels"]]
        assert len(ids) == len(set(ids)), name
        assert len(titles) == len(set(titles)), name


def test_every_panel_asks_prometheus_and_names_its_lines(panels):
    for name, panel in panels:
        assert panel["datasource"]["uid"] == "prometheus", f"{name}: {panel['title']}"
        references = [target["refId"] for target in panel["targets"]]
        assert references, f"{name}: {panel['title']}"
        assert len(references) == len(set(references)), f"{name}: {panel['title']}"
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "prometheus", f"{name}: {panel['title']}"
            assert target["range"] != target["instant"], f"{name}: {panel['title']}"
            if panel["type"] in {"timeseries", "bargauge", "state-timeline"}:
                assert target["legendFormat"], f"{name}: {panel['title']} has lines without names"


def test_rates_over_what_is_shown_follow_the_resolution(panels):
    """A fixed range in a panel is blind when zoomed in and skips samples when zoomed out; the recording rules have theirs."""
    for name, panel in panels:
        for target in panel["targets"]:
            ranges = target["expr"].split("[")[1:]
            assert all(text.startswith(("$__rate_interval]", "$__range]")) for text in ranges), f"{name}: {panel['title']}"
            assert "$__range" not in target["expr"] or target["instant"], (
                f"{name}: {panel['title']} adds up a range at each point"
            )


def test_rates_of_prometheus_itself_span_several_of_its_own_scrapes(panels, monitoring):
    """$__rate_interval is four times the query's interval at least, or else four times the datasource's, which is shorter."""
    own = yaml.safe_load((monitoring / "prometheus/prometheus.yml").read_text(encoding="utf-8"))["global"]["scrape_interval"]
    asked = 0
    for name, panel in panels:
        for target in panel["targets"]:
            if re.search(r"\b(prometheus|process)_\w+", target["expr"]):
                assert target["interval"] == own, f"{name}: {panel['title']}"
                asked += 1
            else:
                assert "interval" not in target, f"{name}: {panel['title']}"
    assert asked


def test_panels_lie_within_the_grid_and_on_no_other(dashboards):
    for name, board in dashboards.items():
        for panel in board["panels"]:
            place = panel["gridPos"]
            assert min(place["x"], place["y"]) >= 0, f"{name}: {panel['title']}"
            assert min(place["w"], place["h"]) >= 1, f"{name}: {panel['title']}"
            assert place["x"] + place["w"] <= COLUMNS, f"{name}: {panel['title']}"
        for one, other in combinations(board["panels"], 2):
            a, b = one["gridPos"], other["gridPos"]
            apart = (
                a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"] or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
            )
            assert apart, f"{name}: {one['title']} lies on {other['title']}"


def test_every_line_of_the_grid_is_full(dashboards):
    """A hole in the layout is a panel that was forgotten."""
    for name, board in dashboards.items():
        places = [panel["gridPos"] for panel in board["panels"]]
        for line in range(max(place["y"] + place["h"] for place in places)):
            assert sum(place["w"] for place in places if place["y"] <= line < place["y"] + place["h"]) == COLUMNS, (
                f"{name}: {line}"
            )
