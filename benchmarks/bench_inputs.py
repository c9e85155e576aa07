"""Make the inputs of bench.py's races: networks of params.yaml with fresh weights, MNIST, and request bodies.

python benchmarks/bench_inputs.py FOLDER     to run one side of a race alone
"""

import argparse
import io
import json
import sys
from pathlib import Path

import numpy as np
import yaml
from digitnet.checkpoint import save
from digitnet.images.normalize import in_unit_range
from digitnet.mnist import read_images, read_labels
from digitnet.network import Network
from PIL import Image, ImageDraw
from polylines import dense, number
from trainer.data.idx import TEST_IMAGES, TRAIN_IMAGES, TRAIN_LABELS
from worst_requests import photo

PROJECT = Path(__file__).resolve().parents[1]
NETWORKS = ("convolutional", "perceptron", "larger")
# A 5 on a canvas of 280 x 280.
CORNERS = [(190, 55), (100, 58), (92, 130), (140, 118), (185, 140), (192, 185), (165, 228), (115, 235), (82, 215)]


def prepare(folder: Path) -> None:
    """Write all inputs to the folder. SystemExit without MNIST."""
    mnist = PROJECT / "mnist"
    if not (mnist / TRAIN_IMAGES).exists():
        raise SystemExit("bench: mnist/ has no MNIST files: run `make data`")
    np.save(folder / "pictures.npy", read_images(mnist / TRAIN_IMAGES))
    np.save(folder / "labels.npy", read_labels(mnist / TRAIN_LABELS))
    digits = read_images(mnist / TEST_IMAGES)[:20]
    declared = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))["networks"]
    for name in NETWORKS:
        network = Network(declared[name])
        network.initialize(np.random.default_rng(0))
        save(folder / name, network, digits, {})

    points = dense(CORNERS)
    canvas = Image.new("RGB", (280, 280))
    ImageDraw.Draw(canvas).line(points, fill=(255, 255, 0), width=20, joint="curve")
    png = io.BytesIO()
    canvas.save(png, "png")
    vector = in_unit_range(digits[0]).ravel().astype(float).round(4).tolist()
    bodies = folder / "bodies"
    bodies.mkdir(exist_ok=True)
    (bodies / "vector.body").write_text(json.dumps({"image_vector": vector}))
    v2 = {"name": "pictures", "shape": [1, len(vector)], "datatype": "FP32", "data": vector}
    (bodies / "v2.body").write_text(json.dumps({"inputs": [v2]}))
    batch = {"name": "images", "shape": [64, 28, 28], "datatype": "UINT8", "parameters": {"binary_data_size": 64 * 28 * 28}}
    images = read_images(mnist / TEST_IMAGES)[:64]
    (bodies / "batch.body").write_bytes(json.dumps({"inputs": [batch]}).encode() + images.tobytes())
    (bodies / "strokes.body").write_text(json.dumps({"strokes": [points], "width": 280, "height": 280, "brush": 20}))
    for name, lines in (("number", ["602495"]), ("sheet", ["31415926"] * 5)):
        strokes = [stroke for row, line in enumerate(lines) for stroke in number(line, y=30.0 + 150.0 * row)]
        (bodies / f"{name}.body").write_text(json.dumps({"strokes": strokes, "width": 640, "height": 780, "brush": 14}))
    (bodies / "png.body").write_bytes(png.getvalue())
    (bodies / "photo.body").write_bytes(photo("JPEG", quality=75))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the folder to write to; it is created if needed")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    prepare(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
