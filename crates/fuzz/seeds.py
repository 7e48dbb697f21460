#!/usr/bin/env python3
"""Fills the folders of corpus with seeds: files of the tests, small files made here, and those of a real run.

    python3 crates/fuzz/seeds.py target/debug/train

The program is used for a training of a second, whose files are the seeds of `records`, `events`, `config` and
`safetensors`; `records` also needs them (base) to put beside the file that it changes. Without a program, these
seeds are left out. Needs nothing but Python.
"""

import contextlib
import gzip
import hashlib
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

FUZZ = Path(__file__).resolve().parent
ROOT = FUZZ.parents[1]
CORPUS = FUZZ / "corpus"
BASE = FUZZ / "base"

# Larger files make every run slow and find nothing that small ones do not.
MOST_BYTES = 1 << 16

# The order that fuzz_targets/records.rs has.
RECORDS = [
    "checkpoint/latest.json",
    "checkpoint/model-*.mpk",
    "checkpoint/optim-*.mpk",
    "checkpoint/scheduler-*.mpk",
    "checkpoint/average-*.mpk",
    "model.json",
    "model.safetensors",
]


def main() -> int:
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    images()
    orientation()
    idx()
    cifar()
    weights()
    events()
    config()
    names()
    if len(sys.argv) == 2:
        run(Path(sys.argv[1]).resolve())
    for folder in sorted(CORPUS.iterdir()):
        print(f"{folder.name}: {sum(1 for _ in folder.iterdir())} seeds")
    return 0


def seed(target: str, content: bytes) -> None:
    """Adds a seed, under a name that depends on its content, as libFuzzer names its own."""
    if len(content) <= MOST_BYTES:
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha1(content).hexdigest()).write_bytes(content)


def files(*patterns: str) -> list[bytes]:
    paths = [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]
    if not paths:
        sys.exit(f"no files match {', '.join(patterns)}")
    return [path.read_bytes() for path in paths]


def images() -> None:
    for content in files("data/tests/references/*.jpg"):
        seed("jpeg", content)
        seed("image", content)
    for content in files("data/tests/references/*.png", "crates/fuzz/seeds/image/*"):
        seed("image", content)
    # Gray and RGBA with 16 bits, interlaced, with chunks that are rare.
    for depth, color, channels in [(8, 0, 1), (16, 0, 1), (8, 2, 3), (16, 6, 4), (8, 4, 2), (4, 0, 1)]:
        for interlaced in (0, 1):
            seed("image", png(5, 3, depth, color, channels, interlaced))


def png(width: int, height: int, depth: int, color: int, channels: int, interlaced: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    passes = [(width, height)]
    if interlaced:
        steps = [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)]
        passes = [(len(range(x, width, dx)), len(range(y, height, dy))) for x, dx, y, dy in steps]
    rows = b""
    for columns, lines in passes:
        if columns:
            rows += (b"\0" + bytes((columns * channels * depth + 7) // 8)) * lines
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced))
        + chunk(b"gAMA", struct.pack(">I", 45455))
        + chunk(b"eXIf", exif(6))
        + chunk(b"tEXt", b"Comment\0none")
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def exif(orientation: int, order: str = ">", kind: int = 3, before: int = 0) -> bytes:
    """A TIFF header with one folder of entries, of which the last is the orientation."""
    mark = b"MM" if order == ">" else b"II"
    value = struct.pack(order + "HH", orientation, 0) if kind == 3 else struct.pack(order + "I", orientation)
    entries = [struct.pack(order + "HHI", 0x010F + number, 2, 4) + b"abc\0" for number in range(before)]
    entries.append(struct.pack(order + "HHI", 0x0112, kind, 1) + value)
    return mark + struct.pack(order + "HIH", 42, 8, len(entries)) + b"".join(entries) + bytes(4)


def orientation() -> None:
    for number in range(10):
        for order in "<>":
            seed("orientation", exif(number, order))
    seed("orientation", exif(6, kind=4))
    seed("orientation", exif(3, before=2))
    seed("orientation", b"")


def idx() -> None:
    images = struct.pack(">IIII", 0x0803, 2, 2, 3) + bytes(range(12))
    labels = struct.pack(">II", 0x0801, 2) + bytes([3, 9])
    for kind, content in [(0, images), (1, labels)]:
        for file in [content, gzip.compress(content, mtime=0), content[:-1], content + b"\0"]:
            seed("idx", bytes([kind]) + file)
    seed("idx", bytes([0]) + struct.pack(">IIII", 0x0803, 2, 0xFFFFFFFF, 0xFFFFFFFF))


def cifar() -> None:
    pixels = bytes(range(256)) * 12
    for kind, head in [(0, b"\3"), (1, b"\2\x11"), (2, b"\2\x63")]:
        seed("cifar", bytes([kind]) + head + pixels)
        seed("cifar", bytes([kind]) + (head + pixels) * 2)
        seed("cifar", bytes([kind]) + head + pixels[:-1])
    seed("cifar", b"\3" + "".join(f"class {number}\n" for number in range(100)).encode())


