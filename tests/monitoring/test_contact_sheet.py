"""The contact sheet draws every panel of every board, whether there is something to draw or not."""

import html
from urllib.parse import parse_qs

import httpx
import pytest

# Whatever labels a board asks for.
LABELS = {
    **{
        "instance": "a:7000",
        "job": "fastapi-app",
        "route": "/predict",
        "code": "500",
        "digit": "5",
        "le": "0.5",
        "phase": "forward",
    },
    **{"version": "0123456789ab", "pointer": "live", "stage": "train", "subject": "ink", "alertname": "DoodleReplicaDown"},
}


@pytest.fixture
def contact_sheet(monkeypatch, monitoring):
    monkeypatch.syspath_prepend(monitoring.parent / "tests/monitoring")
    import contact_sheet

    return contact_sheet


@pytest.fixture
def answers(contact_sheet):
    """answers(values): as if every query had one series with these values."""
    asked = []

    def answers(values):
        def prometheus(request):
            query = {name: value for name, (value,) in parse_qs(request.content.decode()).items()}
            asked.append(query["query"])
            if not values:
                result = []
            elif "step" in query:
                moments = [float(query["start"]) + float(query["step"]) * number for number in range(len(values))]
                result = [{"metric": LABELS, "values": [[when, str(value)] for when, value in zip(moments, values)]}]
            else:
                result = [{"metric": LABELS, "value": [float(query["time"]), str(values[-1])]}]
            return httpx.Response(200, json={"data": {"result": result}})

        client = httpx.Client(base_url="http://prometheus", transport=httpx.MockTransport(prometheus))
        return contact_sheet.Answers(client, 900)

    answers.asked = asked
    return answers


@pytest.mark.parametrize("values", [[], [0.0] * 5, [1.0], [0.001, 0.5, 1, 1e6], ["NaN", "1"]])
def test_every_panel_is_drawn(contact_sheet, answers, dashboards, values):
    for board in dashboards.values():
        page = contact_sheet.page(board, answers(values))
        for panel in board["panels"]:
            assert f">{html.escape(panel['title'])}<" in page
            assert html.escape(panel.get("description", "")) in page
    assert not any("$" in query for query in answers.asked)


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("s", 0.00025, "250 µs"),
        ("s", 0.0123, "12.3 ms"),
        ("s", 90, "1.5 min"),
        ("bytes", 3 * 2**20, "3 MiB"),
        ("percentunit", 0.123, "12.3%"),
        ("reqps", 1234, "1.23 K req/s"),
        ("none", 0, "0"),
        ("locale", 98827, "98,827"),
    ],
)
def test_figures_are_worded_in_their_unit(contact_sheet, unit, value, text):
    assert contact_sheet.formatted({"unit": unit}, value) == text


def test_a_step_s_colour_is_that_of_the_highest_reached(contact_sheet):
    steps = [{"value": None, "color": "black"}, {"value": 1, "color": "grey"}, {"value": 2, "color": "white"}]
    colors = [contact_sheet.threshold_color({"thresholds": {"steps": steps}}, value) for value in (-1, 1, 5)]
    assert colors == ["black", "grey", "white"]


def test_buckets_of_a_histogram_are_drawn_apart(contact_sheet):
    from contact_sheet_charts import apart

    counts = (("+Inf", 9.0), ("0.5", 2.0), ("0.9", 7.0))
    buckets = [{"metric": {"le": le}, "name": le, "values": [(0, count)]} for le, count in counts]
    assert [(each["name"], each["values"][0][1]) for each in apart(buckets)] == [("0.5", 2.0), ("0.9", 5.0), ("+Inf", 2.0)]
