"""Place panels on boards, and write boards as the JSON that Grafana reads."""

import json
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import prometheus as queries

from boards.panels import PROMETHEUS

COLUMNS = 24
# Boards in the order of their links. The first keeps its old uid, because bookmarks use it.
UIDS = {"Service": "doodle", "Model": "doodle-model", "Training": "doodle-training", "Stack": "doodle-stack"}


@dataclass(frozen=True)
class Line:
    """Panels side by side, of equal height; of equal width too unless `widths` is set."""

    height: int
    panels: tuple
    widths: tuple[int, ...] | None = None

    def places(self) -> list[tuple[object, int]]:
        """Return each panel with its width."""
        widths = self.widths or (COLUMNS // len(self.panels),) * len(self.panels)
        if sum(widths) != COLUMNS:
            raise ValueError(f"{sum(widths)} columns of {COLUMNS}: the layout has a hole or an overlap")
        return list(zip(self.panels, widths, strict=True))


@dataclass(frozen=True)
class Board:
    name: str
    about: str
    sections: dict[str, tuple[Line, ...]]  # by their titles
    annotations: tuple[models.AnnotationQuery, ...] = ()
    shown: str = "15m"

    @property
    def uid(self) -> str:
        return UIDS[self.name]


class Mark(models.AnnotationQuery):
    """A line through all graphs where the expression has a value. The SDK lacks the datasource's own fields."""

    def __init__(self, name: str, color: str, expression: str, text: str):
        query = queries.Dataquery(
            expr=expression, ref_id="Anno", range_val=True, instant=False, interval="5s", datasource=PROMETHEUS
        )
        super().__init__(name=name, datasource=PROMETHEUS, icon_color=color, built_in=None, target=query)
        self.text = text
        self.placement = None  # above the panels; the SDK's default is a menu

    def to_json(self) -> dict[str, object]:
        return super().to_json() | {"titleFormat": self.name, "textFormat": self.text}


def as_json(board: Board) -> str:
    """Return the board as JSON, formatted for diffs."""
    others = [_link(name, uid) for name, uid in UIDS.items() if name != board.name]
    built = (
        dashboard.Dashboard(f"Doodle: {board.name}")
        .uid(board.uid)
        .description(board.about)
        .tags(["doodle"])
        .readonly()
        .timezone("browser")
        .time(f"now-{board.shown}", "now")
        .refresh("5s")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .version(1)
        .variables([])
        .annotations([_Built(mark) for mark in board.annotations])
        .links([_Built(link) for link in others])
        .build()
    )
    built.panels = _placed(board)
    return json.dumps(json.loads(json.dumps(built, cls=JSONEncoder)), indent=2, ensure_ascii=False) + "\n"


def _placed(board: Board) -> list[models.Panel | models.RowPanel]:
    placed, y = [], 0
    for title, content in board.sections.items():
        place = models.GridPos(h=1, w=COLUMNS, x=0, y=y)
        placed.append(dashboard.Row(title).id(len(placed) + 1).grid_pos(place).build())
        y += 1
        for line in content:
            x = 0
            for panel, width in line.places():
                place = models.GridPos(h=line.height, w=width, x=x, y=y)
                placed.append(panel.id(len(placed) + 1).grid_pos(place).build())
                x += width
            y += line.height
    return placed


def _link(name: str, uid: str) -> models.DashboardLink:
    """Return a link to another board that keeps the time range."""
    builder = dashboard.DashboardLink(name).type(models.DashboardLinkType.LINK).url(f"/d/{uid}").icon("dashboard")
    link = builder.tooltip(f"Doodle: {name}").keep_time(True).build()
    link.placement = None  # above the panels; the SDK's default is a menu
    return link


class _Built:
    """A finished part in the form of an SDK builder."""

    def __init__(self, part):
        self.part = part

    def build(self):
        return self.part
