//! Image files: good ones of every format, and every way to be bad.

use std::fs;
use std::path::{Path, PathBuf};

use data::{DecodeError, Flaw, ImageError, ImageOpener, Preprocessing, open_image};
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder};
use tempfile::TempDir;

const FORMATS: [ImageFormat; 4] = [
    ImageFormat::Png,
    ImageFormat::Jpeg,
    ImageFormat::WebP,
    ImageFormat::Bmp,
];

fn write(folder: &TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path
}

/// An error of `open_image`, checked to name the file.
fn refused(path: &Path) -> ImageError {
    let error = open_image(path).unwrap_err();
    let message = error.to_string();
    assert!(message.contains(&path.display().to_string()), "{message}");
    assert!(
        !message.ends_with('.') && !message.starts_with(char::is_uppercase),
        "{message}"
    );
    error
}

/// Why the content of a file is refused.
fn reason(path: &Path) -> DecodeError {
    match refused(path) {
        ImageError::Decode { source, .. } => source,
        error => panic!("{error}"),
    }
}

/// Saves an image; as JPEG with EXIF data if there is any.
fn save(image: &RgbImage, path: &Path, format: ImageFormat, exif: Option<&[u8]>) {
    if format != ImageFormat::Jpeg {
        return image.save_with_format(path, format).unwrap();
    }
    let mut encoder = Encoder::new_file(path, 95).unwrap();
    if let Some(exif) = exif {
        encoder.add_exif_metadata(exif).unwrap();
    }
    let [width, height] = [image.width(), image.height()].map(|side| side as u16);
    encoder
        .encode(image, width, height, ColorType::Rgb)
        .unwrap();
}

/// Colors that change slowly to the right and downwards.
fn colors(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x * 3 % 256) as u8, (y * 3 % 256) as u8, 90])
    })
}

#[test]
fn formats_open_under_any_name() {
    let folder = TempDir::new().unwrap();
    for format in FORMATS {
        let path = folder.path().join("image.png");
        save(&colors(40, 30), &path, format, None);
        let image = open_image(&path).unwrap().to_rgb8();
        assert_eq!(image.dimensions(), (40, 30), "{format:?}");
        let pixel = image.get_pixel(30, 20).0.map(i32::from);
        let near = pixel
            .iter()
            .zip([90, 60, 90])
            .all(|(left, right)| (left - right).abs() < 8);
        assert!(near, "{format:?}: {pixel:?}");
    }
}

