"""Grafana's four dashboards as code, typed by grafana-foundation-sdk, which rejects unknown fields.

`make pages` writes ../dashboards/*.json. Grafana's container reads only those files, and needs neither this code nor the SDK.
One file per board; panels.py has the kinds of panels, layout.py places them.
"""

from boards import model, service, stack, training
from boards.layout import as_json

BOARDS = (service.BOARD, model.BOARD, training.BOARD, stack.BOARD)


def files() -> dict[str, str]:
    """Return the text of each dashboard's file, by file name."""
    return {f"{board.uid}.json": as_json(board) for board in BOARDS}
