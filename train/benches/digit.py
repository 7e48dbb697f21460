#!/usr/bin/env python3
"""Trains the network for digits in PyTorch with the settings of recipes/mnist-digit.toml, to compare.

    python3 digit.py FOLDER --seeds 1-2
    python3 digit.py FOLDER --seeds 1-56 --device cuda

FOLDER holds MNIST's four files, packed with gzip, as its publisher names them. Prints test accuracy
and average test loss after the last epoch, a line for each seed, and of several their mean and
standard deviation. On an NVIDIA GPU eight networks are trained side by side. Needs PyTorch and NumPy.
"""

import argparse
import gzip
import statistics
import time
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.nn import functional

EPOCHS = 26
BATCH_SIZE = 64
RATE = 1e-3
SIDE_BY_SIDE = 8


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
    """Images `[count, 1, 28, 28]`, brightness 0 to 1, and their classes."""
    pixels = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())[8:]
    images = numpy.frombuffer(pixels, numpy.uint8).reshape(-1, 1, 28, 28).astype(numpy.float32)
    classes = numpy.frombuffer(labels, numpy.uint8).astype(numpy.int64)
    return torch.from_numpy(images / 255), torch.from_numpy(classes)


class Networks:
    """Networks that are trained side by side."""

    def __init__(self, count: int, images: torch.Tensor, classes: torch.Tensor):
        self.images, self.classes = images, classes
        self.models = [network().to(images.device) for _ in range(count)]
        self.optimizers = [
            torch.optim.Adam(model.parameters(), RATE, capturable=images.is_cuda) for model in self.models
        ]
        self.recorded = {}
        if images.is_cuda:
            self.streams = [torch.cuda.Stream() for _ in self.models]
            for size in {BATCH_SIZE, len(classes) % BATCH_SIZE} - {0}:
                self.recorded[size] = self.record(size)

    def start(self, seeds: list[int]) -> None:
        """Gives each the weights of its seed, before its first step."""
        for seed, model, optimizer in zip(seeds, self.models, self.optimizers):
            torch.manual_seed(seed)
            model.load_state_dict(network().state_dict())
            for state in optimizer.state.values():
                for values in state.values():
                    values.zero_()

    def step(self, chosen: torch.Tensor) -> None:
        """Of each network, on the images of the numbers in its row: `[networks, batch]`."""
        if chosen.shape[1] not in self.recorded:
            for number in range(len(self.models)):
                self.compute(number, chosen[number])
            return
        inputs, graph = self.recorded[chosen.shape[1]]
        inputs.copy_(chosen)
        graph.replay()

    def compute(self, number: int, chosen: torch.Tensor) -> None:
        self.optimizers[number].zero_grad()
        logits = self.models[number](self.images[chosen])
        functional.cross_entropy(logits, self.classes[chosen]).backward()
        self.optimizers[number].step()

    def record(self, size: int) -> tuple[torch.Tensor, torch.cuda.CUDAGraph]:
        """A step of all, to be replayed: such small pieces of work take less time than to launch them."""
        inputs = torch.zeros(len(self.models), size, dtype=torch.long, device="cuda")
        warm_up = torch.cuda.Stream()
        with torch.cuda.stream(warm_up):
            for _ in range(5):
                self.together(inputs)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.together(inputs)
        return inputs, graph

    def together(self, chosen: torch.Tensor) -> None:
        """Each in a stream of its own."""
        main = torch.cuda.current_stream()
        for number, stream in enumerate(self.streams):
            stream.wait_stream(main)
            with torch.cuda.stream(stream):
                self.compute(number, chosen[number])
        for stream in self.streams:
            main.wait_stream(stream)


def train(networks: Networks, seeds: list[int]) -> None:
    networks.start(seeds)
    count, device = len(networks.classes), networks.classes.device
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    # The last of the seeds may be fewer than the networks.
    generators += [torch.Generator() for _ in networks.models[len(seeds) :]]
    for _ in range(EPOCHS):
        orders = torch.stack([torch.randperm(count, generator=generator) for generator in generators])
        for chosen in orders.to(device).split(BATCH_SIZE, 1):
            networks.step(chosen)


@torch.no_grad()
def score(model: nn.Module, images: torch.Tensor, classes: torch.Tensor) -> tuple[float, float]:
    """Accuracy, 0 to 1, and average cross entropy."""
    logits = torch.cat([model(part) for part in images.split(1000)])
    accuracy = (logits.argmax(1) == classes).double().mean().item()
    return accuracy, functional.cross_entropy(logits.double(), classes).item()


def seeds(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=seeds, required=True, help="one, or a range such as 1-10")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    # Full single precision on a GPU too.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    training, test = (
        [part.to(arguments.device) for part in read(arguments.folder, name)] for name in ("train", "t10k")
    )
    together = min(SIDE_BY_SIDE if arguments.device == "cuda" else 1, len(arguments.seeds))
    networks = Networks(together, *training)
    scores = []
    for first in range(0, len(arguments.seeds), together):
        chosen = arguments.seeds[first : first + together]
        start = time.monotonic()
        train(networks, chosen)
        for seed, model in zip(chosen, networks.models):
            accuracy, loss = score(model, *test)
            seconds = time.monotonic() - start
            scores.append((accuracy, loss))
            print(f"seed {seed}: test accuracy {accuracy:.2%}, loss {loss:.4f}, {seconds:.0f} s", flush=True)
    if len(scores) > 1:
        accuracies, losses = zip(*scores)
        print(
            f"{len(scores)} seeds: test accuracy {statistics.mean(accuracies):.3%}, standard deviation "
            f"{statistics.stdev(accuracies):.3%}; loss {statistics.mean(losses):.4f}, {statistics.stdev(losses):.4f}"
        )


if __name__ == "__main__":
    main()
