"""The peers' side of peers.py: one measurement in a process of its own, as JSON on standard output.

Runs in the virtual environment that peers.py makes. Libraries are imported by the function that
needs them, so that a process has in memory what its measurement needs and nothing else.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

# Steps that are not counted: they allocate, and choose algorithms.
WARM_UP = 2
# The fewest and the most steps that a median is taken of.
FEWEST, MOST = 5, 200


def resident_bytes(key):
    """What the system says of this process: `VmRSS` is its memory now, `VmHWM` the most so far."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource
    import sys

    # The most so far is all that other systems tell; macOS counts bytes, others KiB.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def measure(build, seconds):
    """Builds a step, runs it for so many seconds, and prints times and memory."""
    before = resident_bytes("VmRSS")
    begin = time.perf_counter()
    step = build()
    step()
    cold = time.perf_counter() - begin
    for _ in range(WARM_UP - 1):
        step()
    times = []
    while len(times) < FEWEST or (sum(times) < seconds and len(times) < MOST):
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    milliseconds = sorted(1e3 * value for value in times)
    print(
        json.dumps(
            {
                "repeats": len(times),
                "cold_ms": 1e3 * cold,
                "median_ms": statistics.median(milliseconds),
                "low_ms": milliseconds[0],
                "high_ms": milliseconds[-1],
                "memory_before_bytes": before,
                "peak_memory_bytes": resident_bytes("VmHWM"),
            }
        )
    )


def export(arguments):
    """Writes a network for one batch size as ONNX."""
    import torch
    import torchvision

    own = torch_networks().get(arguments.model)
    network = own()[0] if own else getattr(torchvision.models, arguments.model)()
    images = torch.randn(arguments.batch, 3, arguments.size, arguments.size)
    # Not the newer exporter, which needs another package.
    torch.onnx.export(
        network.eval(), (images,), arguments.file, input_names=["images"], dynamo=False
    )


