"""feedback: review users' labels for their drawings, accept or reject them, and erase drawings everywhere."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from digitnet.arrays import IMAGE_SIDE
from digitnet.checkpoint import load, write_atomically
from stores.prediction_log import Feedback, PredictionLog

from trainer.feedback.decisions import Decisions, ReviewError
from trainer.feedback.review import Item, chosen, reviewed, table, within_quotas, word
from trainer.reports import contact_sheet

log = logging.getLogger("trainer")

SHEET = "review.png"
PAGE = 1_000  # records of the prediction log in one read
SHORTEST_ID = 8  # characters, as `review` prints: erasure is permanent, so a shorter prefix is too risky


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("review", help=f"list undecided feedback, and draw it into {SHEET}")
    for name, flag, which in (
        ("accept", "--unflagged", "without flags, up to the quotas of one sender and one day"),
        ("reject", "--flagged", "with flags"),
    ):
        action = actions.add_parser(name, help=f"{name} feedback")
        action.add_argument("ids", nargs="*", metavar="ID", help="an id from `feedback review`")
        action.add_argument(flag, action="store_true", dest="all", help=f"{name} all undecided feedback {which}")
    erase = actions.add_parser("erase", help="erase drawings, with their predictions and all feedback on them")
    erase.add_argument("ids", nargs="+", metavar="ID", help="a whole prediction id, or a feedback id from `feedback review`")


def run(arguments: argparse.Namespace, prediction_log: PredictionLog, model: Path, folder: Path) -> None:
    """Run an action. The model in the folder `model` flags feedback; `folder` has the decisions and the contact sheet."""
    decisions, feedback = Decisions(folder), _all(prediction_log)
    if arguments.action == "erase":
        _erase(arguments.ids, prediction_log, decisions, feedback)
        return
    if erased := decisions.forget(prediction_log.erased(decisions.decided())):
        log.info("dropped %d decisions, because their drawings were erased", len(erased))
    items = reviewed(feedback, *load(model))  # decided feedback counts for duplicates and floods
    decided = decisions.decided()
    undecided = [item for item in items if item.feedback.feedback_id not in decided]
    if arguments.action == "review":
        print(table(undecided))
        _draw(undecided, folder / SHEET)
    elif arguments.all or arguments.ids:
        _decide(arguments, decisions, items, undecided)
    else:
        flag = "--flagged" if arguments.action == "reject" else "--unflagged"
        raise ReviewError(f"{arguments.action} needs ids, as `feedback review` lists them, or {flag}")


def _decide(arguments: argparse.Namespace, decisions: Decisions, items: Sequence[Item], undecided: Sequence[Item]) -> None:
    flagged = arguments.action == "reject"
    which = [item.feedback for item in undecided if bool(item.flags) == flagged] if arguments.all else []
    if not flagged:
        accepted = {line.feedback_id for line in decisions.accepted()}
        unflagged = which
        which = within_quotas(unflagged, [item.feedback for item in items if item.feedback.feedback_id in accepted])
        if len(which) < len(unflagged):
            log.info("held back %d beyond the quota of a sender or day: accept them by id", len(unflagged) - len(which))
    which += [item.feedback for item in chosen(items, arguments.ids)]
    (decisions.reject if flagged else decisions.accept)(which)
    log.info("%sed %d; %d accepted in all", arguments.action, len(which), len(decisions.accepted()))


def _erase(ids: Sequence[str], prediction_log: PredictionLog, decisions: Decisions, feedback: Sequence[Feedback]) -> None:
    """Erase from the log first: it keeps the erased ids, so the next command can finish a stopped one."""
    listed = {id_: [each for each in feedback if each.feedback_id.startswith(id_) and len(id_) >= SHORTEST_ID] for id_ in ids}
    for id_, found in listed.items():
        if len(found) > 1:
            raise ReviewError(f"{len(found)} feedback ids begin with {id_!r}: give a longer one")
    drawings = [each for found in listed.values() for each in found]
    others = [id_ for id_, found in listed.items() if not found]
    predictions = [*others, *(each.prediction_id for each in drawings if each.prediction_id)]
    known = prediction_log.erase(predictions, [*others, *(each.feedback_id for each in drawings)])
    known |= decisions.forget({*prediction_log.erased(decisions.decided()), *predictions, *others})
    unknown = [id_ for id_ in others if id_ not in known]
    log.info("erased %d of %d, with all feedback on them", len(ids) - len(unknown), len(ids))
    if unknown:
        raise ReviewError(f"no prediction and no feedback has the id {', '.join(map(repr, unknown))}: give the whole id")


def _all(prediction_log: PredictionLog) -> list[Feedback]:
    found = page = prediction_log.feedback(PAGE)
    while page:
        page = prediction_log.feedback(PAGE, page[-1].feedback_id)
        found = [*found, *page]
    return found


def _draw(items: Sequence[Item], path: Path) -> None:
    marks = ["!" if item.flags else "" for item in items]
    captions = [f"{word(item.feedback.actual_digit)}: {item.feedback.feedback_id[:4]}{mark}" for item, mark in zip(items, marks)]
    images = np.array([item.image for item in items], np.uint8).reshape(-1, IMAGE_SIDE, IMAGE_SIDE)
    write_atomically(path, contact_sheet(images, captions))
    log.info("wrote their images to %s, each with its label, the start of its id, and ! if it has flags", path)