#[test]
fn sixteen_bit_images_open() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("deep.png");
    let deep: ImageBuffer<Luma<u16>, _> = ImageBuffer::from_fn(9, 7, |x, _| Luma([x as u16 * 257]));
    deep.save(&path).unwrap();
    let preprocessing = Preprocessing::new([1, 7, 7], 7, vec![0.5], vec![0.5]).unwrap();
    let bytes = preprocessing
        .prepare_bytes(&open_image(&path).unwrap())
        .unwrap();
    assert_eq!(bytes[..7], [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn exif_orientation_is_applied() {
    let folder = TempDir::new().unwrap();
    // TIFF, little-endian, one entry: tag 0x0112 (orientation), SHORT, count 1, value 6: the
    // image must be turned to the right.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let path = folder.path().join("turned.jpg");
    let image = RgbImage::from_fn(32, 16, |x, _| Rgb([if x < 16 { 250 } else { 5 }; 3]));
    save(&image, &path, ImageFormat::Jpeg, Some(exif));
    let upright = open_image(&path).unwrap().to_rgb8();
    assert_eq!(upright.dimensions(), (16, 32));
    assert!(upright.get_pixel(8, 3).0[0] > 200 && upright.get_pixel(8, 28).0[0] < 50);
}

#[test]
fn non_image_files_are_rejected() {
    let folder = TempDir::new().unwrap();
    assert!(matches!(
        refused(&folder.path().join("none.png")),
        ImageError::Missing { .. }
    ));
    assert!(matches!(refused(folder.path()), ImageError::Folder { .. }));
    #[cfg(unix)]
    {
        let pipe = folder.path().join("pipe.png");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let error = refused(&pipe);
        assert!(matches!(error, ImageError::NotAFile { .. }), "{error}");
        assert!(error.hint().unwrap().contains("into a file"));
    }
    for content in [&b"just some text, long enough to look at"[..], b"\x89PN"] {
        let text = write(&folder, "text.png", content);
        assert_eq!(reason(&text), DecodeError::NotAnImage);
    }
    assert_eq!(
        reason(&write(&folder, "empty.png", b"")),
        DecodeError::Empty
    );
    // A file of another kind is not read to its end, however long it is.
    let film = write(&folder, "film.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic");
    let file = fs::File::options().write(true).open(&film).unwrap();
    file.set_len(1 << 40).unwrap();
    let error = refused(&film);
    let (text, hint) = (error.to_string(), error.hint().unwrap());
    assert!(text.contains("is a HEIC or HEIF image"), "{text}");
    assert!(hint.contains("magick photo.heic photo.png"), "{hint}");
}

#[test]
fn truncated_images_are_rejected() {
    let folder = TempDir::new().unwrap();
    let noise = RgbImage::from_fn(60, 60, |x, y| {
        Rgb([x, y, x * y].map(|v| (v * 77 % 251) as u8))
    });
    for format in FORMATS {
        let path = folder.path().join(format!("{format:?}"));
        save(&noise, &path, format, None);
        let whole = fs::read(&path).unwrap();
        for part in [20, whole.len() / 4, whole.len() / 2, whole.len() * 9 / 10] {
            fs::write(&path, &whole[..part]).unwrap();
            let error = reason(&path);
            assert_eq!(error, DecodeError::CutOff, "{format:?}, {part}");
        }
    }
}

#[test]
fn damaged_images_are_rejected() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("image.png");
    colors(60, 60).save(&path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(reason(&path), DecodeError::Damaged(_)));
}

/// A chunk of a PNG file.
fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut checksum = flate2::Crc::new();
    checksum.update(kind);
    checksum.update(content);
    let length = (content.len() as u32).to_be_bytes();
    [&length[..], kind, content, &checksum.sum().to_be_bytes()].concat()
}

/// A PNG file that declares a size, and has next to nothing in it.
fn png_that_declares(width: u32, height: u32) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 2, 0, 0, 0]);
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"IDAT", b"not that many"),
        chunk(b"IEND", b""),
    ]
    .concat()
}

#[test]
fn pixel_bombs_are_rejected_by_header() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bomb.jpg");
    save(&colors(8, 8), &path, ImageFormat::Jpeg, None);
    let mut jpeg = fs::read(&path).unwrap();
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    for (name, file, side) in [
        ("bomb.png", png_that_declares(100_000, 100_000), 100_000),
        ("bomb.jpg", jpeg, 65_535),
    ] {
        let path = write(&folder, name, &file);
        match reason(&path) {
            DecodeError::TooLarge { width, height, .. } => assert_eq!([width, height], [side; 2]),
            error => panic!("{error}"),
        }
        assert!(refused(&path).hint().unwrap().contains("--max-pixels"));
    }
}

#[test]
fn large_sizes_without_data_are_rejected_at_once() {
    let folder = TempDir::new().unwrap();
    let screen = b"GIF89a\x40\x1f\x40\x1f\0\0\0,\0\0\0\0\x40\x1f\x40\x1f\0\x08\x01\0\0;";
    let mut interlaced = png_that_declares(8000, 8000);
    interlaced[28] = 1;
    let mut checksum = flate2::Crc::new();
    checksum.update(&interlaced[12..29]);
    interlaced[29..33].copy_from_slice(&checksum.sum().to_be_bytes());
    let mut bmp = Vec::new();
    colors(8, 8)
        .write_to(&mut std::io::Cursor::new(&mut bmp), ImageFormat::Bmp)
        .unwrap();
    bmp[18..22].copy_from_slice(&8000_u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&8000_u32.to_le_bytes());
    for (name, file) in [
        ("a.png", png_that_declares(8000, 8000)),
        ("b.png", interlaced),
        ("c.gif", screen.to_vec()),
        ("d.bmp", bmp),
    ] {
        let found = reason(&write(&folder, name, &file));
        assert_eq!(found, DecodeError::CutOff, "{name}");
    }
}

