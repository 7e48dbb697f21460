#!/usr/bin/env python3
"""Measures this project against PyTorch, ONNX Runtime and OpenVINO on this machine's CPU.

Each measurement is a process of its own, ours and the peers' in turn, for several rounds; what
counts is the median over the rounds of each process's median. Needs Python 3.10 or newer and cargo;
the peers are installed into a virtual environment.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("peers_worker.py")

PEERS = {
    "torch": "2.15.0",
    "torchvision": "0.29.2",
    "onnxruntime": "1.31.1",
    "onnx": "1.23.2",
    "openvino": "2026.4.0",
    "nncf": "3.4.0",
}
# The package that quantizes networks for an engine, in int8 rows.
QUANTIZERS = {"onnxruntime": "onnxruntime", "openvino": "nncf"}

# Ours divided by the best peer's must not exceed these.
PREDICTION_TARGET = 0.9
TRAINING_TARGET = 0.75
MEMORY_TARGET = 0.9
# Integers are compared with integers.
INT8_TARGET = 1.0

# Environment that limits a contender to an instruction set. ONNX Runtime has no such setting.
LIMITS = {
    "ours": {"avx2": {"RESNET_SIMD": "avx2"}},
    "torch": {"avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}},
    "openvino": {"avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2"}},
    "onnxruntime": {},
}

# What every measurement must say, ours too.
KEYS = ["median_ms", "peak_memory_bytes"]
# Memory right before the network is built; ours may leave it out.
MEMORY_BEFORE = "memory_before_bytes"


@dataclass
class Row:
    """One thing to measure: our program's arguments, and each peer's name and arguments."""

    name: str
    program: str
    ours: list[str]
    peers: dict[str, list[str]]
    # Ratio to the fastest peer that must not be exceeded.
    target: float
    # Overrides --threads.
    threads: int | None = None


def prediction(model, batch, size=224, target=PREDICTION_TARGET, threads=None, int8=False):
    ours = ["--model", model, "--input", f"3x{size}x{size}", "--batch", str(batch)]
    if int8:
        target = INT8_TARGET
        ours += ["--precision", "int8"]
    name = f"predict {model} batch {batch}"
    name += f" threads {threads}" if threads else ""
    name += " int8" if int8 else ""
    task = "predict-int8" if int8 else "predict"
    options = ["--model", model, "--batch", str(batch), "--size", str(size)]
    return Row(
        name=name,
        program="infer",
        ours=ours,
        peers={engine: [task, engine, *options] for engine in ["onnxruntime", "openvino"]},
        target=target,
        threads=threads,
    )


def step(name, model, shape, batch, optimizer, network, classes, stem=None):
    ours = ["--model", model, "--classes", str(classes), "--input", shape]
    ours += ["--batch-size", str(batch), "--optimizer", optimizer]
    if stem:
        ours += ["--stem", stem]
    theirs = ["train", "--network", network, "--batch", str(batch), "--optimizer", optimizer]
    eager = {
        f"torch {layout}": [*theirs, "--memory-format", layout]
        for layout in ["contiguous", "channels_last"]
    }
    compiled = [*theirs, "--memory-format", "channels_last", "--compile"]
    return Row(
        name=f"train {name} batch {batch}",
        program="train",
        ours=ours,
        peers={**eager, "torch compile": compiled},
        target=TRAINING_TARGET,
    )


ROWS = [
    prediction("resnet18", 1, target=0.75),
    prediction("resnet18", 16, target=0.75),
    prediction("resnet50", 1),
    prediction("resnet50", 1, threads=1),
    prediction("resnet50", 16),
    prediction("resnext50_32x4d", 1),
    prediction("resnext50_32x4d", 16),
    prediction("resnet152", 1),
    prediction("wide_resnet50_2", 8),
    prediction("resnet20", 1, size=32),
    prediction("resnet20", 256, size=32),
    prediction("resnet18", 1, int8=True),
    prediction("resnet18", 16, int8=True),
    prediction("resnet50", 1, int8=True),
    prediction("resnet50", 16, int8=True),
    step("resnet20", "resnet20", "3x32x32", 128, "sgd", "resnet20", 10),
    step("resnet18-cifar", "resnet18", "3x32x32", 32, "sgd", "resnet18-cifar", 10, stem="cifar"),
    step("resnet50", "resnet50", "3x224x224", 8, "sgd", "resnet50", 1000),
    step("resnext50", "resnext50_32x4d", "3x224x224", 8, "sgd", "resnext50", 1000),
    step("digit", "digit", "1x28x28", 64, "adam", "digit", 10),
]


def main():
    arguments = parse()
    rows = chosen(arguments.only)
    if not rows:
        fail(f"no row is called `{arguments.only}`", "; ".join(row.name for row in ROWS))
    target = target_folder()
    python = environment(arguments.venv or target / "peers-venv")
    if not arguments.skip_build:
        say("building our programs")
        run(["cargo", "build", "--release", "-p", "train", "-p", "infer"], REPOSITORY)

    results = []
    for row in rows:
        contenders = {"ours": ours(row, target, arguments)}
        for name, command in row.peers.items():
            contenders[name] = theirs(row, command, python, target, arguments)
        results.append(measure(row, contenders, arguments))
    print(report(results))
    if arguments.json:
        machine = {"machine": platform.machine(), "system": platform.platform()}
        everything = {
            **machine,
            "processors": os.cpu_count(),
            "threads": arguments.threads,
            "isa": arguments.isa,
            "rounds": arguments.rounds,
            "peers": PEERS,
            "rows": results,
        }
        arguments.json.write_text(json.dumps(everything, indent=2) + "\n")


def chosen(name):
    """The row of this name, or else those whose names contain it."""
    exact = [row for row in ROWS if row.name == name]
    return exact or [row for row in ROWS if name is None or name in row.name]


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", metavar="NAME", help="one row, or those whose name has this in it")
    parser.add_argument("--rounds", type=positive, default=5, help="default 5")
    parser.add_argument("--threads", type=positive, default=2, help="of every process; default 2")
    parser.add_argument(
        "--isa",
        choices=["avx2"],
        help="limit every program that can be limited to these instructions",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=2.0,
        help="how long a peer's process takes steps, five at least; default 2",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there")
    parser.add_argument("--skip-build", action="store_true", help="take our programs as they are")
    parser.add_argument(
        "--venv", type=Path, metavar="FOLDER", help="default peers-venv in cargo's target folder"
    )
    return parser.parse_args()


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def target_folder():
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps"]
    return Path(json.loads(run(command, REPOSITORY))["target_directory"])


def environment(folder):
    """The Python of a virtual environment that has the peers in their versions."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        say(f"making a virtual environment in {folder}")
        venv.create(folder, with_pip=True)
    # Without importing them, and without what follows a plus, which says how it was built.
    script = (
        "import importlib.metadata as m, json, sys\n"
        "found = {d.metadata['Name'].lower(): d.version.split('+')[0] for d in m.distributions()}\n"
        "print(json.dumps([found.get(name) for name in sys.argv[1:]]))"
    )
    found = json.loads(run([python, "-c", script, *PEERS]))
    if found != list(PEERS.values()):
        say(f"installing {', '.join(PEERS)}")
        wanted = [f"{name}=={version}" for name, version in PEERS.items()]
        run([python, "-m", "pip", "install", "--quiet", *wanted])
    return python


