"""Draw each dashboard from the data of a running Prometheus, much as Grafana does. docs/operate.md shows the images.

python monitoring/grafana/contact_sheet.py http://localhost:9090 FOLDER [MINUTES]    FOLDER/UID.html and .png for each board
"""

import argparse
import html
import json
import shutil
import time
from pathlib import Path

import httpx
from contact_sheet_charts import LEGEND_COLORS, bar_chart, color, formatted, line_chart, said, spark, strips, threshold_color

DASHBOARDS = Path(__file__).parent / "dashboards"
COLUMN, ROW, GAP, WIDTH = 24, 30, 8, 1280  # Grafana's grid: 24 columns, 30 pixels a row, 8 between
STYLE = """
* { box-sizing: border-box; margin: 0 }
body { background: #111217; color: #ccccdc; font: 12px Inter, "DejaVu Sans", sans-serif; width: 1280px; padding: 8px }
h1 { font-size: 18px; font-weight: 500; height: 30px } h1 small { color: #8e8e9e; font-size: 12px; font-weight: 400 }
#grid { position: relative } #grid > * { position: absolute; overflow: hidden }
h2 { font-size: 14px; font-weight: 500; padding: 8px 0 0 2px }
section { background: #181b1f; border: 1px solid #2c2f36; border-radius: 3px; padding: 5px 8px }
section { display: flex; flex-direction: column }
h3 { font-size: 12px; font-weight: 500; white-space: nowrap }
p { color: #7f8190; font-size: 9px; line-height: 11px; max-height: 33px; overflow: hidden; flex: none }
section.loud p { color: #ffffffc0 }
.body { flex: 1; min-height: 0; position: relative }
.figure { font-size: 26px; font-weight: 500; white-space: nowrap }
.figure, .none { height: 100%; display: flex; align-items: center; justify-content: center }
.figure.long { font-size: 15px }
.spark { position: absolute; inset: 40% 0 0 0 } .figure span { position: relative }
.legend { font-size: 10px; line-height: 13px; max-height: 27px; overflow: hidden; flex: none }
.legend i { font-style: normal; margin-right: 9px }
.legend b { display: inline-block; width: 10px; height: 3px; vertical-align: 3px; margin-right: 4px }
table { width: 100%; border-collapse: collapse; font-size: 11px }
td, th { text-align: left; padding: 3px 6px; border-bottom: 1px solid #2c2f36; white-space: nowrap }
th { color: #6e9fff; font-weight: 500 } .none { color: #8e8e9e }
svg { display: block } svg text { font-size: 10px; fill: #9a9bab }
"""


class Answers:
    """Answers of Prometheus to a panel's queries. It expands Grafana's variables as Grafana 13 does."""

    def __init__(self, client: httpx.Client, seconds: float, scrape: float = 5.0):
        self.client, self.scrape = client, scrape
        self.end = time.time()
        self.start = self.end - seconds

    def ask(self, target: dict, points: int = 300) -> list[dict]:
        """Return the series: {"metric": labels, "values": [[time, value]], ...}."""
        least = float(target.get("interval", f"{self.scrape}s").removesuffix("s"))
        span = self.end - self.start
        step = max(least if "interval" in target else 1.0, float(int(span / points)))
        text = target["expr"]
        for variable, seconds in (
            ("$__rate_interval", max(4 * least, step + least)),
            ("$__interval", step),
            ("$__range", span),
        ):
            text = text.replace(variable, f"{int(seconds)}s")
        if target["range"]:
            start = self.start - self.start % step
            asked = {"query": text, "start": start, "end": self.end, "step": step}
            answer = self._get("/api/v1/query_range", asked)
        else:
            answer = self._get("/api/v1/query", {"query": text, "time": self.end})
        for series in answer:
            pairs = series.get("values") or [series["value"]]
            series["values"] = [(float(when), float(what)) for when, what in pairs if what != "NaN"]
            series["step"] = step
            series["name"] = named(target.get("legendFormat", ""), series["metric"])
        return answer

    def _get(self, path: str, asked: dict) -> list[dict]:
        answer = self.client.post(path, data=asked).raise_for_status().json()
        return answer["data"]["result"]


def named(legend: str, labels: dict[str, str]) -> str:
    for label, value in labels.items():
        legend = legend.replace("{{" + label + "}}", value)
    return legend


def page(board: dict, answers: Answers) -> str:
    """Return the board as HTML."""
    marks = []
    for mark in board["annotations"]["list"]:
        for series in answers.ask(mark["target"], points=180):
            last = None  # consecutive points are one mark
            for when, _ in series["values"]:
                if last is None or when - last > series["step"] * 1.5:
                    marks.append((when, named(mark["textFormat"], series["metric"])))
                last = when
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"]) * (ROW + GAP)
    parts = [place(panel, answers, marks) for panel in board["panels"]]
    span = (answers.end - answers.start) / 60
    title = f"{html.escape(board['title'])} <small>{html.escape(board['description'])} The last {span:.0f} minutes.</small>"
    return (
        f"<!doctype html><meta charset=utf-8><title>{html.escape(board['title'])}</title><style>{STYLE}</style>"
        f'<h1>{title}</h1><div id=grid style="height:{height}px">{"".join(parts)}</div>'
    )


