#!/usr/bin/env python3
"""Kills trainings at random moments and compares what they end with to uninterrupted runs.

    cargo build -p train
    python3 train/tests/kill.py --kills 1000

A training is killed with SIGKILL, resumed, and killed again until it ends by itself. It must then equal an
uninterrupted run with the same settings: the same bytes of weights and test results, the same state of network,
optimizer, schedule and average in the checkpoint, and the same steps and epochs in the events, without gaps or
repeats. After each kill the checkpoint must be whole. Some trainings are also interrupted with SIGINT, so that
checkpoints lie within epochs.

The moments follow from --seed. They are drawn over the whole run, while files are written, after a checkpoint, during
the final test and while a resumed run starts. Needs nothing but Python. Exits with 1 if anything differs, and keeps
the folder.
"""

import argparse
import collections
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Attempts after which a training may run to its end.
MOST_ATTEMPTS = 25
# Trainings with another end after which no more are started.
MOST_FAILURES = 5
# Seconds in which any process has to end.
PATIENCE = 120
POLL = 0.0005

EPOCHS = 5
COMMON = f"--epochs {EPOCHS} --image-size 8 --batch-size 4 --validation 0.25".split()
NETWORK = "--model resnet8 --widths 2,4,8".split()

CONFIGURATIONS = {
    "sgd": "--optimizer sgd --pad-crop 1 --flip --threads 1",
    "ema": "--optimizer adamw --ema 0.9 --accumulate 3 --label-smoothing 0.2 --threads 1",
    "files": "--optimizer muon --ema 0.95 --storage files --balanced --drop-last --keep last --loader-threads 2",
    "patience": "--optimizer adam --patience 2 --clip 1 --flip-test --shift-test --accumulate 2 --threads 1",
    "frozen": "--optimizer muon --freeze stem,stage1 --schedule one-cycle --gradient-checkpointing --ema 0.5",
}

# Moments to kill at, with their weights: see `Moment`.
MOMENTS = {"any": 4, "write": 3, "checkpoint": 2, "test": 3, "start": 2}


class Failed(Exception):
    """A run that is not what it must be."""


def main() -> int:
    arguments = parse_arguments()
    random.seed(arguments.seed)
    folder = Path(tempfile.mkdtemp(prefix="kill-", dir=arguments.folder))
    program = arguments.train.resolve()
    write_images(folder / "images")
    names = arguments.only or list(CONFIGURATIONS)
    print(f"folder {folder}, seed {arguments.seed}", flush=True)
    references = {name: Reference(program, folder, name) for name in names}

    counts = collections.Counter()
    started = told = time.monotonic()
    number = 0
    while counts["kills"] < arguments.kills and time.monotonic() - started < arguments.minutes * 60:
        name = names[number % len(names)]
        generator = random.Random(f"{arguments.seed} {name} {number}")
        life = Life(program, folder, references[name], number, generator, counts)
        try:
            life.run(arguments.kills)
        except Failed as failure:
            counts["failures"] += 1
            print(f"FAILED: {name}, training {number}: {failure}")
            print(f"kept: {life.run_folder} and {references[name].run_folder}")
            print(f"the end of its output:\n{life.output()}", flush=True)
            if counts["failures"] == MOST_FAILURES:
                break
        else:
            shutil.rmtree(life.run_folder)
        counts["trainings"] += 1
        number += 1
        if time.monotonic() - told > 30:
            told = time.monotonic()
            print(f"{counts['kills']} kills, {counts['trainings']} trainings, {told - started:.0f} s", flush=True)
    summary(counts, started, names)
    if counts["failures"]:
        return 1
    shutil.rmtree(folder)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000, help="end after so many [default: 1000]")
    parser.add_argument("--minutes", type=float, default=600, help="end after this time at the latest")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=CONFIGURATIONS, help="this configuration; repeatable")
    parser.add_argument("--folder", help="where the trainings write [default: the system's temporary folder]")
    parser.add_argument("--train", type=Path, default=ROOT / "target/debug/train", help="the program")
    return parser.parse_args()


def summary(counts: collections.Counter, started: float, names: list[str]) -> None:
    phases = sorted(key for key in counts if key.startswith("during "))
    print(f"{counts['kills']} kills, {counts['interrupts']} interrupts, {counts['trainings']} trainings compared, {counts['failures']} differ")
    print(f"configurations: {', '.join(names)}; {time.monotonic() - started:.0f} s")
    for phase in phases:
        print(f"  {counts[phase]:5} {phase}")


