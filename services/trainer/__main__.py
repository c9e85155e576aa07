"""The trainer's command line: one command a pipeline stage, run in the project's top folder (`python -m trainer train`)."""

import argparse
import json
import logging
import signal
import sys

from digitnet.checkpoint import write_atomically
from threadpoolctl import threadpool_limits

from trainer import settings as project
from trainer.evaluate import evaluate
from trainer.fetch import FetchError, fetch, read_pins
from trainer.preprocess import preprocess
from trainer.settings import read_preprocess_settings, read_train_settings
from trainer.train import Stopped, train

log = logging.getLogger("trainer")


def run_fetch() -> None:
    pins = read_pins(project.MNIST_PIN)
    source = fetch(project.MNIST_FOLDER, pins)
    write_atomically(project.FETCHED_FILE, (json.dumps(pins, indent=2) + "\n").encode())
    log.info("MNIST is in %s/ (%s)", project.MNIST_FOLDER, source)


def run_preprocess() -> None:
    preprocess(read_preprocess_settings(), project.MNIST_FOLDER, project.MNIST_PIN, project.DIGITS_FILE)


def run_train() -> None:
    card = train(
        read_train_settings(),
        project.DIGITS_FILE,
        project.TRAINED_FOLDER,
        project.HISTORY_FILE,
        project.UNFINISHED_FILE,
        _signals_ask_to_stop(),
    )
    log.info("trained version %s in %.0f s", card["version"], card["training"]["seconds"])


def run_evaluate() -> None:
    metrics = evaluate(
        project.DIGITS_FILE, project.TRAINED_FOLDER, project.MODEL_FOLDER, project.METRICS_FILE, project.CONFUSION_FILE
    )
    log.info("reads %.2f%% of the %d test digits right", 100 * metrics["accuracy"], metrics["test_pictures"])


COMMANDS = {
    "fetch": (run_fetch, "fill mnist/ with MNIST's four files, from the first source that has them"),
    "preprocess": (run_preprocess, "turn them into the pictures that the network reads"),
    "train": (run_train, "train the network of params.yaml; goes on where a stopped training was"),
    "evaluate": (run_evaluate, "measure it on the test digits and write artifacts/model"),
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="trainer", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, summary) in COMMANDS.items():
        commands.add_parser(name, help=summary, description=summary)
    command, _ = COMMANDS[parser.parse_args(arguments).command]

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        # Training brings its own threads, and one BLAS thread adds in the same order on every machine.
        with threadpool_limits(1, user_api="blas"):
            command()
    except Stopped as stop:
        log.warning("%s", stop)
        return 130
    except (FetchError, ValueError, OSError) as error:  # what is wrong with data, settings and models are ValueErrors
        log.error("%s", error)
        return 1
    return 0


def _signals_ask_to_stop():
    """Ctrl-C and SIGTERM let the step under way finish. Returns a function that says whether one has come."""
    asked = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.append(True))
    return lambda: bool(asked)


if __name__ == "__main__":
    sys.exit(main())