#[test]
fn each_opener_has_its_own_limit() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("image.png");
    save(&colors(40, 30), &path, ImageFormat::Png, None);
    assert!(ImageOpener::new(1200).open(&path).is_ok());
    let error = ImageOpener::new(1199).open(&path).unwrap_err();
    let reason = "is too large: expected at most 1199 pixels, found 40x30";
    let message = format!("the image {} {reason}", path.display());
    assert_eq!(error.to_string(), message);
    assert!(error.hint().unwrap().contains("--max-pixels"));
}

/// The flaw that is found in a file, whose pixels must be those of `whole`.
fn flaw(folder: &TempDir, name: &str, file: &[u8], whole: &DynamicImage) -> Option<Flaw> {
    let path = write(folder, name, file);
    let opener = ImageOpener::default();
    let image = opener.open(&path).unwrap();
    assert_eq!(image.as_bytes(), whole.as_bytes(), "{name}");
    let found = opener.flawed().list();
    assert_eq!(found.len(), opener.flawed().count());
    match &found[..] {
        [] => None,
        [(flawed, flaw)] => {
            assert_eq!(*flawed, path);
            Some(*flaw)
        }
        more => panic!("{more:?}"),
    }
}

#[test]
fn damaged_files_with_all_pixels_open_with_warning() {
    let folder = TempDir::new().unwrap();
    let encoded = |format| {
        let path = folder.path().join("whole");
        save(&colors(61, 43), &path, format, None);
        (fs::read(&path).unwrap(), open_image(&path).unwrap())
    };

    let (png, whole) = encoded(ImageFormat::Png);
    let end = png.len() - 12;
    let flaw_of = |file: &[u8]| flaw(&folder, "image.png", file, &whole);
    assert_eq!(flaw_of(&png), None);
    assert_eq!(flaw_of(&[&png[..], b"more"].concat()), None);
    // Without the end marker, the checksum, and the checksum of all pixels.
    for length in [end + 8, end, end - 1, end - 4, end - 6, end - 8] {
        let found = flaw_of(&png[..length]);
        assert_eq!(found, Some(Flaw::NoEnd), "{length} of {}", png.len());
    }
    let garbage = [&png[..end], b"\x01\x02 garbage in place of the end marker"].concat();
    assert_eq!(flaw_of(&garbage), Some(Flaw::NoEnd));
    let mut wrong = png.clone();
    wrong[end - 1] ^= 1;
    assert_eq!(flaw_of(&wrong), Some(Flaw::Checksum));

    let (webp, whole) = encoded(ImageFormat::WebP);
    let flaw_of = |file: &[u8]| flaw(&folder, "image.webp", file, &whole);
    assert_eq!(flaw_of(&webp), None);
    for (size, expected) in [
        (0, Flaw::WrongSize),
        (30, Flaw::WrongSize),
        (1 << 30, Flaw::NoEnd),
    ] {
        let mut wrong = webp.clone();
        wrong[4..8].copy_from_slice(&u32::to_le_bytes(size));
        assert_eq!(flaw_of(&wrong), Some(expected), "{size}");
    }

    // Rows of 61 pixels are padded by a byte.
    let (bmp, whole) = encoded(ImageFormat::Bmp);
    assert_eq!(flaw(&folder, "whole.bmp", &bmp, &whole), None);
    let cut = &bmp[..bmp.len() - 1];
    assert_eq!(flaw(&folder, "cut.bmp", cut, &whole), Some(Flaw::NoEnd));
    let cut = write(&folder, "cut.bmp", &bmp[..bmp.len() - 2]);
    assert_eq!(reason(&cut), DecodeError::CutOff);
}

