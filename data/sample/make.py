#!/usr/bin/env python3
"""Make the sample of Fashion-MNIST that lies beside this script.

    python3 make.py FOLDER

FOLDER holds the publisher's four files (train-images-idx3-ubyte.gz and so on).
The rule: the first 600 images of each class of the training file, and the
first 100 of each class of the test file, kept in the order of the file. The
first test image of each class is written as a PNG too.
"""

import gzip
import struct
import sys
import zlib
from pathlib import Path

SIDE = 28
CLASSES = [
    "t-shirt", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle-boot",
]
PARTS = {"train": 600, "t10k": 100}


def read(path, magic, header):
    """Return the numbers after the magic one, and the bytes after the header."""
    content = gzip.decompress(path.read_bytes())
    found, *numbers = struct.unpack(f">{header}I", content[: 4 * header])
    if found != magic:
        sys.exit(f"{path}: expected magic number {magic:#06x}, found {found:#06x}")
    return numbers, content[4 * header :]


def choose(images, labels, each):
    """Return the first `each` images of every class, in order, with their labels."""
    counts = [0] * len(CLASSES)
    chosen = []
    for index, label in enumerate(labels):
        if counts[label] < each:
            counts[label] += 1
            chosen.append((images[index * SIDE * SIDE :][: SIDE * SIDE], label))
    return chosen


def write(path, header, body):
    """Write an IDX file, packed; without a time, so that it is the same each time."""
    content = struct.pack(f">{len(header)}I", *header) + body
    path.write_bytes(gzip.compress(content, compresslevel=9, mtime=0))


def png(image):
    """Return a gray 8-bit PNG file."""

    def chunk(kind, content):
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    rows = b"".join(b"\0" + image[y * SIDE :][:SIDE] for y in range(SIDE))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    source, here = Path(sys.argv[1]), Path(__file__).resolve().parent
    for part, each in PARTS.items():
        names = f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz"
        (_, height, width), images = read(source / names[0], 0x0803, 4)
        _, labels = read(source / names[1], 0x0801, 2)
        if (height, width) != (SIDE, SIDE):
            sys.exit(f"{names[0]}: expected images of {SIDE}x{SIDE}, found {height}x{width}")
        chosen = choose(images, labels, each)
        images = b"".join(image for image, _ in chosen)
        write(here / names[0], (0x0803, len(chosen), SIDE, SIDE), images)
        write(here / names[1], (0x0801, len(chosen)), bytes(label for _, label in chosen))

    # `chosen` is now that of the test file.
    (here / "images").mkdir(exist_ok=True)
    for label, name in enumerate(CLASSES):
        image = next(image for image, found in chosen if found == label)
        (here / "images" / f"{name}.png").write_bytes(png(image))


if __name__ == "__main__":
    main()