def place(panel: dict, answers: Answers, marks: list) -> str:
    at = panel["gridPos"]
    unit_width = (WIDTH - 16 + GAP) / COLUMN
    x, y = at["x"] * unit_width, at["y"] * (ROW + GAP)
    width, height = at["w"] * unit_width - GAP, at["h"] * (ROW + GAP) - GAP
    box = f"left:{x:.0f}px;top:{y:.0f}px;width:{width:.0f}px;height:{height:.0f}px"
    if panel["type"] == "row":
        return f'<h2 style="{box}">{html.escape(panel["title"])}</h2>'
    series = [found | {"refId": target["refId"]} for target in panel["targets"] for found in answers.ask(target)]
    help_lines = min(3, -(-len(panel["description"]) * 4.7 // (width - 18)))
    room = height - 28 - 11 * help_lines - (28 if panel["type"] in {"timeseries", "state-timeline"} else 0)
    body, legend, background = draw(panel, series, answers, marks, width - 18, room)
    loud = ' class="loud"' if background else ""
    style = f"{box};background:{background}" if background else box
    return (
        f'<section{loud} style="{style}"><h3>{html.escape(panel["title"])}</h3><p>{html.escape(panel["description"])}</p>'
        f"<div class=body>{body}</div><div class=legend>{legend}</div></section>"
    )


def draw(panel, series, answers, marks, width, height) -> tuple[str, str, str]:
    """Return the panel's content, its legend, and its background color or ""."""
    defaults = panel["fieldConfig"]["defaults"]
    kind = panel["type"]
    if not any(found["values"] for found in series):
        background = ""
        return f"<div class=none>{html.escape(defaults.get('noValue', 'No data'))}</div>", "", background
    if kind == "stat":
        found = series[0]
        value = found["values"][-1][1]
        shade = said(defaults, value)[1] or threshold_color(defaults, value)
        text = found["name"] if panel["options"]["textMode"] == "name" else formatted(defaults, value, answers.end)
        behind = spark(found["values"], shade, width, height) if panel["options"]["graphMode"] == "area" else ""
        loud = panel["options"]["colorMode"] == "background"
        ink = "#fff" if loud else shade
        size = " long" if len(text) > 9 else ""
        return (
            f'{behind}<div class="figure{size}" style="color:{ink}"><span>{html.escape(text)}</span></div>',
            "",
            shade if loud else "",
        )
    if kind == "table":
        return table(panel, series, answers), "", ""
    if kind == "bargauge":
        return bar_chart(panel, series, width, height), "", ""
    names = [found["name"] for found in series]
    if kind == "state-timeline":
        texts = next((mapping["options"] for mapping in defaults.get("mappings", [])), {})
        legend = "".join(f'<i><b style="background:{color(text["color"])}"></b>{text["text"]}</i>' for text in texts.values())
        return strips(panel, series, answers, width, height), legend, ""
    legend = "".join(
        f'<i><b style="background:{LEGEND_COLORS[index % len(LEGEND_COLORS)]}"></b>{html.escape(name)}</i>'
        for index, name in enumerate(names)
    )
    return line_chart(panel, series, answers, marks, width, height), legend, ""


def table(panel: dict, series: list, answers: Answers) -> str:
    """Return a table of one query, or of several joined by a label."""
    transformations = {step["id"]: step["options"] for step in panel["transformations"]}
    names = transformations["organize"]["renameByName"]
    key = transformations.get("joinByField", {}).get("byField")
    rows = {}
    for number, found in enumerate(series):
        row = rows.setdefault(found["metric"].get(key, number) if key else number, {})
        row |= found["metric"] | {f"Value #{found['refId']}": found["values"][-1][1]}
    overrides = {
        override["matcher"]["options"]: {one["id"]: one["value"] for one in override["properties"]}
        for override in panel["fieldConfig"]["overrides"]
    }
    lines = []
    for row in rows.values():
        cells = []
        for name, title in names.items():
            value = row.get(name, "–")
            text, shade = str(value), ""
            if isinstance(value, float):
                options = panel["fieldConfig"]["defaults"] | overrides.get(title, {})
                text, shade = formatted(options, value, answers.end), said(options, value)[1]
            cells.append(f'<td style="color:{shade}">{html.escape(text)}</td>')
        lines.append(f"<tr>{''.join(cells)}</tr>")
    head = "".join(f"<th>{html.escape(title)}</th>" for title in names.values())
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>"


def pictures(address: str, folder: Path, minutes: float) -> None:
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        for file in sorted(DASHBOARDS.glob("*.json")):
            board = json.loads(file.read_text(encoding="utf-8"))
            answers = Answers(httpx.Client(base_url=address, timeout=30), minutes * 60)
            (folder / f"{board['uid']}.html").write_text(page(board, answers), encoding="utf-8")
            view = browser.new_page(viewport={"width": WIDTH, "height": 800})
            view.goto((folder / f"{board['uid']}.html").as_uri())
            view.screenshot(path=folder / f"{board['uid']}.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prometheus", help="URL of Prometheus")
    parser.add_argument("folder", type=Path, help="folder for the files")
    parser.add_argument("minutes", type=float, nargs="?", default=15, help="time range of the boards (default 15)")
    arguments = parser.parse_args()
    pictures(arguments.prometheus, arguments.folder.resolve(), arguments.minutes)
