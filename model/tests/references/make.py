#!/usr/bin/env python3
"""Makes the networks that tests/references.rs computes again: small ones of every kind of block,
shortcut, stem and activation, with PyTorch's answer to one batch of images.

    python3 model/tests/references/make.py

Needs torch, torchvision and safetensors; the files in this folder were made with torch 2.15.0,
torchvision 0.29.2 and safetensors 0.8.0. The same versions make the same files.

Networks that torchvision has are built from its own classes, made narrow; the others are written
out below in the form in which PyTorch users know them. Each file holds the weights under this
crate's names, `input` and `logits`, and in its metadata the crate's config. Logits are computed in
double precision, so that they are the answer and not one rounding of it.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from torchvision.models import resnet as torchvision

FOLDER = Path(__file__).parent
CLASSES = 3


class Narrow(torchvision.ResNet):
    """torchvision's ResNet with other widths."""

    def __init__(self, block, depths, widths, **options):
        super().__init__(block, [1, 1, 1, 1], num_classes=CLASSES, **options)
        self.inplanes = widths[0]
        self.conv1 = nn.Conv2d(3, widths[0], 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        for stage, (depth, width) in enumerate(zip(depths, widths)):
            layer = self._make_layer(block, width, depth, stride=1 if stage == 0 else 2)
            setattr(self, f"layer{stage + 1}", layer)
        self.fc = nn.Linear(widths[-1] * block.expansion, CLASSES)


class ZeroPad(nn.Module):
    """Shortcut A."""

    def __init__(self, before, after, stride):
        super().__init__()
        self.before, self.after, self.stride = before, after, stride

    def forward(self, x):
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.before, self.after))


def shortcut(config, inputs, outputs, stride):
    """A module, None for the identity, or False for no path at all."""
    kind = config["shortcut"]
    if kind == "none":
        return False
    same = inputs == outputs and stride == 1
    if same and kind != "projection-always":
        return None
    if kind == "zero-pad":
        added = outputs - inputs
        return ZeroPad(added // 2, added - added // 2, stride)
    if kind == "plain-projection":
        return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride))
    layers = []
    if kind == "average-pool-projection" and stride > 1:
        layers.append(nn.AvgPool2d(2, stride, ceil_mode=True, count_include_pad=False))
        stride = 1
    layers.append(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False))
    if config["activation"] == "post":
        layers.append(nn.BatchNorm2d(outputs))
    return nn.Sequential(*layers)


def convolutions(config, inputs, width, stride):
    """The convolutions of a block's branch."""
    bias = config["convolution_bias"]
    if config["block"] == "basic":
        return [
            nn.Conv2d(inputs, width, 3, stride, 1, bias=bias),
            nn.Conv2d(width, width, 3, 1, 1, bias=bias),
        ]
    first, spatial = (stride, 1) if config["bottleneck_stride"] == "1x1" else (1, stride)
    inner = width * config["width_per_group"] // 64 * config["groups"]
    groups = config["groups"]
    return [
        nn.Conv2d(inputs, inner, 1, first, bias=bias),
        nn.Conv2d(inner, inner, 3, spatial, 1, groups=groups, bias=bias),
        nn.Conv2d(inner, 4 * width, 1, bias=bias),
    ]


class PostActivation(nn.Module):
    """Convolution, norm, ReLU; the last ReLU behind the addition."""

    def __init__(self, config, inputs, width, stride, first):
        super().__init__()
        self.convolutions = nn.ModuleList(convolutions(config, inputs, width, stride))
        self.norms = nn.ModuleList(nn.BatchNorm2d(c.out_channels) for c in self.convolutions)
        self.outputs = self.convolutions[-1].out_channels
        self.shortcut = shortcut(config, inputs, self.outputs, stride)

    def forward(self, x):
        y = x
        for convolution, norm in zip(self.convolutions, self.norms):
            if convolution is not self.convolutions[0]:
                y = F.relu(y)
            y = norm(convolution(y))
        if self.shortcut is not False:
            y = y + (x if self.shortcut is None else self.shortcut(x))
        return F.relu(y)


class PreActivation(nn.Module):
    """Norm, ReLU, convolution. The network's first block starts with what the stem activated."""

    def __init__(self, config, inputs, width, stride, first):
        super().__init__()
        self.convolutions = nn.ModuleList(convolutions(config, inputs, width, stride))
        self.norms = nn.ModuleList(
            nn.Identity() if first and c is self.convolutions[0] else nn.BatchNorm2d(c.in_channels)
            for c in self.convolutions
        )
        self.outputs = self.convolutions[-1].out_channels
        self.shortcut = shortcut(config, inputs, self.outputs, stride)

    def forward(self, x):
        activated = F.relu(self.norms[0](x))
        y = self.convolutions[0](activated)
        for norm, convolution in zip(self.norms[1:], self.convolutions[1:]):
            y = convolution(F.relu(norm(y)))
        if self.shortcut is False:
            return y
        if isinstance(self.shortcut, nn.Sequential):
            return y + self.shortcut(activated)
        return y + (x if self.shortcut is None else self.shortcut(x))


