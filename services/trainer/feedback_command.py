"""feedback: what users said that their drawings were. review shows what has not been decided on, as a table and as pictures;
accept and reject decide."""

import argparse
import logging
from pathlib import Path

import numpy as np
from digitnet.checkpoint import load, write_atomically
from stores.journal import Journal

from trainer.contact_sheet import contact_sheet
from trainer.decisions import Decisions, ReviewError
from trainer.review import Item, chosen, reviewed, table, word

log = logging.getLogger("trainer")

SHEET = "review.png"
PAGE = 1_000  # records from the journal at a time


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("review", help=f"list what has not been decided on, and draw it into {SHEET}")
    for name, flag, which in (
        ("accept", "--unflagged", "nothing is odd about"),
        ("reject", "--flagged", "something is odd about"),
    ):
        action = actions.add_parser(name, help=f"{name} some of it")
        action.add_argument("ids", nargs="*", metavar="ID", help="as review lists them")
        action.add_argument(flag, action="store_true", dest="all", help=f"all of what is undecided that {which}")


def run(arguments: argparse.Namespace, journal: Journal, model: Path, folder: Path) -> None:
    """`model`: whose opinion flags what contradicts it; `folder`: of the decisions, and of review's pictures."""
    decisions = Decisions(folder)
    network, card = load(model)
    items = reviewed(_all(journal), network, card)  # what was decided on is part of the picture: duplicates, floods
    decided = decisions.decided()
    undecided = [item for item in items if item.feedback.feedback_id not in decided]
    if arguments.action == "review":
        print(table(undecided))
        _draw(undecided, folder / SHEET)
        return
    flagged = arguments.action == "reject"
    which = [item for item in undecided if bool(item.flags) == flagged] if arguments.all else []
    which += chosen(items, arguments.ids)
    if not (arguments.all or arguments.ids):
        raise ReviewError(
            f"{arguments.action} what? Give ids, as `review` lists them, or {'--flagged' if flagged else '--unflagged'}"
        )
    (decisions.reject if flagged else decisions.accept)(item.feedback for item in which)
    log.info("%sed %d; %d accepted in all", arguments.action, len(which), len(decisions.accepted()))


def _all(journal):
    found, after = [], None
    while page := journal.feedback(PAGE, after):
        found += page
        after = page[-1].feedback_id
    return found


def _draw(items: list[Item], path: Path):
    if not items:
        return
    captions = [
        f"{word(item.feedback.actual_digit)}: {item.feedback.feedback_id[:4]}{'!' if item.flags else ''}" for item in items
    ]
    write_atomically(path, contact_sheet(np.stack([item.picture for item in items]), captions))
    log.info("their pictures are in %s: what they were said to be, the id's beginning, and ! where something is odd", path)
