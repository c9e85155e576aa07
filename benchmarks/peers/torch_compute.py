"""PyTorch's side in eager mode, with the same network and weights: python torch_compute.py epoch|image INPUTS NETWORK"""

import sys
from pathlib import Path

import batches
import numpy as np
import torch
from digitnet.checkpoint import load
from rounds import rounds
from torch import nn


def made_of(network) -> nn.Sequential:
    """Convert digitnet's layers to PyTorch's, with the same weights."""
    made, channels = [], 1
    for layer in network.layers:
        match type(layer).__name__:
            case "Conv2D":
                made.append(nn.Conv2d(channels, layer.filters, layer.kernel_size, padding=layer.padding))
                channels = layer.filters
            case "Dense":
                made.append(nn.Linear(layer.weights.shape[1], layer.units))
            case "MaxPool2D":
                made.append(nn.MaxPool2d(layer.size))
            case "ReLU":
                made.append(nn.ReLU())
            case "Flatten":
                made.append(nn.Flatten())
            case "Dropout":
                made.append(nn.Dropout(layer.rate))
        if layer.weights_shape is not None:
            with torch.no_grad():
                made[-1].weight.copy_(torch.from_numpy(layer.weights.reshape(made[-1].weight.shape)))
                made[-1].bias.copy_(torch.from_numpy(layer.bias))
    return nn.Sequential(*made)


def epoch(inputs: Path, model: nn.Sequential) -> None:
    """Use channels-last memory for convolutions, the faster layout here."""
    torch.set_num_threads(2)
    images, labels = (torch.from_numpy(array) for array in batches.read(inputs))
    images = images[:, None]
    if any(isinstance(layer, nn.Conv2d) for layer in model):
        model = model.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    optimizer, loss = torch.optim.Adam(model.parameters(), lr=1e-3), nn.CrossEntropyLoss()
    generator = np.random.default_rng(1)

    def work():
        for chosen in batches.epoch(generator, len(images)):
            rows = torch.from_numpy(chosen)
            optimizer.zero_grad()
            loss(model(images[rows]), labels[rows]).backward()
            optimizer.step()

    rounds(work)


def image(inputs: Path, model: nn.Sequential) -> None:
    torch.set_num_threads(1)
    image = torch.from_numpy(batches.read(inputs)[0][:1])[:, None]
    model.eval()

    def work():
        with torch.inference_mode():
            model(image)

    rounds(work, times=5000)


if __name__ == "__main__":
    race, inputs, network = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    {"epoch": epoch, "image": image}[race](inputs, made_of(load(inputs / network)[0]))
