#!/usr/bin/env python3
"""Makes `cases.json`: small image files, and the pixels that Pillow decodes from them.

Needs Pillow, numpy, pypng, tifffile and imagecodecs. Each file is opened by Pillow, turned upright
by `ImageOps.exif_transpose` and converted to RGB; where Pillow has no rule for it, as for 16 bits a
sample, the expected pixels are calculated here. Files and pixels are
compressed by zlib and stored in base64.
"""

import base64
import io
import json
import struct
import zlib
from pathlib import Path

import numpy
import PIL
import png
import tifffile
from PIL import Image, ImageOps

HERE = Path(__file__).parent
WIDTH, HEIGHT = 21, 13


def pattern(channels, width=WIDTH, height=HEIGHT, seed=1):
    y, x = numpy.mgrid[0:height, 0:width]
    planes = [x * 11 + y * 3, x * 2 + y * 17, 250 - x * 9, 255 - y * 12]
    pixels = numpy.stack(planes[:channels], -1) + 3 * seed
    return numpy.clip(pixels, 0, 255).astype(numpy.uint8).squeeze()


RGB = Image.fromarray(pattern(3))
GRAY = Image.fromarray(pattern(1))
RGBA = Image.fromarray(pattern(4), "RGBA")
CMYK = Image.fromarray(pattern(4, seed=2), "CMYK")
SMALL = Image.fromarray(pattern(3, 6, 4))
PALETTE = RGB.quantize(40)
BILEVEL = GRAY.convert("1")


def saved(image, kind, **options):
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def packed(content):
    return base64.b64encode(zlib.compress(content, 9)).decode()


def case(name, content, expected=None):
    if expected is None:
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
        expected = numpy.asarray(image)
    height, width = expected.shape[:2]
    return {
        "name": name,
        "file": packed(content),
        "width": width,
        "height": height,
        "pixels": packed(expected.astype(numpy.uint8).tobytes()),
    }


# Orientation


def exif(orientation, order="<", kind="H", tag=0x112):
    """EXIF metadata with one entry of a kind: H for SHORT, I for LONG, B for BYTE."""
    code = {"B": 1, "H": 3, "I": 4}[kind]
    value = struct.pack(order + kind, orientation).ljust(4, b"\0")
    entry = struct.pack(order + "HHI", tag, code, 1) + value
    magic = b"II" if order == "<" else b"MM"
    head = magic + struct.pack(order + "HI", 42, 8)
    return head + struct.pack(order + "H", 1) + entry + bytes(4)


def xmp(orientation, is_element=False):
    attribute = "" if is_element else f' tiff:Orientation="{orientation}"'
    element = f"<tiff:Orientation>{orientation}</tiff:Orientation>" if is_element else ""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description'
        f"{attribute}>{element}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_with(*chunks, behind=False):
    """A PNG file with more chunks before or behind the pixels."""
    content = saved(SMALL, "PNG")
    place = content.index(b"IEND" if behind else b"IDAT") - 4
    return content[:place] + b"".join(chunks) + content[place:]


def raw_profile(content):
    lines = "\n".join(content.hex()[start : start + 72] for start in range(0, len(content.hex()), 72))
    return f"\nexif\n{len(content):8}\n{lines}\n".encode()


def text(keyword, content, kind=b"tEXt"):
    if kind == b"tEXt":
        return chunk(kind, keyword + b"\0" + content)
    if kind == b"zTXt":
        return chunk(kind, keyword + b"\0\0" + zlib.compress(content))
    return chunk(b"iTXt", keyword + b"\0\0\0\0\0" + content)


def packed_text(keyword, content):
    return chunk(b"iTXt", keyword + b"\0\1\0\0\0" + zlib.compress(content))


def riff(*chunks):
    content = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(content)) + content


def webp_with(flags, *chunks):
    simple = saved(SMALL, "WEBP", lossless=True)
    size = struct.unpack("<I", simple[16:20])[0]
    pixels = (simple[12:16], simple[20 : 20 + size])
    sides = struct.pack("<I", SMALL.width - 1)[:3] + struct.pack("<I", SMALL.height - 1)[:3]
    return riff((b"VP8X", bytes([flags, 0, 0, 0]) + sides), pixels, *chunks)