def ours(row, target, arguments):
    program = target / "release" / (row.program + (".exe" if os.name == "nt" else ""))
    if not program.exists():
        fail(f"there is no {program}", "leave out --skip-build")
    threads = ["--threads", str(row.threads or arguments.threads)]
    return [program, "--bench", *row.ours, *threads, "--device", "flex", "--json"]


def theirs(row, command, python, target, arguments):
    task, *options = command
    if task != "train":
        engine, *options = options
        # Networks come from processes of their own, so that torch is not in this one's memory.
        folder = target / "peers" / f"torch-{PEERS['torch']}"
        name = "-".join(options[1::2])
        file = written(folder / f"{name}.onnx", ["export", *options], python)
        if task == "predict-int8":
            task, quantizer = "predict", QUANTIZERS[engine]
            folder = folder / f"{quantizer}-{PEERS[quantizer]}"
            command = ["quantize", "--engine", engine, "--source", file]
            suffix = ".xml" if engine == "openvino" else ".onnx"
            file = written(folder / f"{name}-int8{suffix}", command, python)
        options = ["--engine", engine, "--file", file]
    threads = ["--threads", str(row.threads or arguments.threads)]
    return [python, WORKER, task, *options, *threads, "--seconds", str(arguments.seconds)]


def written(file, command, python):
    """A network's file, which a command of the worker writes if it is not there."""
    if not file.exists():
        say(f"exporting {file.name}")
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_name("unfinished-" + file.name)
        run([python, WORKER, *command, "--file", unfinished])
        # OpenVINO's weights are in a second file, moved first: the other says that all is there.
        weights = unfinished.with_suffix(".bin")
        if weights.exists():
            weights.replace(file.with_suffix(".bin"))
        unfinished.replace(file)
    return file


