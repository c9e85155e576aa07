"""What tests have a container's Python run."""

# The live model with other weights: another version. A little larger, they make it answer a little otherwise.
PUBLISH_ANOTHER = """
import tempfile
from pathlib import Path
import numpy as np
from digitnet.checkpoint import save
from stores.models import open_models
models = open_models("file:///models")
network, card = models.load(models.alias("live"))
{change}
about = {name: card[name] for name in ("no_digit_threshold", "temperature") if name in card}
with tempfile.TemporaryDirectory() as folder:
    save(Path(folder), network, np.zeros((1, 28, 28), np.uint8), about)
    print(models.publish(Path(folder))["version"])
"""

# Of the predictions' ids on standard input those that are in the journal.
JOURNALLED = """
import sys
from stores.prediction_log import open_prediction_log
journal = open_prediction_log("redis://redis:6379/0")
print(*(each for each in sys.stdin.read().split() if journal.prediction(each)))
"""

# (the prediction's id, what it was said to be) of all feedback that is in the journal.
FEEDBACK = """
import json
from stores.prediction_log import open_prediction_log
said = open_prediction_log("redis://redis:6379/0").feedback(10_000)
print(json.dumps([(each.prediction_id, each.actual_digit) for each in said]))
"""