def write_images(folder: Path) -> None:
    """Two classes; few images to train on and many to test on, so that the test takes a good part of the run."""
    for part, count in [("train", 28), ("test", 400)]:
        for label, color in [("blue", (200, 60, 40)), ("red", (40, 50, 190))]:
            (folder / part / label).mkdir(parents=True)
            for number in range(count):
                noise = random.Random(f"{part} {label} {number}")
                pixels = bytes(
                    min(255, max(0, channel + noise.randrange(-90, 90))) for _ in range(64) for channel in color
                )
                (folder / part / label / f"{number}.bmp").write_bytes(bmp(pixels, 8, 8))


def bmp(pixels: bytes, width: int, height: int) -> bytes:
    """24 bits a pixel; rows of a multiple of four bytes."""
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
    return struct.pack("<2sIHHI", b"BM", 54 + len(pixels), 0, 0, 54) + header + pixels


def environment(folder: Path) -> dict[str, str]:
    """Nothing of the user's, and no network."""
    home = str(folder / "home")
    changed = {"HOME": home, "XDG_CACHE_HOME": home, "XDG_DATA_DIRS": home, "ALL_PROXY": "http://127.0.0.1:9"}
    kept = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    return {**kept, **changed, "RUST_BACKTRACE": "1"}


def settings(folder: Path, name: str) -> list[str]:
    data = ["--runs-dir", str(folder / "runs"), "--data", f"folder:{folder / 'images'}"]
    more = CONFIGURATIONS[name].split()
    more += ["--weights", str(folder / "start")] if "--freeze" in more else NETWORK
    return [*data, *COMMON, *more]


