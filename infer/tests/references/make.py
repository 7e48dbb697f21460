#!/usr/bin/env python3
"""Makes the files that tests/foreign.rs reads: small networks in the layouts of the programs that
people have weights from, with the answer of those programs to one batch of images.

    python3 infer/tests/references/make.py

With `--full FOLDER` it makes torchvision's networks at full size instead, for a test that is not run
otherwise:

    python3 infer/tests/references/make.py --full /tmp/full
    FULL_SIZE_REFERENCES=/tmp/full cargo test --workspace --test foreign -- --ignored --nocapture

Needs torch, torchvision, timm, transformers and safetensors; the files in this folder were made with
torch 2.15.0, torchvision 0.29.2, timm 1.0.31, transformers 5.23.0 and safetensors 0.8.0.

The networks are built by these packages' own classes, made narrow; the CIFAR ones are written out
below in the form in which most implementations have them. For each NAME there is NAME.pth or
NAME.safetensors, the weights as users find them, and NAME.answer.safetensors with `input`, `logits`
and in its metadata `model`, what the network is in our words, and `changes`, what has to be said of the
network because names and shapes do not tell. Logits are computed in double precision,
so that they are the answer and not one rounding of it. `pre-activation.pth` has none: it is refused.
"""

import argparse
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from timm.models import resnet as timm_resnet
from torch import nn
from torchvision.models import resnet as torchvision
from transformers import ResNetConfig, ResNetForImageClassification

FOLDER = Path(__file__).parent
CLASSES = 5


class Narrow(torchvision.ResNet):
    """torchvision's ResNet with other widths."""

    def __init__(self, block, depths, widths, channels=3, **options):
        super().__init__(block, [1, 1, 1, 1], num_classes=CLASSES, **options)
        self.inplanes = widths[0]
        self.conv1 = nn.Conv2d(channels, widths[0], 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        for stage, (depth, width) in enumerate(zip(depths, widths)):
            layer = self._make_layer(block, width, depth, stride=1 if stage == 0 else 2)
            setattr(self, f"layer{stage + 1}", layer)
        self.fc = nn.Linear(widths[-1] * block.expansion, CLASSES)


class PreActivation(nn.Module):
    """Blocks of norm, ReLU, convolution, with a last norm: all sizes are those of a usual network."""

    def __init__(self, width=4):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        block = nn.Module()
        for index in (1, 2):
            setattr(block, f"bn{index}", nn.BatchNorm2d(width))
            convolution = nn.Conv2d(width, width, 3, padding=1, bias=False)
            setattr(block, f"conv{index}", convolution)
        self.layer1 = nn.Sequential(block)
        self.bn1 = nn.BatchNorm2d(width)
        self.fc = nn.Linear(width, CLASSES)


class HuggingFace(nn.Module):
    """Gives the logits alone."""

    def __init__(self, **options):
        super().__init__()
        config = ResNetConfig(num_labels=CLASSES, **options)
        self.inner = ResNetForImageClassification(config)

    def forward(self, x):
        return self.inner(x).logits

    def state_dict(self):
        return self.inner.state_dict()


class CifarBlock(nn.Module):
    def __init__(self, inputs, outputs, stride, option, end=False):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.added, self.stride, self.shortcut, self.end = 0, stride, nn.Sequential(), end
        if stride == 1 and inputs == outputs:
            return
        if option == "A":
            self.added = outputs - inputs
        else:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.added:
            before = 0 if self.end else self.added // 2
            padding = (0, 0, 0, 0, before, self.added - before)
            x = F.pad(x[:, :, :: self.stride, :: self.stride], padding)
        return F.relu(y + self.shortcut(x))


class Cifar(nn.Module):
    """Three stages behind a 3x3 convolution, shortcut A or B, `linear` at the end."""

    def __init__(self, depths, widths, option, stride=1, pool=False, end=False):
        super().__init__()
        inputs = widths[0]
        self.pool = nn.MaxPool2d(3, 2, 1) if pool else nn.Identity()
        self.conv1 = nn.Conv2d(3, inputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs)
        for stage, (depth, width) in enumerate(zip(depths, widths)):
            blocks = []
            for position in range(depth):
                stride = 2 if stage > 0 and position == 0 else 1
                blocks.append(CifarBlock(inputs, width, stride, option, end))
                inputs = width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.linear = nn.Linear(inputs, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.bn1(self.conv1(x))))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


