#!/usr/bin/env python3
"""Trains the network for digits in PyTorch with the settings of recipes/mnist-digit.toml, to compare.

    python3 digit.py FOLDER --seed 1 --seed 2

FOLDER holds MNIST's four files, packed with gzip, as its publisher names them. Prints test accuracy
and average test loss after the last epoch, a line for each seed. Needs PyTorch and NumPy.
"""

import argparse
import gzip
import time
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.nn import functional

EPOCHS = 26
BATCH_SIZE = 64
RATE = 1e-3


class Block(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.convolution1 = nn.Conv2d(channels, 30, 5, padding=2)
        self.convolution2 = nn.Conv2d(30, channels, 3, padding=1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return functional.relu(features + self.convolution2(self.convolution1(features)))


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 20, 5),
        nn.MaxPool2d(2),
        nn.ReLU(),
        Block(20),
        nn.Conv2d(20, 15, 3),
        nn.MaxPool2d(2),
        nn.ReLU(),
        Block(15),
        nn.Flatten(),
        nn.Linear(375, 10),
    )


def read(folder: Path, part: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures `[count, 1, 28, 28]`, brightness 0 to 1, and their classes."""
    pixels = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())[8:]
    pictures = numpy.frombuffer(pixels, numpy.uint8).reshape(-1, 1, 28, 28).astype(numpy.float32)
    classes = numpy.frombuffer(labels, numpy.uint8).astype(numpy.int64)
    return torch.from_numpy(pictures / 255), torch.from_numpy(classes)


def train(model: nn.Module, pictures: torch.Tensor, classes: torch.Tensor) -> None:
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(classes)).split(BATCH_SIZE):
            optimizer.zero_grad()
            functional.cross_entropy(model(pictures[chosen]), classes[chosen]).backward()
            optimizer.step()


@torch.no_grad()
def score(model: nn.Module, pictures: torch.Tensor, classes: torch.Tensor) -> tuple[float, float]:
    """Accuracy, 0 to 1, and average cross entropy."""
    logits = torch.cat([model(part) for part in pictures.split(1000)])
    accuracy = (logits.argmax(1) == classes).double().mean().item()
    return accuracy, functional.cross_entropy(logits.double(), classes).item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, action="append", required=True)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    training = read(arguments.folder, "train")
    test = read(arguments.folder, "t10k")
    for seed in arguments.seed:
        torch.manual_seed(seed)
        model = network()
        start = time.monotonic()
        train(model, *training)
        accuracy, loss = score(model, *test)
        seconds = time.monotonic() - start
        print(f"seed {seed}: test accuracy {accuracy:.2%}, loss {loss:.4f}, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
