"""models: what is in the model store, what is live, how to add to it and to make another version live. Services follow within a
second."""

import argparse
import logging
from datetime import datetime
from pathlib import Path

from stores.models import ALIASES, ModelStore, StoreError, UnreachableError

log = logging.getLogger("trainer")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="every version, oldest first (so does no action at all)")
    publish = actions.add_parser("publish", help="put a model into the store; what is live stays")
    publish.add_argument("folder", type=Path, help="with weights.npz and model.json, as in artifacts/model")
    publish.add_argument("--promote", action="store_true", help="and make it live")
    promote = actions.add_parser("promote", help="make a version live")
    promote.add_argument("version", help="as list shows it")
    candidate = actions.add_parser("candidate", help="let a version read live drawings too, unseen (shadow mode)")
    candidate.add_argument("version", nargs="?", help="as list shows it; without one there is no candidate any more")
    actions.add_parser("rollback", help="make live what was live before; again goes back one further")


def run(arguments: argparse.Namespace, models: ModelStore) -> None:
    """StoreError if that cannot be; nothing has changed then."""
    before = _named(models, "live")
    if arguments.action == "publish":
        version = models.publish(arguments.folder)["version"]
        log.info("%s is in %s", version, models)
        if arguments.promote:
            _promote(models, version, before)
    elif arguments.action == "promote":
        _promote(models, arguments.version, before)
    elif arguments.action == "candidate" and arguments.version is None:
        models.clear("candidate")
        log.info("there is no candidate")
    elif arguments.action == "candidate":
        models.check(arguments.version)
        models.point("candidate", arguments.version)
        log.info("%s is the candidate", arguments.version)
    elif arguments.action == "rollback":
        log.info("%s is live again, before it was %s", models.rollback(), before)
    else:
        print(table(models))


def _promote(models, version, before):
    models.promote(version)
    log.info("%s is live, before it was %s", version, before or "none")


def table(models: ModelStore) -> str:
    """A line for each version: when it was published, how well it reads MNIST's test digits, by which recipe it was made."""
    aliases = {alias: _named(models, alias) for alias in ALIASES}
    rows = [("VERSION", "PUBLISHED", "ACCURACY", "RECIPE", "")]
    for version in models.versions():
        try:
            card = models.card(version)
            accuracy, recipe = _accuracy(card), card.get("recipe", {}).get("recipe", "-")
        except StoreError:
            accuracy, recipe = "damaged", "-"
        published = datetime.fromtimestamp(models.published_at(version)).isoformat(" ", "seconds")
        names = " ".join(alias for alias, named in aliases.items() if named == version)
        rows.append((version, published, accuracy, recipe, names))
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def _named(models, alias):
    """None for an alias that is damaged, too: promote and candidate mend it."""
    try:
        return models.alias(alias)
    except UnreachableError:
        raise
    except StoreError:
        return None


def _accuracy(card):
    accuracy = card.get("test", {}).get("accuracy")
    return f"{accuracy:.2%}" if isinstance(accuracy, float) else "-"
