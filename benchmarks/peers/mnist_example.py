"""PyTorch's own example, pytorch/examples/mnist/main.py: python mnist_example.py MNIST

The published example on the processor: its network, Adadelta with learning rate 1.0 times 0.7 an epoch, batches of 64, 14 epochs,
and a test after each. One change makes it faster: images become normalized tensors in advance, not one by one in torchvision.

Five whole runs would take too long. So each line of input trains three more epochs, up to 14. Then it prints the extrapolated
time of 14 epochs: {"seconds": …, "errors": errors on the test digits so far}.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.optim.lr_scheduler import StepLR

EPOCHS, EPOCHS_A_ROUND = 14, 3


class Net(nn.Module):
    """The example's network."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 1)
        self.conv2 = nn.Conv2d(32, 64, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(9216, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = self.dropout1(F.max_pool2d(x, 2))
        x = F.relu(self.fc1(torch.flatten(x, 1)))
        return F.log_softmax(self.fc2(self.dropout2(x)), dim=1)


def train(model, loader, optimizer):
    model.train()
    for data, target in loader:
        optimizer.zero_grad()
        loss = F.nll_loss(model(data), target)
        loss.backward()
        optimizer.step()


def wrong(model, loader):
    """Return the errors on the test digits."""
    model.eval()
    with torch.no_grad():
        return sum(int((model(data).argmax(dim=1) != target).sum()) for data, target in loader)


def digits(folder, name):
    """Return the dataset of MNIST's files with this prefix."""
    images = np.fromfile(folder / f"{name}-images-idx3-ubyte", np.uint8, offset=16).reshape(-1, 1, 28, 28)
    labels = np.fromfile(folder / f"{name}-labels-idx1-ubyte", np.uint8, offset=8)
    normalized = (torch.from_numpy(images).float() / 255.0 - 0.1307) / 0.3081
    return torch.utils.data.TensorDataset(normalized, torch.from_numpy(labels).long())


def main():
    torch.manual_seed(1)
    began = time.perf_counter()
    training_loader = torch.utils.data.DataLoader(digits(Path(sys.argv[1]), "train"), batch_size=64)
    test_loader = torch.utils.data.DataLoader(digits(Path(sys.argv[1]), "t10k"), batch_size=1000)
    model = Net()
    optimizer = optim.Adadelta(model.parameters(), lr=1.0)
    scheduler = StepLR(optimizer, step_size=1, gamma=0.7)
    loading, done = time.perf_counter() - began, 0
    print("ready", flush=True)
    for _ in sys.stdin:
        epochs = min(EPOCHS_A_ROUND, EPOCHS - done) or 1
        began = time.perf_counter()
        for _ in range(epochs):
            train(model, training_loader, optimizer)
            errors = wrong(model, test_loader)
            scheduler.step()
        done += epochs
        seconds = (time.perf_counter() - began) / epochs
        print(json.dumps({"seconds": loading + EPOCHS * seconds, "errors": errors, "epochs": done}), flush=True)


if __name__ == "__main__":
    main()