class Net(nn.Module):
    """Stem, stages of blocks, head."""

    def __init__(self, config):
        super().__init__()
        bias, width = config["convolution_bias"], config["widths"][0]
        if config["stem"] == "deep":
            half = (width + 1) // 2
            sizes = [(config["input_channels"], half, 2), (half, half, 1), (half, width, 1)]
            stem = [nn.Conv2d(i, o, 3, stride, 1, bias=bias) for i, o, stride in sizes]
        elif config["stem"] == "imagenet":
            stem = [nn.Conv2d(config["input_channels"], width, 7, 2, 3, bias=bias)]
        else:
            stem = [nn.Conv2d(config["input_channels"], width, 3, 1, 1, bias=bias)]
        self.stem = nn.ModuleList(stem)
        self.stem_norms = nn.ModuleList(nn.BatchNorm2d(c.out_channels) for c in stem)
        self.pooled = config["stem"] != "cifar"
        self.stages = nn.ModuleList()
        block = PreActivation if config["activation"] == "pre" else PostActivation
        for stage, (depth, channels) in enumerate(zip(config["depths"], config["widths"])):
            blocks = nn.ModuleList()
            for position in range(depth):
                stride = 2 if stage > 0 and position == 0 else 1
                first = (stage, position) == (0, 0)
                blocks.append(block(config, width, channels, stride, first))
                width = blocks[-1].outputs
            self.stages.append(blocks)
        self.norm = nn.BatchNorm2d(width) if config["activation"] == "pre" else None
        self.linear = nn.Linear(width, CLASSES)

    def forward(self, x):
        for convolution, norm in zip(self.stem, self.stem_norms):
            x = F.relu(norm(convolution(x)))
        if self.pooled:
            x = F.max_pool2d(x, 3, 2, 1)
        for blocks in self.stages:
            for block in blocks:
                x = block(x)
        if self.norm is not None:
            x = F.relu(self.norm(x))
        return self.linear(x.mean((2, 3)))


class Names(dict):
    """Tensors under this crate's names."""

    def convolution(self, name, convolution):
        self[f"{name}.weight"] = convolution.weight
        if convolution.bias is not None:
            self[f"{name}.bias"] = convolution.bias

    def norm(self, name, norm):
        self[f"{name}.gamma"] = norm.weight
        self[f"{name}.beta"] = norm.bias
        self[f"{name}.running_mean"] = norm.running_mean
        self[f"{name}.running_var"] = norm.running_var

    def projection(self, name, layers):
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                self.convolution(f"{name}.projection.conv", layer)
            elif isinstance(layer, nn.BatchNorm2d):
                self.norm(f"{name}.projection.norm", layer)

    def linear(self, layer):
        # The crate's linear layers have their weight the other way round.
        self["head.linear.weight"] = layer.weight.t()
        self["head.linear.bias"] = layer.bias


def names_of_torchvision(network):
    names = Names()
    names.convolution("stem.convolution.conv", network.conv1)
    names.norm("stem.convolution.norm", network.bn1)
    for stage in range(4):
        for position, block in enumerate(getattr(network, f"layer{stage + 1}")):
            path = f"stages.{stage}.blocks.{position}"
            for number in range(2 if isinstance(block, torchvision.BasicBlock) else 3):
                branch = f"{path}.branch.{number}"
                names.convolution(f"{branch}.conv", getattr(block, f"conv{number + 1}"))
                names.norm(f"{branch}.norm", getattr(block, f"bn{number + 1}"))
            if block.downsample is not None:
                names.projection(f"{path}.shortcut", block.downsample)
    names.linear(network.fc)
    return names


def names_of_own(network):
    names = Names()
    *deep, last = zip(network.stem, network.stem_norms)
    for number, (convolution, norm) in enumerate(deep):
        names.convolution(f"stem.deep.{number}.conv", convolution)
        names.norm(f"stem.deep.{number}.norm", norm)
    names.convolution("stem.convolution.conv", last[0])
    names.norm("stem.convolution.norm", last[1])
    for stage, blocks in enumerate(network.stages):
        for position, block in enumerate(blocks):
            path = f"stages.{stage}.blocks.{position}"
            for number, convolution in enumerate(block.convolutions):
                names.convolution(f"{path}.branch.{number}.conv", convolution)
            norms = [f"{path}.branch.{number}.norm" for number in range(len(block.norms))]
            if isinstance(block, PreActivation):
                norms = [f"{path}.pre_activation"] + norms[:-1]
            for name, norm in zip(norms, block.norms):
                if isinstance(norm, nn.BatchNorm2d):
                    names.norm(name, norm)
            if isinstance(block.shortcut, nn.Sequential):
                names.projection(f"{path}.shortcut", block.shortcut)
    if network.norm is not None:
        names.norm("head.norm", network.norm)
    names.linear(network.linear)
    return names