#[test]
fn png_texts_and_profiles_are_not_decompressed() {
    use std::io::Write as _;

    let folder = TempDir::new().unwrap();
    let path = folder.path().join("image.png");
    save(&colors(9, 9), &path, ImageFormat::Png, None);
    let (png, whole) = (fs::read(&path).unwrap(), open_image(&path).unwrap());
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..256 {
        packer.write_all(&[0; 1 << 20]).unwrap();
    }
    let packed = packer.finish().unwrap();
    let packed_chunk = |kind, start: &[u8]| chunk(kind, &[start, &packed[..]].concat());
    let chunks = [
        packed_chunk(b"iCCP", b"profile\0\0"),
        packed_chunk(b"zTXt", b"Raw profile type exif\0\0"),
        packed_chunk(b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0"),
        packed_chunk(b"zTXt", b"Comment\0\0"),
    ]
    .concat();
    // Behind the header of 25 bytes.
    let (head, rest) = png.split_at(8 + 25);
    let file = [head, &chunks, rest].concat();
    assert_eq!(flaw(&folder, "packed.png", &file, &whole), None);
}

/// The numbers are Pillow's (13.0), torchvision's rounding of size and crop:
///
/// ```python
/// y, x = numpy.mgrid[0:height, 0:width]
/// rgb = numpy.stack([(x*37 + y*11) % 256, (x*x + y*5) % 256, (x*y*3) % 256], -1)
/// image = Image.fromarray(rgb.astype(numpy.uint8))  # .convert("L") for gray
/// image.resize((resized_width, resized_height), Image.Resampling.BILINEAR).crop(box)
/// ```
fn pattern(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([x * 37 + y * 11, x * x + y * 5, x * y * 3].map(|value| (value % 256) as u8))
    })
    .into()
}

#[test]
fn resizing_matches_pillow() {
    let prepare = |image: &DynamicImage, channels, side, resize| {
        let statistics = (vec![0.5; channels], vec![0.5; channels]);
        Preprocessing::new([channels, side, side], resize, statistics.0, statistics.1)
            .unwrap()
            .prepare_bytes(image)
            .unwrap()
    };

    // 40x30 resized to 10x8, cropped to 6x6: made smaller, so antialiased.
    let rgb = prepare(&pattern(40, 30), 3, 6, 8);
    #[rustfmt::skip]
    assert_eq!(rgb[..36], [
        141, 111, 145, 108, 140, 127, 150, 112, 143, 126, 112, 143,
        133, 126, 117, 145, 109, 152, 122, 143, 103, 147, 114, 131,
        105, 148, 116, 137, 136, 112, 115, 131, 134, 111, 149, 111,
    ]);
    assert_eq!(
        rgb[72..84],
        [140, 153, 135, 129, 133, 126, 135, 120, 133, 129, 130, 126],
    );
    #[rustfmt::skip]
    assert_eq!(prepare(&pattern(40, 30), 1, 6, 8), [
        128, 151, 121, 129, 137, 128, 140, 140, 120, 126, 119, 134,
        145, 132, 118, 139, 125, 132, 153, 131, 120, 126, 135, 126,
        154, 118, 134, 128, 127, 127, 157, 105, 140, 114, 136, 125,
    ]);

    // 6x50 resized to 4x33, cropped to 4x4: so much less high that Pillow starts with the rows.
    let rgb = prepare(&pattern(6, 50), 3, 4, 4);
    #[rustfmt::skip]
    assert_eq!(rgb, [
        154, 46, 99, 151, 139, 63, 116, 168, 29, 80, 133, 185, 44, 96, 149, 201,
        107, 111, 118, 129, 115, 119, 126, 137, 123, 127, 134, 145, 130, 134, 141, 152,
        24, 114, 167, 92, 26, 123, 137, 63, 28, 131, 152, 84, 29, 139, 166, 105,
    ]);

    // 5x9 resized to 8x14, cropped to 8x8: made larger.
    let rgb = prepare(&pattern(5, 9), 3, 8, 8);
    assert_eq!(rgb[..8], [19, 35, 58, 81, 105, 128, 151, 167]);
    assert_eq!(rgb[56..64], [69, 85, 108, 131, 155, 178, 201, 217]);
    assert_eq!(rgb[128..136], [0, 3, 5, 9, 12, 16, 19, 21]);
}