class ListedBlock(nn.Module):
    """A block whose branch is a list, as in weiaicunzai's pytorch-cifar100."""

    def __init__(self, inputs, width, stride, expansion):
        super().__init__()
        outputs = width * expansion
        self.residual_function = nn.Sequential(
            *self.parts(inputs, width, outputs, stride, expansion)
        )
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    @staticmethod
    def parts(inputs, width, outputs, stride, expansion):
        if expansion == 1:
            shapes = [(inputs, width, 3, stride), (width, outputs, 3, 1)]
        else:
            shapes = [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
        for index, (before, after, kernel, stride) in enumerate(shapes):
            if index > 0:
                yield nn.ReLU()
            yield nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False)
            yield nn.BatchNorm2d(after)

    def forward(self, x):
        return F.relu(self.residual_function(x) + self.shortcut(x))


class Listed(nn.Module):
    """Four stages `conv2_x` to `conv5_x` behind a list of a 3x3 convolution and its norm."""

    def __init__(self, expansion):
        super().__init__()
        inputs = WIDTHS[0]
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, inputs, 3, padding=1, bias=False), nn.BatchNorm2d(inputs), nn.ReLU()
        )
        for stage, (depth, width) in enumerate(zip(DEPTHS, WIDTHS)):
            blocks = []
            for position in range(depth):
                stride = 2 if stage > 0 and position == 0 else 1
                blocks.append(ListedBlock(inputs, width, stride, expansion))
                inputs = width * expansion
            setattr(self, f"conv{stage + 2}_x", nn.Sequential(*blocks))
        self.fc = nn.Linear(inputs, CLASSES)

    def forward(self, x):
        x = self.conv3_x(self.conv2_x(self.conv1(x)))
        return self.fc(self.conv5_x(self.conv4_x(x)).mean((2, 3)))


def caffe(network):
    """The stride of a bottleneck on its first convolution."""
    for module in network.modules():
        if isinstance(module, BOTTLENECK):
            module.conv1.stride, module.conv2.stride = module.conv2.stride, module.conv1.stride
    return network


def epsilon(network, epsilon):
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = epsilon
    return network


def stem_of_mmpretrain(network):
    """With the last norm of a deep stem in the list, which is called `stem`."""
    rename = {f"conv1.{place}": f"stem.{place}" for place in range(7)} | {"bn1": "stem.7"}
    for before, after in [*rename.items(), ("fc", "")]:
        network = {
            (f"backbone.{after}" if after else "head.fc") + name[len(before):]
            if name.startswith(f"{before}.") else name: tensor
            for name, tensor in network.items()
        }
    return {
        name if name.startswith(("backbone.", "head.")) else f"backbone.{name}": tensor
        for name, tensor in network.items()
    }


def children(state_dict):
    """The names of nn.Sequential(*list(network.children())[:-1]) with a classifier beside it."""
    places = {"conv1": 0, "bn1": 1, "layer1": 4, "layer2": 5, "layer3": 6, "layer4": 7}
    rename = {module: f"features.{place}" for module, place in places.items()}
    rename["fc"] = "classifier"
    split = [(name.partition("."), tensor) for name, tensor in state_dict.items()]
    return {f"{rename[module]}.{rest}": tensor for (module, _, rest), tensor in split}


def lightning(state_dict):
    """A checkpoint of Lightning with a loss, a metric and an average beside the network."""
    return {
        "epoch": 3,
        "state_dict": {
            **prefixed("model.net.")(state_dict),
            **{f"model.ema.{name}": tensor * 2 for name, tensor in state_dict.items()},
            "criterion.weight": torch.ones(CLASSES),
            "val_acc.correct": torch.tensor(0),
        },
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(4, 3, 7, 7)}}}],
        "loops": {},
    }


def dropout_head(state_dict):
    return {name.replace("fc.", "fc.1."): tensor for name, tensor in state_dict.items()}