def weights() -> None:
    paths = [*sorted(ROOT.glob("crates/weights/tests/files/*")), *sorted(ROOT.glob("infer/tests/references/*"))]
    for path in paths:
        content = path.read_bytes()
        if path.suffix == ".safetensors":
            seed("safetensors", content)
            # As the target also takes it: without the length.
            seed("safetensors", content[8:])
        elif content.startswith(b"PK"):
            seed("torch", content)
            with zipfile.ZipFile(path) as archive, contextlib.suppress(zipfile.BadZipFile):
                for name in archive.namelist():
                    if name.endswith("data.pkl"):
                        seed("pickle", archive.read(name))
        elif content.startswith(b"\x80"):
            seed("torch", content)


EVENTS = [
    '{"event":"started","at":"2026-11-21T17:30:05+00:00","data":"sample","classes":["a","b"],"shape":[1,28,28],'
    '"epochs":2,"steps_per_epoch":2,"rates":[[0.0,0.1],[1.0,0.0]],"config":{"epochs":2}}',
    '{"event":"step","seconds":0.5,"epoch":1,"step":1,"loss":2.3,"accuracy":0.25,"rate":0.1}',
    '{"event":"step","step":2,"epoch":1,"seconds":1,"lo\\u0073s":null,"accuracy":1e-3}',
    '{"event":"progress","seconds":1.5,"work":"validation","done":3,"total":6}',
    '{"event":"message","seconds":2,"level":"warning","text":"\\u001b[31m"}',
    '{"event":"resumed","at":"2026-11-21T17:31:05+00:00","seconds":1.0,"step":1,"epochs_done":0}',
    '{"event":"hologram","color":[1]}',
    '{"event":"step",',
    "null",
]


def events() -> None:
    for end in ["\n", "\r\n", "\n\n"]:
        seed("events", (end.join(EVENTS) + end).encode())
    seed("events", EVENTS[1].encode())
    for line in EVENTS:
        seed("events", line.encode() + b"\n")


def config() -> None:
    for content in files("train/recipes/*.toml"):
        seed("config", content)
    for page in sorted((ROOT / "docs").glob("*.md")):
        for block in page.read_text().split("```toml\n")[1:]:
            seed("config", block.split("```")[0].encode())
    for line in [
        'schedule = { kind = "step", at = [0.5, 0.75], factor = 0.1 }',
        'data = "folder:a"\n[loader]\nstorage = "files"\nthreads = 0',
        'model = "resnet20"\nstem = "cifar"\ndepths = [1, 1, 1]\nwidths = [1, 2, 3]',
        'weights = "a.pth"\nfreeze = ["stem", "stage1"]\noptimizer = "muon"\nseed = 9223372036854775807',
        "[augmentation]\ntrivial = true\nmixup = 0.2\nerasing = {}\naffine = { rotation = 10 }\nresized_crop = {}",
    ]:
        seed("config", line.encode())


def names() -> None:
    trees = [
        ["a/1.bmp", "a/2.bmp", "b/1.bmp", "b/2.bmp"],
        ["train/a/1.bmp", "train/b/1.bmp", "val/a/1.bmp", "test/b/1.bmp"],
        ["train/a/1.bmp", "train/b/1.bmp", "VALID/a/2.png", "notes.txt", ".hidden/x.bmp"],
        ["a/images/1.jpeg", "b/images/1.jpeg"],
        ["Stra\u00dfe/1.bmp", "Strasse/2.bmp", "stra\u0073\u0301e/3.bmp"],
        ["a\u202eb/\u2066.bmp", "a\u200bb/1.bmp", "c/\u001b[2J.bmp"],
        ["folder:a/b.bmp", "b/c.bmp"],
    ]
    for tree in trees:
        seed("names", "\n".join(tree).encode())
    seed("names", b"a\xff/1.bmp\na\xff/2.bmp\na\xfe/1.bmp\na\xfe/2.bmp")
    for source in ["sample", "cifar100", "folder:a/b", "folder:"]:
        seed("names", source.encode())


def run(program: Path) -> None:
    """Trains the smallest network for two epochs, and takes what that leaves."""
    with tempfile.TemporaryDirectory() as folder:
        # In the folder, so that the config names no path of this machine.
        arguments = "--model resnet8 --widths 1,1,1 --stem imagenet --epochs 2 --batch-size 1000 --optimizer adamw"
        more = "--ema 0.9 --threads 1 --seed 1 --runs-dir runs --name base"
        done = subprocess.run(
            [program, *arguments.split(), *more.split()], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            sys.exit(f"{program} failed:\n{done.stdout}{done.stderr}")
        shutil.rmtree(BASE, ignore_errors=True)
        shutil.copytree(Path(folder) / "runs/base", BASE)
    for kind, pattern in enumerate(RECORDS):
        found = sorted(BASE.glob(pattern))
        if len(found) != 1:
            sys.exit(f"the run has {len(found)} files {pattern}")
        content = found[0].read_bytes()
        seed("records", bytes([kind]) + content)
        if pattern.endswith(".json"):
            # Without the checksums that would keep every change from being looked at.
            value = json.loads(content)
            value.pop("sha256", None)
            seed("records", bytes([kind]) + json.dumps(value).encode())
    seed("safetensors", (BASE / "model.safetensors").read_bytes())
    seed("config", (BASE / "config.toml").read_bytes())
    lines = (BASE / "events.jsonl").read_bytes().splitlines(keepends=True)
    # All kinds of lines, but few steps, without the confusion matrix of a long one.
    seed("events", b"".join(line for line in lines if len(line) < 2000)[:8000])
    for line in lines:
        if not line.startswith(b'{"event":"step"'):
            seed("events", line)


if __name__ == "__main__":
    sys.exit(main())
