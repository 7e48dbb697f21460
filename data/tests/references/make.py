#!/usr/bin/env python3
"""Makes the images of this folder, and what torchvision prepares from them.

Needs torch, torchvision, Pillow and, for JPEG files that Pillow cannot write, simplejpeg;
`index.json` says with which versions. Each image is opened by Pillow, turned upright as its EXIF
orientation says, converted as the name of the case says, resized by its shorter side, cropped and
normalized with ImageNet's statistics. What is kept of the result is the pixels before normalizing,
as bytes [channels, height, width], because a network's input differs from them by a known linear
map, which the test repeats. Of a JPEG file a checksum of all pixels is kept too: its decoder has to
give the same.
"""

import binascii
import io
import json
from pathlib import Path

import numpy
import PIL
import simplejpeg
import torchvision
from PIL import Image, ImageOps
from torchvision.transforms import v2

HERE = Path(__file__).parent


def image(width, height, channels, seed):
    """Slopes, a disc with a hard edge and some noise."""
    generator = numpy.random.default_rng(seed)
    y, x = numpy.mgrid[0:height, 0:width].astype(float)
    planes = []
    for channel in range(channels):
        plane = 40 + 150 * (x * (channel + 1) / width + y / (channel + 1) / height) / (channel + 2)
        disc = (x - width * 0.4) ** 2 + (y - height * 0.55) ** 2 < (min(width, height) * 0.3) ** 2
        plane = numpy.where(disc, 235 - 60 * channel, plane)
        planes.append(plane + generator.normal(0, 3, plane.shape))
    return numpy.clip(numpy.stack(planes, -1).round(), 0, 255).astype(numpy.uint8).squeeze()


def save(name, image, **options):
    image.save(HERE / name, **options)
    return name


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def files():
    # Colors in full resolution: decoders differ in how they stretch colors of half of it.
    jpeg = {"quality": 90, "subsampling": 0}
    rgb = image(90, 64, 3, 1)
    yield save("rgb.png", Image.fromarray(rgb))
    yield save("tall.png", Image.fromarray(image(41, 120, 3, 2)))
    yield save("small.png", Image.fromarray(image(13, 11, 3, 3)))
    yield save("gray.png", Image.fromarray(image(70, 60, 1, 4)))
    alpha = numpy.dstack([rgb, image(90, 64, 1, 5)])
    yield save("alpha.png", Image.fromarray(alpha, "RGBA"))
    yield save("palette.png", Image.fromarray(rgb).quantize(64))
    yield save("rgb.jpg", Image.fromarray(rgb), **jpeg)
    yield save("subsampled.jpg", Image.fromarray(rgb), quality=90)
    for orientation in range(2, 9):
        turned = Image.fromarray(image(80, 56, 3, 10 + orientation))
        name = f"orientation-{orientation}.jpg"
        yield save(name, turned, exif=exif(orientation), **jpeg)
    yield save("gray.jpg", Image.fromarray(image(75, 66, 1, 20)), **jpeg)
    cmyk = Image.fromarray(image(84, 62, 4, 21), "CMYK")
    yield save("cmyk.jpg", cmyk, **jpeg)


def write(name, content):
    (HERE / name).write_bytes(content)
    return name


def encoded(image, **options):
    content = io.BytesIO()
    image.save(content, "JPEG", **options)
    return content.getvalue()


def ycck(content):
    """The file with its four inks declared as brightness, two colors and black."""
    place = content.index(b"Adobe") + 11
    return content[:place] + b"\2" + content[place + 1 :]


def jpeg_kinds():
    """A JPEG file of every kind, with sides that no block divides."""
    for seed, ratio in enumerate(["444", "422", "420", "440", "411"], 30):
        rgb = image(45, 35, 3, seed)
        name = f"ratio-{ratio}.jpg"
        yield write(name, simplejpeg.encode_jpeg(rgb, quality=85, colorsubsampling=ratio))
    image = Image.fromarray(image(45, 35, 3, 40))
    for ratio in ["4:4:4", "4:2:2", "4:2:0"]:
        name = f"progressive-{ratio.replace(':', '')}.jpg"
        yield save(name, image, quality=85, subsampling=ratio, progressive=True)
    yield save("progressive-gray.jpg", image.convert("L"), quality=85, progressive=True)
    yield save("restart.jpg", image, quality=85, restart_marker_blocks=2)
    yield save("restart-rows.jpg", image, quality=85, subsampling=0, restart_marker_rows=1)
    yield save("coded-rgb.jpg", image, quality=85, keep_rgb=True)
    yield save("optimized.jpg", image, quality=60, optimize=True)
    for width, height in [(1, 1), (2, 9), (5, 3), (8, 8), (17, 16), (16, 17)]:
        small = Image.fromarray(image(width, height, 3, 50 + width))
        yield save(f"size-{width}x{height}.jpg", small, quality=85)
    inks = Image.fromarray(image(45, 35, 4, 60), "CMYK")
    yield save("cmyk-420.jpg", inks, quality=85, subsampling="4:2:0")
    yield write("ycck.jpg", ycck(encoded(inks, quality=85, subsampling="4:4:4")))
    yield write("ycck-420.jpg", ycck(encoded(inks, quality=85, subsampling="4:2:0")))


def prepared():
    """The files, and the mode, size and crop of their cases."""
    three = [("RGB", 32, 28), ("RGB", 48, 40), ("L", 32, 32)]
    yield from ((name, three) for name in files())
    yield from ((name, [("RGB", 32, 28)]) for name in jpeg_kinds())


def upright(name):
    return ImageOps.exif_transpose(Image.open(HERE / name))


def main():
    cases, decoded = [], []
    for name, ways in prepared():
        if name.endswith(".jpg"):
            image = upright(name)
            image = image.convert("RGB") if image.mode == "CMYK" else image
            checksum = binascii.crc32(image.tobytes())
            decoded.append({"file": name, "size": list(image.size), "crc32": checksum})
        for mode, resize, crop in ways:
            image = upright(name).convert(mode)
            prepare = v2.Compose([v2.Resize(resize, antialias=True), v2.CenterCrop(crop)])
            pixels = numpy.asarray(prepare(image))
            if pixels.ndim == 2:
                pixels = pixels[:, :, None]
            planes = pixels.transpose(2, 0, 1)
            cases.append((name, resize, planes))
    index = [
        {"file": name, "resize": resize, "shape": list(planes.shape)}
        for name, resize, planes in cases
    ]
    versions = {"torchvision": torchvision.__version__.split("+")[0], "pillow": PIL.__version__}
    content = {"made_with": versions, "cases": index, "decoded": decoded}
    (HERE / "index.json").write_text(json.dumps(content, indent=1) + "\n")
    (HERE / "pixels.bin").write_bytes(b"".join(planes.tobytes() for _, _, planes in cases))


if __name__ == "__main__":
    main()