def forbid_reports():
    """Keeps the engines from reporting their use over the network; to be called before imports."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    # OpenVINO and NNCF have no setting, but are silent in CI jobs.
    os.environ["CI"] = "true"


def quantize(arguments):
    """Writes an exported network with weights and activations of 8 bits, for one engine."""
    forbid_reports()
    QUANTIZERS[arguments.engine](arguments)


def calibration(shape):
    """Images that the ranges of activations are measured with: noise, as it is when normalized."""
    import numpy

    random = numpy.random.default_rng(1)
    return [random.standard_normal(shape, dtype=numpy.float32) for _ in range(4)]


def onnxruntime_quantize(arguments):
    import tempfile

    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Images(quantization.CalibrationDataReader):
        def __init__(self, shape):
            self.images = iter(calibration(shape))

        def get_next(self):
            images = next(self.images, None)
            return None if images is None else {"images": images}

    dimensions = onnx.load(arguments.source).graph.input[0].type.tensor_type.shape.dim
    shape = [dimension.dim_value for dimension in dimensions]
    with tempfile.TemporaryDirectory() as folder:
        prepared = str(Path(folder) / "prepared.onnx")
        quant_pre_process(arguments.source, prepared)
        quantization.quantize_static(
            prepared,
            arguments.file,
            Images(shape),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            weight_type=quantization.QuantType.QInt8,
            # With QInt8, ONNX Runtime computes many convolutions in 32 bits on x86.
            activation_type=quantization.QuantType.QUInt8,
        )


def openvino_quantize(arguments):
    import nncf
    import openvino

    network = openvino.Core().read_model(arguments.source)
    images = nncf.Dataset(calibration(tuple(network.input(0).shape)))
    openvino.save_model(nncf.quantize(network, images), arguments.file, compress_to_fp16=False)


QUANTIZERS = {"onnxruntime": onnxruntime_quantize, "openvino": openvino_quantize}


def predict(arguments):
    """A prediction of the engine, with all its optimizations."""
    forbid_reports()
    measure(ENGINES[arguments.engine](arguments), arguments.seconds)


def onnxruntime_build(arguments):
    import numpy
    import onnxruntime

    def build():
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.intra_op_num_threads = arguments.threads
        session = onnxruntime.InferenceSession(
            arguments.file, options, providers=["CPUExecutionProvider"]
        )
        shape = session.get_inputs()[0].shape
        images = numpy.random.default_rng(0).standard_normal(shape, dtype=numpy.float32)
        return lambda: session.run(None, {"images": images})

    return build


def openvino_build(arguments):
    import numpy
    import openvino

    def build():
        core = openvino.Core()
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": arguments.threads,
        }
        network = core.compile_model(core.read_model(arguments.file), "CPU", settings)
        request = network.create_infer_request()
        shape = tuple(network.input(0).shape)
        images = numpy.random.default_rng(0).standard_normal(shape, dtype=numpy.float32)
        return lambda: request.infer({0: images})

    return build


ENGINES = {"onnxruntime": onnxruntime_build, "openvino": openvino_build}


def train(arguments):
    """A training step of PyTorch."""
    import torch
    import torch.nn.functional as functional

    # Imported before memory is measured, as torch is.
    networks = torch_networks()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)

    def build():
        layout = {
            "contiguous": torch.contiguous_format,
            "channels_last": torch.channels_last,
        }[arguments.memory_format]
        network, shape, classes = networks[arguments.network]()
        network = network.to(memory_format=layout)
        # Fused is the fastest of the settings on a CPU too. The rate is small, so that the many
        # steps on one batch keep all values finite.
        if arguments.optimizer == "sgd":
            optimizer = torch.optim.SGD(
                network.parameters(), lr=1e-5, momentum=0.9, weight_decay=1e-4, fused=True
            )
        else:
            optimizer = torch.optim.Adam(network.parameters(), lr=1e-5, fused=True)
        if arguments.compile:
            network = torch.compile(network)
        images = torch.randn(arguments.batch, *shape).contiguous(memory_format=layout)
        labels = torch.randint(classes, (arguments.batch,))

        def step():
            optimizer.zero_grad(set_to_none=True)
            functional.cross_entropy(network(images), labels).backward()
            optimizer.step()

        return step

    measure(build, arguments.seconds)


def torch_networks():
    """Name to a function that builds a network, with the shape of its images and its classes."""
    import torchvision
    from torch import nn
    from torch.nn import functional

    def convolution(inner, outer, kernel, stride=1, bias=False):
        return nn.Conv2d(inner, outer, kernel, stride, padding=kernel // 2, bias=bias)

    class CifarBlock(nn.Module):
        """Two 3x3 convolutions, and the shortcut without parameters around them."""

        def __init__(self, inner, outer, stride):
            super().__init__()
            self.convolution1 = convolution(inner, outer, 3, stride)
            self.norm1 = nn.BatchNorm2d(outer)
            self.convolution2 = convolution(outer, outer, 3)
            self.norm2 = nn.BatchNorm2d(outer)
            self.stride = stride
            self.missing = outer - inner

        def forward(self, images):
            shortcut = images
            if self.stride != 1 or self.missing != 0:
                shortcut = shortcut[:, :, :: self.stride, :: self.stride]
                before = self.missing // 2
                padding = (0, 0, 0, 0, before, self.missing - before)
                shortcut = functional.pad(shortcut, padding)
            branch = functional.relu(self.norm1(self.convolution1(images)), inplace=True)
            branch = self.norm2(self.convolution2(branch))
            return functional.relu(branch + shortcut, inplace=True)

    class DigitBlock(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.convolution1 = convolution(channels, 30, 5, bias=True)
            self.convolution2 = convolution(30, channels, 3, bias=True)

        def forward(self, images):
            return functional.relu(images + self.convolution2(self.convolution1(images)))

    def resnet20():
        layers = [convolution(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
        inner = 16
        for outer in [16, 32, 64]:
            for _ in range(3):
                layers.append(CifarBlock(inner, outer, 1 if inner == outer else 2))
                inner = outer
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
        return nn.Sequential(*layers), (3, 32, 32), 10

    def resnet18_cifar():
        network = torchvision.models.resnet18(num_classes=10)
        network.conv1 = convolution(3, 64, 3)
        network.maxpool = nn.Identity()
        return network, (3, 32, 32), 10

    def resnet50():
        return torchvision.models.resnet50(), (3, 224, 224), 1000

    def resnext50():
        return torchvision.models.resnext50_32x4d(), (3, 224, 224), 1000

    def digit():
        network = nn.Sequential(
            # No padding in front of the pools: 28 to 24 to 12, and 12 to 10 to 5.
            nn.Conv2d(1, 20, 5),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),
            DigitBlock(20),
            nn.Conv2d(20, 15, 3),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),
            DigitBlock(15),
            nn.Flatten(),
            nn.Linear(375, 10),
        )
        return network, (1, 28, 28), 10

    return {
        "resnet20": resnet20,
        "resnet18-cifar": resnet18_cifar,
        "resnet50": resnet50,
        "resnext50": resnext50,
        "digit": digit,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    tasks = parser.add_subparsers(required=True)

    task = tasks.add_parser("export")
    task.add_argument("--model", required=True)
    task.add_argument("--batch", type=int, required=True)
    task.add_argument("--size", type=int, required=True)
    task.add_argument("--file", required=True)
    task.set_defaults(run=export)

    task = tasks.add_parser("quantize")
    task.add_argument("--engine", choices=list(QUANTIZERS), required=True)
    task.add_argument("--source", required=True)
    task.add_argument("--file", required=True)
    task.set_defaults(run=quantize)

    task = tasks.add_parser("predict")
    task.add_argument("--engine", choices=list(ENGINES), required=True)
    task.add_argument("--file", required=True)
    task.add_argument("--threads", type=int, required=True)
    task.add_argument("--seconds", type=float, required=True)
    task.set_defaults(run=predict)

    task = tasks.add_parser("train")
    task.add_argument("--network", required=True)
    task.add_argument("--batch", type=int, required=True)
    task.add_argument("--optimizer", choices=["sgd", "adam"], required=True)
    task.add_argument("--memory-format", choices=["contiguous", "channels_last"], required=True)
    task.add_argument("--compile", action="store_true")
    task.add_argument("--threads", type=int, required=True)
    task.add_argument("--seconds", type=float, required=True)
    task.set_defaults(run=train)

    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
