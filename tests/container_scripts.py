"""Python programs that tests run in containers."""

# Publish the live model with changed weights as a new version.
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

# Print the prediction ids from standard input that are in the prediction log.
LOGGED_IDS = """
import sys
from stores.prediction_log import open_prediction_log
log = open_prediction_log("redis://redis:6379/0")
print(*(each for each in sys.stdin.read().split() if log.prediction(each)))
"""

# Print [prediction id, actual digit] of all feedback in the prediction log.
FEEDBACK = """
import json
from stores.prediction_log import open_prediction_log
feedback = open_prediction_log("redis://redis:6379/0").feedback(10_000)
print(json.dumps([(each.prediction_id, each.actual_digit) for each in feedback]))
"""
