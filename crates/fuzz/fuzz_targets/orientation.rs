//! Any EXIF content in every format that can carry it: the image opens, turned alike in all of them.

#![no_main]

use std::io::Cursor;
use std::sync::OnceLock;

use image::metadata::Orientation;
use image::{DynamicImage, ImageFormat, RgbImage};
use libfuzzer_sys::{Corpus, fuzz_target};
use resnet_fuzz::decode;

/// What a segment of a JPEG file can hold besides its length and the mark of EXIF.
const MOST_BYTES: usize = 0xffff - 8;

/// Files without EXIF.
struct Base {
    jpeg: &'static [u8],
    png: Vec<u8>,
    webp: Vec<u8>,
}

fuzz_target!(|exif: &[u8]| -> Corpus {
    if exif.len() > MOST_BYTES {
        return Corpus::Reject;
    }
    let base = base();
    let marked = [b"Exif\0\0", exif].concat();
    let orientation = orientation(&base.png, &png(&base.png, exif, b"IDAT"));
    for (what, plain, file) in [
        ("JPEG", base.jpeg, jpeg(base.jpeg, &marked)),
        (
            "PNG, after the pixels",
            &base.png,
            png(&base.png, exif, b"IEND"),
        ),
        ("WebP", &base.webp, webp(&base.webp, exif)),
        ("WebP with a mark", &base.webp, webp(&base.webp, &marked)),
    ] {
        let mut expected = decode(plain).expect("the base opens");
        expected.apply_orientation(orientation);
        let found = decode(&file).unwrap_or_else(|| panic!("{what} does not open"));
        assert!(found == expected, "{what} is not turned by {orientation:?}");
    }
    Corpus::Keep
});

/// How a file is turned that has all pixels of another, which are unlike each other.
fn orientation(plain: &[u8], file: &[u8]) -> Orientation {
    let found = decode(file).expect("a PNG file with any EXIF opens");
    (1..=8)
        .filter_map(Orientation::from_exif)
        .find(|&orientation| {
            let mut turned = decode(plain).expect("the base opens");
            turned.apply_orientation(orientation);
            turned == found
        })
        .expect("one of eight orientations")
}

fn base() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| {
        let image = RgbImage::from_fn(3, 2, |x, y| image::Rgb([90 * x as u8, 200 * y as u8, 7]));
        let image = DynamicImage::from(image);
        let encode = |format| {
            let mut file = Cursor::new(Vec::new());
            image.write_to(&mut file, format).expect("memory takes it");
            file.into_inner()
        };
        Base {
            jpeg: include_bytes!("../../../data/tests/references/size-5x3.jpg"),
            png: encode(ImageFormat::Png),
            webp: encode(ImageFormat::WebP),
        }
    })
}

/// The file with a segment behind the start.
fn jpeg(file: &[u8], exif: &[u8]) -> Vec<u8> {
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&file[..2], &[0xff, 0xe1], &length, exif, &file[2..]].concat()
}

/// The file with a chunk before the first one of a kind.
fn png(file: &[u8], exif: &[u8], before: &[u8; 4]) -> Vec<u8> {
    let kind = file.windows(4).position(|window| window == before);
    let (start, end) = file.split_at(kind.expect("there is such a chunk") - 4);
    let content = [b"eXIf", exif].concat();
    let length = (exif.len() as u32).to_be_bytes();
    let checksum = crc32fast::hash(&content).to_be_bytes();
    [start, &length, &content, &checksum, end].concat()
}

/// The file in the extended format, with a chunk at the end.
fn webp(file: &[u8], exif: &[u8]) -> Vec<u8> {
    const HAS_EXIF: u8 = 0x08;
    let extended = [HAS_EXIF, 0, 0, 0, 2, 0, 0, 1, 0, 0]; // 3x2, less one each
    let chunks = [
        chunk(b"VP8X", &extended),
        file[12..].to_vec(),
        chunk(b"EXIF", exif),
    ]
    .concat();
    let content = [b"WEBP", &chunks[..]].concat();
    chunk(b"RIFF", &content)
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_le_bytes();
    let padding = vec![0; content.len() % 2];
    [&kind[..], &length, content, &padding].concat()
}
