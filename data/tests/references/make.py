#!/usr/bin/env python3
"""Makes the pictures of this folder, and what torchvision prepares from them.

Needs torch, torchvision and Pillow; `index.json` says with which versions. Each picture is
opened by Pillow, turned upright as its EXIF orientation says, converted as the name of the case
says, resized by its shorter side, cropped and normalised with ImageNet's statistics. What is kept
of the result is the pixels before normalising, as bytes [channels, height, width], because a
network's input differs from them by a known linear map, which the test repeats.
"""

import json
from pathlib import Path

import numpy
import PIL
import torchvision
from PIL import Image, ImageOps
from torchvision.transforms import v2

HERE = Path(__file__).parent


def picture(width, height, channels, seed):
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
    # Colours in full resolution: decoders differ in how they stretch colours of half of it.
    jpeg = {"quality": 90, "subsampling": 0}
    rgb = picture(90, 64, 3, 1)
    yield save("rgb.png", Image.fromarray(rgb))
    yield save("tall.png", Image.fromarray(picture(41, 120, 3, 2)))
    yield save("small.png", Image.fromarray(picture(13, 11, 3, 3)))
    yield save("grey.png", Image.fromarray(picture(70, 60, 1, 4)))
    alpha = numpy.dstack([rgb, picture(90, 64, 1, 5)])
    yield save("alpha.png", Image.fromarray(alpha, "RGBA"))
    yield save("palette.png", Image.fromarray(rgb).quantize(64))
    yield save("rgb.jpg", Image.fromarray(rgb), **jpeg)
    yield save("subsampled.jpg", Image.fromarray(rgb), quality=90)
    for orientation in range(2, 9):
        turned = Image.fromarray(picture(80, 56, 3, 10 + orientation))
        name = f"orientation-{orientation}.jpg"
        yield save(name, turned, exif=exif(orientation), **jpeg)
    yield save("grey.jpg", Image.fromarray(picture(75, 66, 1, 20)), **jpeg)
    cmyk = Image.fromarray(picture(84, 62, 4, 21), "CMYK")
    yield save("cmyk.jpg", cmyk, **jpeg)


def main():
    cases = []
    for name in files():
        for mode, resize, crop in [("RGB", 32, 28), ("RGB", 48, 40), ("L", 32, 32)]:
            image = ImageOps.exif_transpose(Image.open(HERE / name)).convert(mode)
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
    (HERE / "index.json").write_text(json.dumps({"made_with": versions, "cases": index}, indent=1) + "\n")
    (HERE / "pixels.bin").write_bytes(b"".join(planes.tobytes() for _, _, planes in cases))


if __name__ == "__main__":
    main()