def jpeg_with(*segments):
    content = saved(SMALL, "JPEG", quality=95, subsampling=0)
    content, jfif = content[2:], b"\xff\xd8"
    return jfif + b"".join(
        b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment for segment in segments
    ) + content


XMP_NAME = b"XML:com.adobe.xmp"
RAW_NAME = b"Raw profile type exif"
JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"


def orientations():
    for value in range(0, 10):
        for order, name in (("<", "little"), (">", "big")):
            data = exif(value, order)
            yield case(f"png eXIf {name} {value}", png_with(chunk(b"eXIf", data)))
            yield case(f"png eXIf behind {name} {value}", png_with(chunk(b"eXIf", data), behind=True))
            yield case(f"jpeg exif {name} {value}", jpeg_with(b"Exif\0\0" + data))
            yield case(f"webp exif {name} {value}", webp_with(8, (b"EXIF", data)))
            yield case(f"webp named exif {name} {value}", webp_with(8, (b"EXIF", b"Exif\0\0" + data)))
        yield case(f"png xmp {value}", png_with(text(XMP_NAME, xmp(value), b"iTXt")))
        yield case(f"png xmp behind {value}", png_with(text(XMP_NAME, xmp(value), b"iTXt"), behind=True))
        yield case(f"png packed xmp {value}", png_with(packed_text(XMP_NAME, xmp(value, True))))
        yield case(f"png raw profile {value}", png_with(text(RAW_NAME, raw_profile(b"Exif\0\0" + exif(value)), b"zTXt")))
        yield case(f"png plain raw profile {value}", png_with(text(RAW_NAME, raw_profile(exif(value, ">")))))
        yield case(f"jpeg xmp {value}", jpeg_with(JPEG_XMP + xmp(value)))
        yield case(f"jpeg xmp element {value}", jpeg_with(JPEG_XMP + xmp(value, True)))
        yield case(f"webp xmp {value}", webp_with(4, (b"XMP ", xmp(value))))
        yield case(f"webp lossy exif {value}", saved(SMALL, "WEBP", quality=100, exif=b"Exif\0\0" + exif(value)))
        tags = Image.Exif()
        tags[0x112] = value
        if value:
            yield case(f"tiff {value}", saved(SMALL, "TIFF", tiffinfo={0x112: value}))
        yield case(f"png by pillow {value}", saved(SMALL, "PNG", exif=tags))
    # Precedence, other kinds of values, and broken metadata.
    yield case("jpeg exif over xmp", jpeg_with(b"Exif\0\0" + exif(6), JPEG_XMP + xmp(3)))
    yield case("jpeg exif without orientation", jpeg_with(b"Exif\0\0" + exif(6, tag=0x131), JPEG_XMP + xmp(3)))
    yield case("jpeg invalid exif over xmp", jpeg_with(b"Exif\0\0" + exif(9), JPEG_XMP + xmp(3)))
    yield case("png exif over raw profile", png_with(chunk(b"eXIf", exif(6)), text(RAW_NAME, raw_profile(exif(3)))))
    yield case("png raw profile over xmp", png_with(text(XMP_NAME, xmp(3), b"iTXt"), text(RAW_NAME, raw_profile(exif(6)))))
    yield case("webp exif without its flag", webp_with(0, (b"EXIF", exif(6))))
    yield case("webp xmp without its flag", webp_with(8, (b"EXIF", exif(1, tag=0x131)), (b"XMP ", xmp(6))))
    for kind in "BI":
        for order in "<>":
            yield case(f"jpeg exif of kind {kind}{order}", jpeg_with(b"Exif\0\0" + exif(6, order, kind)))
    for length in (8, 9, 12, 21):
        cut = exif(6)[:length]
        yield case(f"jpeg exif cut at {length}", jpeg_with(b"Exif\0\0" + cut))
        yield case(f"webp exif cut at {length}", webp_with(8, (b"EXIF", cut)))


# Formats


