"""Send clean or drifted drawings to a running Doodle, to watch the drift panels in Grafana: `make drift`.

    make drift                        1,500 clean digits in two minutes
    make drift KIND=shuffled          the same with shuffled pixels; --help lists all kinds

services/trainer/data/strokes.py writes the digits, with a seed that no training uses. The service logs them like any drawing,
so they displace the oldest drawings in a full prediction log.
"""

import argparse
import sys
import time

import httpx
import numpy as np
from deployment.settings import SettingsError, read_settings
from digitnet.images.strokes import image_from_strokes
from trainer.data.strokes import Forms
from trainer.workspace import TrainerSettings

SEED = 20_261_126  # no training uses it
PIXELS = np.random.default_rng(SEED).permutation(28 * 28)
THIN = 0.6  # pixels of the image: half of the usual pen radius

KINDS = {
    "clean": "unchanged digits",
    "thin": "digits drawn with half the pen width",
    "inverted": "digits with paper and ink swapped, which normalization undoes",
    "shifted": "digits three pixels to the right and down, which normalization undoes",
    "shuffled": "digits with their pixels shuffled, always in the same order",
    "letters": "letters and scribbles instead of digits",
}


def body(kind: str, strokes: list[np.ndarray]) -> dict:
    """Return the body of a POST /predict."""
    if kind in ("clean", "letters"):
        return {"strokes": [stroke.tolist() for stroke in strokes]}
    image = image_from_strokes(strokes, pen_radius=THIN) if kind == "thin" else image_from_strokes(strokes)
    if kind == "inverted":
        image = 1.0 - image
    elif kind == "shifted":
        image = np.roll(image, (3, 3), axis=(0, 1))
    elif kind == "shuffled":
        image = image.ravel()[PIXELS]
    return {"image_vector": image.ravel().astype(float).round(4).tolist()}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="drift", description=__doc__.splitlines()[0])
    listed = "; ".join(f"{name}: {text}" for name, text in KINDS.items())
    parser.add_argument("kind", nargs="?", default="clean", choices=KINDS, help=listed)
    parser.add_argument("--count", type=int, default=1500, help="drawings (1500)")
    parser.add_argument("--rate", type=float, default=12.0, help="drawings a second (12)")
    parser.add_argument("--url", help="the API; default: DOODLE_API_URL or DOODLE_PORT, also from .env")
    chosen = parser.parse_args(arguments)
    if chosen.count < 1 or not chosen.rate > 0.0:
        parser.error("--count must be at least 1, and --rate above 0")
    try:
        url = chosen.url or read_settings(TrainerSettings, _env_file=".env").stack.url
    except SettingsError as error:
        parser.error(str(error))

    forms, generator = Forms(), np.random.default_rng([SEED, list(KINDS).index(chosen.kind)])
    began, rejected = time.monotonic(), 0
    try:
        with httpx.Client(base_url=url, timeout=10.0, trust_env=False) as client:
            for number in range(chosen.count):
                if number % 20 == 0:
                    writer = forms.writer(generator)
                if chosen.kind == "letters":
                    strokes, _ = forms.non_digit(generator, writer)
                else:
                    strokes, _ = forms.digit(number % 10, generator, writer)
                answer = client.post("/predict", json=body(chosen.kind, strokes))
                answer.raise_for_status()
                rejected += not answer.json()["is_digit"]
                time.sleep(max(0.0, began + (number + 1) / chosen.rate - time.monotonic()))
    except httpx.HTTPError as error:
        print(f"{url} does not answer /predict ({error}). Start Doodle, or give its address with --url", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"sent {chosen.count} drawings ({KINDS[chosen.kind]}); {rejected} were rejected as no digit")
    return 0


if __name__ == "__main__":
    sys.exit(main())
