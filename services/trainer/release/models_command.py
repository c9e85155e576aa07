"""models: list the model store, add a version to it, and choose which version is live. Services follow within a second."""

import argparse
import logging
from datetime import datetime
from pathlib import Path

from stores.models import ALIASES, CANDIDATE, ModelStore, StoreError, UnreachableError

log = logging.getLogger("trainer")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="every version, oldest first (the default)")
    publish = actions.add_parser("publish", help="put a model into the store; what is live stays")
    publish.add_argument("folder", type=Path, help="with weights.npz and model.json, as in artifacts/model")
    alias = publish.add_mutually_exclusive_group()
    alias.add_argument("--promote", action="store_true", help="and make it live")
    alias.add_argument("--candidate", action="store_true", help="and make it the candidate")
    promote = actions.add_parser("promote", help="make a version live")
    promote.add_argument("version", help="as list shows it")
    candidate = actions.add_parser("candidate", help="let a version predict live drawings too, unseen (shadow mode)")
    candidate.add_argument("version", nargs="?", help="as list shows it; without one there is no candidate any more")
    actions.add_parser("rollback", help="make live what was live before; again goes back one further")


def run(arguments: argparse.Namespace, models: ModelStore) -> None:
    """StoreError if that cannot be; nothing has changed then."""
    match arguments.action:
        case "publish":
            version = models.publish(arguments.folder)["version"]
            log.info("%s is in %s%s", version, models, ", and live" if arguments.promote else "")
            if arguments.promote:
                models.promote(version)
            elif arguments.candidate:
                models.point(CANDIDATE, version)
        case "promote":
            models.promote(arguments.version)
            log.info("%s is live", arguments.version)
        case "candidate" if arguments.version is None:
            models.clear(CANDIDATE)
            log.info("there is no candidate")
        case "candidate":
            models.check(arguments.version)
            models.point(CANDIDATE, arguments.version)
            log.info("%s is the candidate", arguments.version)
        case "rollback":
            log.info("%s is live again", models.rollback())
        case _:
            print(table(models))


def table(models: ModelStore) -> str:
    """Return a line for each version: when it was published, its accuracy on MNIST's test digits, its recipe, its aliases."""
    aliases = {alias: _version(models, alias) for alias in ALIASES}
    rows = [("VERSION", "PUBLISHED", "ACCURACY", "RECIPE", "")]
    for version in models.versions():
        try:
            card = models.card(version)
            measured, recipe = card.get("test", {}).get("accuracy"), card.get("recipe", {}).get("recipe", "-")
            accuracy = "-" if measured is None else f"{measured:.2%}"
        except StoreError:
            accuracy, recipe = "damaged", "-"
        published = datetime.fromtimestamp(models.published_at(version)).isoformat(" ", "seconds")
        rows.append((version, published, accuracy, recipe, " ".join(alias for alias in ALIASES if aliases[alias] == version)))
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def _version(models: ModelStore, alias: str) -> str | None:
    """Return None for a damaged alias too: promote and candidate repair it."""
    try:
        return models.alias(alias)
    except UnreachableError:
        raise
    except StoreError:
        return None