def measure(row, contenders, arguments):
    """Every contender once in each round; every other round in the opposite order."""
    measured = {name: [] for name in contenders}
    rounds = arguments.rounds
    for index in range(rounds):
        order = list(contenders) if index % 2 == 0 else list(reversed(contenders))
        for name in order:
            limits = LIMITS[name.split()[0]].get(arguments.isa, {})
            result = one(contenders[name], limits)
            measured[name].append(result)
            say(f"{row.name}, round {index + 1}/{rounds}, {name}: {result['median_ms']:.2f} ms")
    return {"row": row.name, "target": row.target, "measured": measured}


def one(command, limits):
    output = run(command, limits=limits)
    shown = " ".join(map(str, command))
    try:
        result = json.loads(output)
    except ValueError:
        fail(f"`{shown}` printed no JSON", output.strip()[:500] or "it printed nothing")
    if not isinstance(result, dict):
        fail(f"`{shown}` printed no JSON object", output.strip()[:500])
    missing = [key for key in KEYS if not isinstance(result.get(key), (int, float))]
    if missing:
        fail(f"`{shown}` does not say {', '.join(missing)}", f"it says {', '.join(result)}")
    return result


def median(measurements, value):
    return statistics.median(value(measurement) for measurement in measurements)


def time_of(measurement):
    return measurement["median_ms"]


def peak_of(measurement):
    return measurement["peak_memory_bytes"] / 2**20


def before_of(measurement):
    return measurement[MEMORY_BEFORE] / 2**20


def own_of(measurement):
    return peak_of(measurement) - before_of(measurement)


def report(results):
    """Tables of times and of memory, each with the ratio to the peer that is better in it."""
    # A ratio takes the same kind of figure from both sides.
    has_before = all(
        MEMORY_BEFORE in measurement
        for result in results
        for measurements in result["measured"].values()
        for measurement in measurements
    )
    memory_of = own_of if has_before else peak_of
    kind = "peak less memory before the network" if has_before else "plain peak of the process"
    details = []
    for result in results:
        for name, found in result["measured"].items():
            known = all(MEMORY_BEFORE in measurement for measurement in found)
            parts = [f"{median(found, value):.0f}" if known else "-" for value in (before_of, own_of)]
            details.append([result["row"], name, f"{median(found, peak_of):.0f}", *parts])
    parts = [
        "Milliseconds of a step or a batch",
        *tables(results, "time", time_of, "{:.2f}", lambda result: result["target"]),
        f"Memory in MiB: {kind}",
        *tables(results, "memory", memory_of, "{:.0f}", lambda _: MEMORY_TARGET),
        "Memory of each process in MiB: its peak, what it had after imports and right before the"
        "\nnetwork was built, and the difference",
        table_of(["", "", "peak", "before", "difference"], details),
    ]
    if not has_before:
        parts.append(
            f"Our programs do not say `{MEMORY_BEFORE}`, so the ratios of memory are those of plain"
            "\npeaks, which count what the peers need for their imports."
        )
    return "\n\n".join(parts)


def tables(results, key, value, shown, target_of):
    """A table for all rows with the same peers: each peer's figure, and ours divided by the best.

    Also notes the figures in the results."""
    groups = {}
    for result in results:
        peers = tuple(name for name in result["measured"] if name != "ours")
        groups.setdefault(peers, []).append(result)
    found = []
    for peers, group in groups.items():
        rows = []
        for result in group:
            figures = {name: median(result["measured"][name], value) for name in ["ours", *peers]}
            best = min(peers, key=figures.get)
            ratio, target = figures["ours"] / figures[best], target_of(result)
            result[key] = {**figures, "best": best, "ratio": ratio}
            cells = [shown.format(figures[name]) for name in ["ours", *peers]]
            verdict = "met" if ratio <= target else "missed"
            rows.append([result["row"], *cells, f"{ratio:.2f}", f"{target:.2f}", verdict])
        found.append(table_of(["", "ours", *peers, "ours / best", "target", ""], rows))
    return found


def table_of(head, rows):
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
        for line in lines
    )


def run(command, folder=None, limits=None):
    """What a command prints; if it fails, the end of what it said."""
    command = [str(part) for part in command]
    environment = {**os.environ, **(limits or {})}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True
        )
    except OSError as error:
        fail(f"cannot start `{command[0]}`", str(error))
    if done.returncode != 0:
        fail(f"`{' '.join(command)}` failed", (done.stderr or done.stdout).strip()[-2000:])
    return done.stdout


def say(text):
    print(text, file=sys.stderr, flush=True)


def fail(text, hint):
    sys.exit(f"error: {text}\nhint: {hint}")


if __name__ == "__main__":
    main()
