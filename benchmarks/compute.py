"""digitnet's side of the races of bench.py.

python benchmarks/compute.py epoch|image|batch|strokes|photo|png|number|sheet INPUTS [NETWORK]
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from digitnet.checkpoint import load
from digitnet.convolution import Conv2D
from digitnet.images.strokes import image_from_strokes
from digitnet.inference_plan import InferencePlan
from digitnet.network import Network
from digitnet.optimizers import Adam
from digitnet.parallel import DataParallel
from inference.body import image_of, lines_of
from inference.image_files.decode import IMAGE_TYPES, checked_image, decoded
from inference.predictor import Model
from inference.reading import read_lines
from inference.schemas.requests import PredictRequest
from plan_threads import PlanThreads
from threadpoolctl import threadpool_limits

sys.path.append(str(Path(__file__).resolve().parent / "peers"))
import batches
from rounds import rounds


def epoch(inputs: Path, network: Network) -> None:
    """Train an epoch like the trainer: half a batch on each of two threads, BLAS on one. A perceptron is too small to shard."""
    images, labels = batches.read(inputs)
    shards = 2 if any(isinstance(layer, Conv2D) for layer in network.layers) else 1
    optimizer, generator = Adam(network.parameters.size), np.random.default_rng(1)
    with threadpool_limits(1, user_api="blas"), DataParallel(network, shards) as parallel:

        def work():
            for chosen in batches.epoch(generator, len(images)):
                parallel.loss_and_gradients(images[chosen], labels[chosen])
                optimizer.update(network.parameters, network.gradients, 1e-3)

        rounds(work)


def image(inputs: Path, network: Network) -> None:
    """Predict one image like the service, on one thread."""
    image = batches.read(inputs)[0][:1]
    with threadpool_limits(1, user_api="blas"):
        plan = InferencePlan(network)
        rounds(lambda: plan.predict_logits(image), times=5000)


def batch(inputs: Path, network: Network) -> None:
    """Predict 512 images on two threads."""
    images = batches.read(inputs)[0][:512]
    with threadpool_limits(1, user_api="blas"), PlanThreads(network, threads=2) as parallel:
        rounds(lambda: parallel.predict_logits(images), times=40)


def strokes(inputs: Path, _: Network) -> None:
    """Turn the drawing of the service's race into 28 x 28."""
    drawing = json.loads((inputs / "bodies" / "strokes.body").read_text())["strokes"]
    rounds(lambda: image_from_strokes(drawing), times=300)


def photo(inputs: Path, network: Network) -> None:
    """Predict a JPEG of 12 megapixels like the service. One thread decodes, so CPU time is the time on an idle core."""
    _image_file(inputs / "bodies" / "photo.body", network, times=5)


def png(inputs: Path, network: Network) -> None:
    """Predict the PNG of the service's race, of 280 x 280."""
    _image_file(inputs / "bodies" / "png.body", network, times=100)


def _image_file(path: Path, network: Network, times: int) -> None:
    content = path.read_bytes()
    with threadpool_limits(1, user_api="blas"):
        plan = InferencePlan(network)

        def work():
            image = image_of(decoded(checked_image(content, IMAGE_TYPES[0])))
            plan.predict_logits(image[None])

        rounds(work, times, clock=time.process_time)


def number(inputs: Path, network: Network) -> None:
    """Read a number of six digits like the service, from strokes to text."""
    _read(inputs / "bodies" / "number.body", network, times=50)


def sheet(inputs: Path, network: Network) -> None:
    """Read five lines of eight digits like the service, from strokes to text."""
    _read(inputs / "bodies" / "sheet.body", network, times=10)


def _read(path: Path, network: Network, times: int) -> None:
    drawing = PredictRequest.model_validate_json(path.read_bytes())
    model = Model(network, {})
    with threadpool_limits(1, user_api="blas"):
        rounds(lambda: read_lines(model, lines_of(drawing)), times, clock=time.process_time)


RACES = {work.__name__: work for work in (epoch, image, batch, strokes, photo, png, number, sheet)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("race", choices=RACES)
    parser.add_argument("inputs", type=Path, help="the folder that bench.py prepares")
    parser.add_argument("network", nargs="?", default="convolutional", help="one of params.yaml")
    chosen = parser.parse_args()
    network, _ = load(chosen.inputs / chosen.network)
    RACES[chosen.race](chosen.inputs, network)
    return 0


if __name__ == "__main__":
    sys.exit(main())
