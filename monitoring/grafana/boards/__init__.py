"""Grafana's four dashboards as code, typed by grafana-foundation-sdk: a field that Grafana does not know cannot be written.

`make pages` writes ../dashboards/*.json, which is all that Grafana's container gets to see: it needs neither this nor the SDK.
One file a board; panels.py has the kinds of panels, layout.py what makes a board of them.
"""

from boards import model, service, stack, training
from boards.layout import as_json

BOARDS = (service.BOARD, model.BOARD, training.BOARD, stack.BOARD)


def files() -> dict[str, str]:
    """The text of each dashboard's file, by the file's name."""
    return {f"{board.uid}.json": as_json(board) for board in BOARDS}