def trained(network):
    """As after training: nothing is at its start any more."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0.0, 0.3)
            module.running_mean.normal_(0.0, 0.3)
            module.running_var.uniform_(0.5, 2.0)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.normal_(module.bias, 0.0, 0.3)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.5)
            nn.init.normal_(module.bias, 0.0, 0.5)


@torch.no_grad()
def write(name, config, size, seed):
    torch.manual_seed(seed)
    if name.startswith("torchvision-"):
        block = {"basic": torchvision.BasicBlock, "bottleneck": torchvision.Bottleneck}
        network = Narrow(
            block[config["block"]],
            config["depths"],
            config["widths"],
            groups=config["groups"],
            width_per_group=config["width_per_group"],
        )
        names = names_of_torchvision
    else:
        network = Net(config)
        names = names_of_own
    trained(network)
    tensors = {key: value.detach().clone().contiguous() for key, value in names(network).items()}
    tensors["input"] = torch.randn(2, config["input_channels"], *size)
    logits = network.double().eval()(tensors["input"].double())
    tensors["logits"] = logits.float()
    file = FOLDER / f"{name}.safetensors"
    save_file(tensors, file, {"config": json.dumps({"family": "resnet", **config})})
    print(f"{file.name}: {file.stat().st_size} bytes, logits {logits.flatten().tolist()}")


def config(**changes):
    usual = {
        "stem": "cifar",
        "block": "basic",
        "depths": [2, 1, 1],
        "widths": [4, 6, 9],
        "groups": 1,
        "width_per_group": 64,
        "bottleneck_stride": "3x3",
        "activation": "post",
        "shortcut": "projection",
        "convolution_bias": False,
        "zero_init_last_norm": False,
        "input_channels": 3,
        "classes": CLASSES,
    }
    return {**usual, **changes}


IMAGENET = {"stem": "imagenet", "depths": [1, 2, 1, 1], "widths": [4, 4, 6, 8]}
BOTTLENECK = {"block": "bottleneck"}
PRE = {"activation": "pre"}
# Name, config, height and width. Odd sizes meet the edges of strides and pools.
NETWORKS = [
    ("torchvision-basic", config(**IMAGENET), (37, 30)),
    ("torchvision-bottleneck", config(**IMAGENET, **BOTTLENECK), (37, 30)),
    ("torchvision-groups", config(**IMAGENET, **BOTTLENECK, groups=2, width_per_group=48), (37, 30)),
    ("torchvision-wide", config(**IMAGENET, **BOTTLENECK, width_per_group=128), (37, 30)),
    ("stride-on-first", config(**BOTTLENECK, bottleneck_stride="1x1"), (11, 14)),
    ("deep-stem", config(stem="deep"), (29, 36)),
    ("average-pool", config(shortcut="average-pool-projection"), (11, 14)),
    (
        "deep-average-pool-bottleneck",
        config(**BOTTLENECK, stem="deep", shortcut="average-pool-projection"),
        (29, 36),
    ),
    ("zero-pad", config(shortcut="zero-pad"), (11, 14)),
    ("zero-pad-bottleneck", config(**BOTTLENECK, shortcut="zero-pad"), (11, 14)),
    ("projection-always", config(shortcut="projection-always"), (11, 14)),
    (
        "plain-projection",
        config(stem="imagenet", shortcut="plain-projection", convolution_bias=True, input_channels=1),
        (29, 36),
    ),
    ("plain", config(shortcut="none"), (11, 14)),
    ("pre-zero-pad", config(**PRE, shortcut="zero-pad"), (11, 14)),
    ("pre-bottleneck", config(**PRE, **BOTTLENECK), (11, 14)),
    ("pre-imagenet", config(**PRE, stem="imagenet"), (29, 36)),
    (
        "pre-deep-average-pool",
        config(**PRE, stem="deep", shortcut="average-pool-projection"),
        (29, 36),
    ),
    ("pre-projection-always", config(**PRE, shortcut="projection-always"), (11, 14)),
    (
        "pre-plain-projection",
        config(**PRE, shortcut="plain-projection", convolution_bias=True),
        (11, 14),
    ),
    ("pre-plain", config(**PRE, **BOTTLENECK, shortcut="none", groups=2), (11, 14)),
]

if __name__ == "__main__":
    print(f"torch {torch.__version__}")
    for seed, (name, description, size) in enumerate(NETWORKS, start=1):
        write(name, description, size, seed)