class Reference:
    """An uninterrupted run, and how long its parts take."""

    def __init__(self, program: Path, folder: Path, name: str) -> None:
        self.name = name
        self.run_folder = folder / "runs" / f"whole-{name}"
        if "--freeze" in CONFIGURATIONS[name] and not (folder / "start").exists():
            plain = [*settings(folder, "sgd"), "--seed", "3", "--name", "for-start"]
            self.train(program, folder, plain)
            (folder / "runs/for-start").rename(folder / "start")
        began = time.time()
        self.train(program, folder, [*settings(folder, name), "--name", self.run_folder.name])
        ended = time.time()
        latest = self.run_folder / "checkpoint/latest.json"
        self.start = max(0.02, (self.run_folder / "config.toml").stat().st_mtime - began)
        self.test = max(0.02, ended - latest.stat().st_mtime)
        self.whole = ended - began
        self.state = snapshot(self.run_folder)
        print(f"{name}: {self.whole:.2f} s, of which {self.test:.2f} s from the last checkpoint on", flush=True)

    @staticmethod
    def train(program: Path, folder: Path, arguments: list[str]) -> None:
        done = subprocess.run(
            [program, *arguments], env=environment(folder), capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        if done.returncode != 0:
            sys.exit(f"{' '.join(arguments)}\n{done.stdout}{done.stderr}")


class Life:
    """One training, killed until it ends by itself."""

    def __init__(self, program, folder, reference, number, generator, counts) -> None:
        self.program, self.folder, self.reference = program, folder, reference
        self.generator, self.counts = generator, counts
        self.run_folder = folder / "runs" / f"killed-{number}"
        self.log = folder / "output.txt"

    def run(self, most_kills: int) -> None:
        for attempt in range(MOST_ATTEMPTS + 1):
            is_last = attempt == MOST_ATTEMPTS or self.counts["kills"] >= most_kills
            if self.attempt(may_be_killed=not is_last):
                break
        else:
            raise Failed("it did not end")
        differences = compare(self.reference.state, snapshot(self.run_folder))
        if differences:
            raise Failed("; ".join(differences))

    def attempt(self, may_be_killed: bool) -> bool:
        """Starts or resumes the training; whether it ended by itself."""
        resumes = (self.run_folder / "config.toml").exists()
        if resumes:
            arguments = ["--runs-dir", str(self.folder / "runs"), "--resume", self.run_folder.name]
        else:
            # Killed before it had a config: nothing is there to go on from.
            shutil.rmtree(self.run_folder, ignore_errors=True)
            arguments = [*settings(self.folder, self.reference.name), "--name", self.run_folder.name]
        before = latest(self.run_folder)
        with self.log.open("wb") as log:
            child = subprocess.Popen(
                [self.program, *arguments], env=environment(self.folder), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
            if may_be_killed:
                moment = Moment(self.generator, self.reference, self.run_folder, resumes, child)
                moment.wait()
                interrupts = self.generator.random() < 0.15
                if child.poll() is None and interrupts:
                    child.send_signal(signal.SIGINT)
                    self.counts["interrupts"] += 1
                elif child.poll() is None:
                    child.kill()
            try:
                code = child.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                raise Failed(f"it neither ended nor stopped within {PATIENCE} s") from None
        if code == -signal.SIGKILL:
            self.counts["kills"] += 1
            self.counts[f"during {phase(self.run_folder, before, resumes)}"] += 1
            check_whole(self.run_folder)
            return False
        # The system ends a program that does not handle the signal yet.
        if code in (130, -signal.SIGINT):
            check_whole(self.run_folder)
            return False
        if code != 0:
            raise Failed(f"exit code {code}")
        return True

    def output(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


class Moment:
    """When to kill.

    any: within the time that an uninterrupted run takes
    write: while a file is written, one of the next
    checkpoint: soon after a checkpoint
    test: during the final test
    start: while it starts, or is resumed
    """

    def __init__(self, generator, reference, run_folder, resumes, child) -> None:
        kind = generator.choices(list(MOMENTS), list(MOMENTS.values()))[0]
        self.share = generator.random()
        self.skipped = generator.randrange(8)
        self.kind, self.reference, self.run_folder, self.child = kind, reference, run_folder, child
        self.before = latest(run_folder)
        self.resumes = resumes

    def wait(self) -> None:
        if self.kind == "any":
            self.sleep(1.1 * self.share * self.reference.whole)
        elif self.kind == "start":
            self.sleep((2 if self.resumes else 1) * self.share * self.reference.start)
        elif self.kind == "write":
            seen = set()
            self.until(lambda: self.sees_write(seen))
        elif self.kind == "checkpoint":
            self.until(lambda: latest(self.run_folder) != self.before)
            self.sleep(0.03 * self.share)
        else:
            self.until(lambda: is_trained(latest(self.run_folder)))
            # The test of a resumed run starts later.
            extra = self.reference.start if is_trained(self.before) else 0
            self.sleep(self.share * (self.reference.test + extra))

    def sees_write(self, seen: set[str]) -> bool:
        """Whether there was a new file with a temporary name for the last time that is waited for."""
        for place in [self.run_folder, self.run_folder / "checkpoint", self.run_folder / "raw"]:
            try:
                new = [entry for entry in os.listdir(place) if entry.startswith(".writing") and entry not in seen]
            except FileNotFoundError:
                continue
            seen.update(new)
        return len(seen) > self.skipped

    def sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end)

    def until(self, is_due) -> None:
        while self.child.poll() is None and not is_due():
            time.sleep(POLL)


def latest(run_folder: Path) -> dict | None:
    try:
        return json.loads((run_folder / "checkpoint/latest.json").read_bytes())
    except FileNotFoundError:
        return None


def is_trained(state: dict | None) -> bool:
    """Whether only the test is left; with patience, perhaps earlier than this says."""
    return state is not None and state["epoch"] > EPOCHS


def phase(run_folder: Path, before: dict | None, resumes: bool) -> str:
    """What was going on when it was killed, as far as the files tell."""
    state = latest(run_folder)
    places = [run_folder, run_folder / "checkpoint", run_folder / "raw"]
    entries = [entry for place in places if place.is_dir() for entry in os.listdir(place)]
    records = {entry.rsplit("-", 1)[1] for entry in entries if entry.endswith(".mpk")}
    if any(entry.startswith(".writing") for entry in entries) or len(records) > 1:
        return "a write"
    if is_trained(state):
        return "the end of a resumed run" if state == before else "the final test"
    if state is None:
        return "the first epoch" if (run_folder / "events.jsonl").exists() else "the start"
    if state == before:
        return "a resumed run, before its next checkpoint" if resumes else "the first epoch"
    return "later epochs"


def check_whole(run_folder: Path) -> None:
    """That the checkpoint has all that it names, and every line of the events is whole but perhaps the last."""
    state = latest(run_folder)
    if state is not None:
        for part in ["model", "optim", "scheduler"]:
            decode((run_folder / f"checkpoint/{part}-{state['step']}.mpk").read_bytes())
    events = run_folder / "events.jsonl"
    if events.exists():
        for line in events.read_bytes().split(b"\n")[:-1]:
            json.loads(line)


def snapshot(run_folder: Path) -> dict:
    """Everything about a finished run that does not depend on time."""
    state = latest(run_folder)
    if state is None:
        raise Failed("no checkpoint")
    parts = {}
    names = ["model.safetensors", "test.json", "raw/model.safetensors", "raw/test.json"]
    for name in names:
        path = run_folder / name
        parts[name] = path.read_bytes() if path.exists() else None
    left = [path.name for path in run_folder.rglob(".writing*")]
    if left:
        raise Failed(f"left behind: {', '.join(left)}")
    keys = ["step", "epoch", "steps_in_epoch", "partial", "best", "best_raw", "history", "network", "data"]
    parts["latest.json"] = {key: state.get(key) for key in keys}
    records = sorted((run_folder / "checkpoint").glob("*.mpk"))
    decoded = {path.name: decode(path.read_bytes()) for path in records}
    names = {}
    collect_names(decoded[f"model-{state['step']}.mpk"], "", names)
    for name, record in decoded.items():
        parts[name] = renamed(record, names)
    parts["events"] = events(run_folder)
    return parts


def collect_names(value, path: str, names: dict[str, str]) -> None:
    """Parameters have other random numbers in each run: those are replaced by where the network has them."""
    if isinstance(value, dict):
        if isinstance(value.get("id"), str) and "param" in value:
            names[value["id"]] = path
        for key, item in value.items():
            collect_names(item, f"{path}.{key}", names)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            collect_names(item, f"{path}.{index}", names)


def renamed(value, names: dict[str, str]):
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, dict):
        return {renamed(key, names): renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [renamed(item, names) for item in value]
    return value


def events(run_folder: Path) -> list[dict]:
    """Lines of steps, epochs and tests, in order; raises where one is missing or there twice."""
    lines = (run_folder / "events.jsonl").read_bytes()
    if not lines.endswith(b"\n"):
        raise Failed("the last event is cut off")
    all_events = [json.loads(line) for line in lines.splitlines()]
    kept = [event for event in all_events if event["event"] in ("step", "epoch", "tested")]
    for event in kept:
        event.pop("seconds", None)
        event.pop("took", None)
    for kind, key in [("step", "step"), ("epoch", "epoch")]:
        numbers = [event[key] for event in kept if event["event"] == kind]
        if numbers != list(range(1, len(numbers) + 1)):
            raise Failed(f"events of {kind}s are not 1, 2, 3 ...: {numbers}")
    if sum(event["event"] == "tested" for event in kept) != 1 or kept[-1]["event"] != "tested":
        raise Failed("there is not one test at the end of the events")
    if sum(event["event"] == "started" for event in all_events) != 1:
        raise Failed("the run does not start once in its events")
    if all_events[-1]["event"] != "ended":
        raise Failed("the last event is not the end")
    return kept


def compare(expected: dict, found: dict) -> list[str]:
    """What differs; nothing if the two are equal, bit by bit."""
    differences = []
    for name in sorted(expected.keys() | found.keys()):
        one, other = expected.get(name), found.get(name)
        if one is None and other is None:
            continue
        if one is None or other is None:
            differences.append(f"only one run has {name}")
        # Not `==`, for which NaN differs from itself.
        elif repr(ordered(one)) != repr(ordered(other)):
            differences.append(f"{name} differs")
    return differences


def ordered(value):
    if isinstance(value, dict):
        return sorted((str(key), ordered(item)) for key, item in value.items())
    if isinstance(value, list):
        return [ordered(item) for item in value]
    return value


def decode(data: bytes):
    """A MessagePack value."""
    value, end = decode_at(data, 0)
    if end != len(data):
        raise Failed(f"a record has {len(data) - end} bytes too many")
    return value


# First byte: what a value of fixed size is, for `struct`.
NUMBERS = {
    0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
# First byte: kind, and how the length is written.
LENGTHS = {
    0xC4: ("bytes", ">B"), 0xC5: ("bytes", ">H"), 0xC6: ("bytes", ">I"),
    0xD9: ("text", ">B"), 0xDA: ("text", ">H"), 0xDB: ("text", ">I"),
    0xDC: ("list", ">H"), 0xDD: ("list", ">I"), 0xDE: ("map", ">H"), 0xDF: ("map", ">I"),
}  # fmt: skip


def decode_at(data: bytes, at: int):
    if at >= len(data):
        raise Failed("a record is cut off")
    first = data[at]
    at += 1
    if first <= 0x7F:
        return first, at
    if first >= 0xE0:
        return first - 256, at
    if first in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[first], at
    if first in NUMBERS:
        size = struct.calcsize(NUMBERS[first])
        # As bytes, which tell apart all floats.
        return (data[at : at + size] if first <= 0xCB else struct.unpack_from(NUMBERS[first], data, at)[0]), at + size
    if first <= 0x8F:
        kind, length = "map", first & 0x0F
    elif first <= 0x9F:
        kind, length = "list", first & 0x0F
    elif first <= 0xBF:
        kind, length = "text", first & 0x1F
    elif first in LENGTHS:
        kind, form = LENGTHS[first]
        (length,) = struct.unpack_from(form, data, at)
        at += struct.calcsize(form)
    else:
        raise Failed(f"a record has the byte {first:#x} where a value begins")
    if kind in ("bytes", "text"):
        if at + length > len(data):
            raise Failed("a record is cut off")
        value = data[at : at + length]
        return (value.decode() if kind == "text" else value), at + length
    if kind == "list":
        items = []
        for _ in range(length):
            item, at = decode_at(data, at)
            items.append(item)
        return items, at
    entries = {}
    for _ in range(length):
        key, at = decode_at(data, at)
        entries[key], at = decode_at(data, at)
    return entries, at


if __name__ == "__main__":
    sys.exit(main())