def narrow_timm(block, stem_width, deep, avg_down):
    """timm's ResNet; behind a deep stem, the first stage is twice as wide as the stem."""
    return timm_resnet.ResNet(
        block,
        [1, 2, 1, 1],
        num_classes=CLASSES,
        stem_width=stem_width,
        stem_type="deep" if deep else "",
        avg_down=avg_down,
        channels=(4, 4, 6, 8),
    )


def trained(network):
    """As after training: nothing is at its start any more."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0.0, 0.3)
            module.running_mean.normal_(0.0, 0.3)
            module.running_var.uniform_(0.5, 2.0)
            module.num_batches_tracked.fill_(7)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.5)
            nn.init.normal_(module.bias, 0.0, 0.5)


def prefixed(prefix):
    return lambda state_dict: {prefix + name: tensor for name, tensor in state_dict.items()}


def checkpoint(state_dict):
    """As a training script saves it, from a network in DataParallel."""
    return {"epoch": 90, "state_dict": prefixed("module.")(state_dict), "best_acc1": 0.5}


@torch.no_grad()
def write(
    folder, seed, file, model, network, size, channels=3, wrap=lambda state_dict: state_dict, legacy=False,
    changes=None
):
    torch.manual_seed(seed)
    network = network()
    trained(network)
    state_dict = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    path = folder / file
    if path.suffix == ".safetensors":
        save_file(wrap(state_dict), path, {"format": "pt"})
    else:
        torch.save(wrap(state_dict), path, _use_new_zipfile_serialization=not legacy)
    images = torch.randn(1, channels, *size)
    logits = network.double().eval()(images.double()).float()
    answer = path.with_suffix(".answer.safetensors")
    metadata = {"model": model, "changes": json.dumps(changes or {})}
    save_file({"input": images, "logits": logits.contiguous()}, answer, metadata)
    print(f"{file}: {path.stat().st_size} bytes, logits {logits.flatten()[:3].tolist()}")


BASIC, BOTTLENECK = torchvision.BasicBlock, torchvision.Bottleneck
DEPTHS, WIDTHS = [1, 2, 1, 1], [4, 4, 6, 8]
WORDS = "1-2-1-1 {} blocks of width {}, {} shortcuts"
IMAGENET = "ResNet with imagenet stem, " + WORDS
SIZE = (37, 30)


def files():
    basic = IMAGENET.format("basic", "4-4-6-8", "projection")
    bottleneck = IMAGENET.format("bottleneck", "4-4-6-8", "projection")
    yield "torchvision-basic.pth", basic, lambda: Narrow(BASIC, DEPTHS, WIDTHS), SIZE
    yield "torchvision-bottleneck.safetensors", bottleneck, lambda: Narrow(
        BOTTLENECK, DEPTHS, WIDTHS
    ), SIZE
    yield "torchvision-groups.pth", bottleneck + ", 2x48d", lambda: Narrow(
        BOTTLENECK, DEPTHS, WIDTHS, groups=2, width_per_group=48
    ), SIZE, dict(wrap=prefixed("model.backbone."))
    yield "data-parallel-legacy.pth", basic, lambda: Narrow(
        BASIC, DEPTHS, WIDTHS, channels=1
    ), SIZE, dict(wrap=checkpoint, channels=1, legacy=True)
    deep = "ResNet with deep stem, " + WORDS
    yield "timm-deep.safetensors", deep.format(
        "basic", "4-4-6-8", "projection"
    ), lambda: narrow_timm(timm_resnet.BasicBlock, 2, True, False), SIZE
    yield "timm-average-pool.pth", deep.format(
        "bottleneck", "4-4-6-8", "average-pool-projection"
    ), lambda: narrow_timm(timm_resnet.Bottleneck, 2, True, True), SIZE
    # Sizes are those of the stages' ends, four times the width for bottlenecks.
    yield "hugging-face-bottleneck.safetensors", bottleneck.replace(
        "4-4-6-8", "4-5-6-8"
    ), lambda: HuggingFace(
        embedding_size=4, hidden_sizes=[16, 20, 24, 32], depths=DEPTHS, layer_type="bottleneck"
    ), SIZE
    yield "hugging-face-basic.safetensors", basic.replace(
        "4-4-6-8", "4-5-6-8"
    ), lambda: HuggingFace(
        embedding_size=4, hidden_sizes=[4, 5, 6, 8], depths=DEPTHS, layer_type="basic"
    ), SIZE, dict(wrap=prefixed("module."))
    yield "cifar-zero-pad.pth", (
        "ResNet with cifar stem, 1-1-1 basic blocks of width 4-8-12, zero-pad shortcuts"
    ), lambda: Cifar([1, 1, 1], [4, 8, 12], "A"), (15, 18), dict(wrap=checkpoint)
    yield "cifar-projection.pth", (
        "ResNet with cifar stem, 2-1-1 basic blocks of width 4-6-8, projection shortcuts"
    ), lambda: Cifar([2, 1, 1], [4, 6, 8], "B"), (15, 18)
    cifar = "ResNet with cifar stem, "
    listed = cifar + WORDS
    yield "weiaicunzai-basic.pth", listed.format(
        "basic", "4-4-6-8", "projection"
    ), lambda: Listed(1), SIZE
    yield "weiaicunzai-bottleneck.pth", listed.format(
        "bottleneck", "4-4-6-8", "projection"
    ), lambda: Listed(4), SIZE
    yield "mmpretrain.pth", deep.format(
        "bottleneck", "4-4-6-8", "average-pool-projection"
    ), lambda: narrow_timm(timm_resnet.Bottleneck, 2, True, True), SIZE, dict(
        wrap=lambda state_dict: {"meta": {}, "state_dict": stem_of_mmpretrain(state_dict)}
    )
    yield "children.safetensors", basic, lambda: Narrow(BASIC, DEPTHS, WIDTHS), SIZE, dict(
        wrap=children
    )
    yield "lightning.pth", basic, lambda: Narrow(BASIC, DEPTHS, WIDTHS), SIZE, dict(wrap=lightning)
    yield "dropout-head.pth", basic, lambda: Narrow(BASIC, DEPTHS, WIDTHS), SIZE, dict(
        wrap=dropout_head
    )
    yield "cifar-max-pool.pth", (
        cifar + "2-1-1 basic blocks of width 4-6-8, projection shortcuts, stem stride 2, max pool"
    ), lambda: Cifar([2, 1, 1], [4, 6, 8], "B", 2, True), SIZE, dict(
        changes={"stem_stride": 2, "stem_pool": "max"}
    )
    yield "cifar-zero-pad-end.pth", (
        cifar + "1-1-1 basic blocks of width 4-8-12, zero-pad-end shortcuts"
    ), lambda: Cifar([1, 1, 1], [4, 8, 12], "A", end=True), SIZE, dict(
        changes={"shortcut": "zero-pad-end"}
    )
    yield "caffe.pth", (
        bottleneck + ", stride on the first convolution, norm epsilon 0.01"
    ), lambda: epsilon(caffe(Narrow(BOTTLENECK, DEPTHS, WIDTHS)), 0.01), SIZE, dict(
        changes={"bottleneck_stride": "1x1", "norm_epsilon": 0.01}
    )


FULL = ["resnet18", "resnet50", "resnet152", "wide_resnet50_2", "resnext50_32x4d", "resnext101_32x8d"]


def full_files():
    for name in FULL:
        yield f"{name}.pth", name, getattr(torchvision, name), (224, 224)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Makes the files of this folder.")
    parser.add_argument("--full", metavar="FOLDER", type=Path, help="networks at full size, into FOLDER")
    full = parser.parse_args().full
    if full:
        full.mkdir(parents=True, exist_ok=True)
    print(f"torch {torch.__version__}")
    for seed, (file, model, network, size, *options) in enumerate(
        full_files() if full else files(), start=1
    ):
        write(full or FOLDER, seed, file, model, network, size, **(options[0] if options else {}))
    if not full:
        torch.manual_seed(0)
        torch.save(PreActivation().state_dict(), FOLDER / "pre-activation.pth")