def kinds_of_png():
    for mode, image in (("1", BILEVEL), ("L", GRAY), ("LA", RGBA.convert("LA")), ("P", PALETTE), ("RGB", RGB), ("RGBA", RGBA)):
        yield case(f"png {mode}", saved(image, "PNG"))
    transparent = saved(PALETTE, "PNG", transparency=3)
    yield case("png P with transparency", transparent)
    for bits in (1, 2, 4):
        yield case(f"png P of {bits} bits", saved(RGB.quantize(2**bits), "PNG", bits=bits))
    rows = {
        "gray": (pattern(1), {"grayscale": True}),
        "gray alpha": (pattern(4)[:, :, 1:3], {"grayscale": True, "alpha": True}),
        "rgb": (pattern(3), {"grayscale": False}),
        "rgba": (pattern(4), {"grayscale": False, "alpha": True}),
    }
    for interlace in (False, True):
        name = "interlaced " if interlace else ""
        for kind, (pixels, options) in rows.items():
            for width, height in ((WIDTH, HEIGHT), (1, 1), (3, 2), (5, 9)):
                part = pixels[:height, :width]
                content = io.BytesIO()
                writer = png.Writer(width, height, interlace=interlace, **options)
                writer.write(content, part.reshape(height, -1).tolist())
                yield case(f"png {name}{kind} {width}x{height}", content.getvalue())
            deep = pixels.astype(numpy.uint16) * 257 + 100
            content = io.BytesIO()
            writer = png.Writer(WIDTH, HEIGHT, bitdepth=16, interlace=interlace, **options)
            writer.write(content, deep.reshape(HEIGHT, -1).tolist())
            colors = deep if kind.startswith("rgb") else deep.reshape(HEIGHT, WIDTH, -1)[:, :, :1].repeat(3, 2)
            yield case(f"png {name}{kind} of 16 bits", content.getvalue(), (colors[:, :, :3] + 128) // 257)
        for bits in (1, 2, 4):
            low = pattern(1) >> (8 - bits)
            content = io.BytesIO()
            png.Writer(WIDTH, HEIGHT, grayscale=True, bitdepth=bits, interlace=interlace).write(content, low.tolist())
            yield case(f"png {name}gray of {bits} bits", content.getvalue())


def kinds_of_bmp():
    for mode, image in (("1", BILEVEL), ("L", GRAY), ("P", PALETTE), ("RGB", RGB), ("RGBA", RGBA)):
        yield case(f"bmp {mode}", saved(image, "BMP"))


def kinds_of_webp():
    yield case("webp lossless", saved(RGB, "WEBP", lossless=True))
    yield case("webp lossless alpha", saved(RGBA, "WEBP", lossless=True, exact=True))
    yield case("webp lossy", saved(RGB, "WEBP", quality=90))
    yield case("webp lossy alpha", saved(RGBA, "WEBP", quality=90))
    frames = [Image.fromarray(pattern(3, seed=seed)) for seed in (5, 6, 7)]
    yield case("webp animation", saved(frames[0], "WEBP", lossless=True, save_all=True, append_images=frames[1:]))


def gif_frame(screen, place, *, palette=PALETTE, screen_palette=True, transparent=None):
    """A GIF file with a frame anywhere on or beyond its screen, and its own or the screen's palette."""
    content = saved(palette, "GIF", interlace=0)
    flags = content[10]
    colors = content[13 : 13 + 3 * (2 << (flags & 7))]
    start = content.index(b"\x2c", 13 + len(colors))
    data = content[start + 10 :]
    control = b"" if transparent is None else b"\x21\xf9\x04\x01\0\0" + bytes([transparent]) + b"\0"
    head = b"GIF89a" + struct.pack("<HH", *screen) + bytes([flags if screen_palette else flags & 0x7F, 0, 0])
    head += colors if screen_palette else b""
    own = 0 if screen_palette else 0x80 | flags & 7
    frame = b"\x2c" + struct.pack("<HHHHB", *place, *palette.size, own)
    return head + control + frame + (b"" if screen_palette else colors) + data


def kinds_of_gif():
    yield case("gif P", saved(PALETTE, "GIF"))
    yield case("gif L", saved(GRAY, "GIF"))
    yield case("gif 1", saved(BILEVEL, "GIF"))
    for interlace in (0, 1):
        yield case(f"gif interlace {interlace}", saved(PALETTE, "GIF", interlace=interlace))
    yield case("gif transparency", saved(PALETTE, "GIF", transparency=7))
    frames = [Image.fromarray(pattern(3, seed=seed)).quantize(16) for seed in (5, 6, 7)]
    yield case("gif animation", saved(frames[0], "GIF", save_all=True, append_images=frames[1:], loop=0))
    yield case("gif frame inside", gif_frame((40, 30), (7, 5)))
    yield case("gif frame inside, transparent", gif_frame((40, 30), (7, 5), transparent=9))
    yield case("gif frame beyond", gif_frame((10, 8), (3, 2)))
    yield case("gif own palette", gif_frame((40, 30), (7, 5), screen_palette=False))
    yield case("gif few colors", gif_frame((40, 30), (7, 5), palette=RGB.quantize(3)))
    large = Image.fromarray(pattern(3, 110, 90)).quantize(256)
    yield case("gif large", saved(large, "GIF"))


def written(pixels, **options):
    content = io.BytesIO()
    tifffile.imwrite(content, pixels, metadata=None, **options)
    return content.getvalue()


def kinds_of_tiff():
    modes = {"1": BILEVEL, "L": GRAY, "P": PALETTE, "RGB": RGB, "RGBA": RGBA, "CMYK": CMYK, "LA": RGBA.convert("LA")}
    for compression in (None, "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits"):
        for mode, image in modes.items():
            yield case(f"tiff {mode} {compression}", saved(image, "TIFF", compression=compression))
    for mode in ("L", "RGB"):
        for quality in (60, 95):
            yield case(f"tiff {mode} jpeg {quality}", saved(modes[mode], "TIFF", compression="jpeg", quality=quality))
    wide = pattern(3, 40, 37)
    gray = pattern(1, 40, 37)
    for order in "<>":
        for big in (False, True):
            yield case(f"tiff order {order} big {big}", written(wide, photometric="rgb", byteorder=order, bigtiff=big), wide)
    yield case("tiff min is white", written(gray, photometric="miniswhite"))
    yield case("tiff bilevel white", written(gray > 100, photometric="miniswhite"))
    for name, options in {
        "tiles": {"tile": (16, 32)},
        "tiles lzw": {"tile": (16, 16), "compression": "lzw"},
        "tiles predicted": {"tile": (32, 32), "compression": "zlib", "predictor": True},
        "strips": {"rowsperstrip": 7},
        "strips predicted": {"rowsperstrip": 7, "compression": "lzw", "predictor": True},
        "tiles jpeg": {"tile": (16, 16), "compression": "jpeg", "compressionargs": {"level": 90}},
        "planes": {"planarconfig": "separate"},
        "planes tiles predicted": {"planarconfig": "separate", "tile": (16, 16), "compression": "zlib", "predictor": True},
    }.items():
        pixels = wide.transpose(2, 0, 1) if name.startswith("planes") else wide
        yield case(f"tiff rgb {name}", written(pixels, photometric="rgb", **options))
        # imagecodecs compresses no gray tiles.
        if not name.startswith("planes") and name != "tiles jpeg":
            yield case(f"tiff gray {name}", written(gray, photometric="minisblack", **options))
    for order in "<>":
        for predictor in (False, True):
            deep = wide.astype(numpy.uint16) * 257 + 100
            options = {"compression": "zlib", "predictor": True} if predictor else {}
            content = written(deep, photometric="rgb", byteorder=order, **options)
            yield case(f"tiff rgb of 16 bits {order} {predictor}", content, (deep + 128) // 257)
            content = written(deep[:, :, 0], photometric="minisblack", byteorder=order, **options)
            yield case(f"tiff gray of 16 bits {order} {predictor}", content, (deep[:, :, :1].repeat(3, 2) + 128) // 257)
    pages = io.BytesIO()
    RGB.save(pages, "TIFF", save_all=True, append_images=[GRAY, PALETTE])
    yield case("tiff pages", pages.getvalue())
    yield case("tiff associated alpha", written(pattern(4), photometric="rgb", extrasamples=["assocalpha"]))
    yield case("tiff xmp", saved(RGB, "TIFF", tiffinfo={700: xmp(6)}))


def main():
    cases = [
        *orientations(),
        *kinds_of_png(),
        *kinds_of_bmp(),
        *kinds_of_webp(),
        *kinds_of_gif(),
        *kinds_of_tiff(),
    ]
    names = [one["name"] for one in cases]
    assert len(names) == len(set(names)), "two cases of one name"
    lines = ",\n".join(json.dumps(one) for one in cases)
    text = f'{{"pillow": "{PIL.__version__}", "cases": [\n{lines}\n]}}\n'
    (HERE / "cases.json").write_text(text)


main()
