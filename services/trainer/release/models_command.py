"""models: list the model store, publish a version, and choose the live version. Services follow within a second."""

import argparse
import logging
from datetime import datetime
from pathlib import Path

from stores.models import ALIASES, CANDIDATE, ModelStore, StoreError, UnreachableError

log = logging.getLogger("trainer")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="list all versions, oldest first (the default)")
    publish = actions.add_parser("publish", help="copy a model into the store; the live model stays live")
    publish.add_argument("folder", type=Path, help="a folder with weights.npz and model.json, such as artifacts/model")
    alias = publish.add_mutually_exclusive_group()
    alias.add_argument("--promote", action="store_true", help="then make it live")
    alias.add_argument("--candidate", action="store_true", help="then make it the candidate")
    promote = actions.add_parser("promote", help="make a version live")
    promote.add_argument("version", help="a version from `models list`")
    candidate = actions.add_parser("candidate", help="make a version predict live drawings too, for metrics only (shadow mode)")
    candidate.add_argument("version", nargs="?", help="a version from `models list`; without it, remove the candidate")
    actions.add_parser("rollback", help="make the previous live version live; a second rollback goes back one more")


def run(arguments: argparse.Namespace, models: ModelStore) -> None:
    """Run an action. StoreError if it fails; then the store is unchanged."""
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
    """Return a table with a line for each version: time of publication, accuracy on MNIST's test digits, recipe, aliases."""
    aliases = {alias: _version(models, alias) for alias in ALIASES}
    rows = [("VERSION", "PUBLISHED", "ACCURACY", "RECIPE", "")]
    for version in models.versions():
        try:
            card = models.check(version)
            measured, recipe = card.get("test", {}).get("accuracy"), card.get("recipe", {}).get("recipe", "-")
            accuracy = "-" if measured is None else f"{measured:.2%}"
        except UnreachableError:
            raise
        except StoreError as error:
            accuracy, recipe = "damaged", "-"
            log.warning("%s is damaged: %s", version, error)
        published = datetime.fromtimestamp(models.published_at(version)).isoformat(" ", "seconds")
        rows.append((version, published, accuracy, recipe, " ".join(alias for alias in ALIASES if aliases[alias] == version)))
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def _version(models: ModelStore, alias: str) -> str | None:
    """Return the alias's version; None for a damaged alias too, because promote and candidate repair it."""
    try:
        return models.alias(alias)
    except UnreachableError:
        raise
    except StoreError:
        return None
