//! Picture files: good ones of every format, and every way to be bad.

use std::fs;
use std::path::{Path, PathBuf};

use data::{PictureError, Preprocessing, open_picture};
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder};
use tempfile::TempDir;

fn write(folder: &TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path
}

/// An error of `open_picture`, checked to name the file.
fn refused(path: &Path) -> PictureError {
    let error = open_picture(path).unwrap_err();
    let message = error.to_string();
    assert!(message.contains(&path.display().to_string()), "{message}");
    assert!(
        !message.ends_with('.') && !message.starts_with(char::is_uppercase),
        "{message}"
    );
    error
}

/// Saves a picture; as JPEG with EXIF data if there is any.
fn save(picture: &RgbImage, path: &Path, format: ImageFormat, exif: Option<&[u8]>) {
    if format != ImageFormat::Jpeg {
        return picture.save_with_format(path, format).unwrap();
    }
    let mut encoder = Encoder::new_file(path, 95).unwrap();
    if let Some(exif) = exif {
        encoder.add_exif_metadata(exif).unwrap();
    }
    let [width, height] = [picture.width(), picture.height()].map(|side| side as u16);
    encoder
        .encode(picture, width, height, ColorType::Rgb)
        .unwrap();
}

/// Colours that change slowly to the right and downwards.
fn colours(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x * 3 % 256) as u8, (y * 3 % 256) as u8, 90])
    })
}

#[test]
fn all_four_formats_open_whatever_their_name() {
    let folder = TempDir::new().unwrap();
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Bmp,
    ] {
        let path = folder.path().join("picture.png");
        save(&colours(40, 30), &path, format, None);
        let image = open_picture(&path).unwrap().to_rgb8();
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
fn pictures_of_16_bits_open() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("deep.png");
    let deep: ImageBuffer<Luma<u16>, _> = ImageBuffer::from_fn(9, 7, |x, _| Luma([x as u16 * 257]));
    deep.save(&path).unwrap();
    let preprocessing = Preprocessing::new([1, 7, 7], 7, vec![0.5], vec![0.5]).unwrap();
    let bytes = preprocessing
        .prepare_bytes(&open_picture(&path).unwrap())
        .unwrap();
    assert_eq!(bytes[..7], [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn exif_orientation_is_applied() {
    let folder = TempDir::new().unwrap();
    // TIFF, little-endian, one entry: tag 0x0112 (orientation), SHORT, count 1, value 6: the
    // picture must be turned to the right.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let path = folder.path().join("turned.jpg");
    let image = RgbImage::from_fn(32, 16, |x, _| Rgb([if x < 16 { 250 } else { 5 }; 3]));
    save(&image, &path, ImageFormat::Jpeg, Some(exif));
    let upright = open_picture(&path).unwrap().to_rgb8();
    assert_eq!(upright.dimensions(), (16, 32));
    assert!(upright.get_pixel(8, 3).0[0] > 200 && upright.get_pixel(8, 28).0[0] < 50);
}

#[test]
fn what_is_no_picture_file_is_refused() {
    let folder = TempDir::new().unwrap();
    assert!(matches!(
        refused(&folder.path().join("none.png")),
        PictureError::Missing { .. }
    ));
    assert!(matches!(
        refused(folder.path()),
        PictureError::Folder { .. }
    ));
    #[cfg(unix)]
    {
        let pipe = folder.path().join("pipe.png");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let error = refused(&pipe);
        assert!(matches!(error, PictureError::NotAFile { .. }), "{error}");
        assert!(error.hint().unwrap().contains("into a file"));
    }
    for content in [
        &b"just some text, long enough to look at"[..],
        b"",
        b"\x89PN",
    ] {
        let text = write(&folder, "text.png", content);
        assert!(matches!(refused(&text), PictureError::NotAPicture { .. }));
    }
    let gif = write(&folder, "picture.png", b"GIF89a\x01\0\x01\0\0\0\0;");
    assert!(matches!(
        refused(&gif),
        PictureError::Unsupported { format: "gif", .. }
    ));
    assert!(refused(&gif).hint().is_some());
}

#[test]
fn cut_off_pictures_are_refused() {
    let folder = TempDir::new().unwrap();
    let noise = RgbImage::from_fn(60, 60, |x, y| {
        Rgb([x, y, x * y].map(|v| (v * 77 % 251) as u8))
    });
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Bmp,
    ] {
        let path = folder.path().join(format!("{format:?}"));
        save(&noise, &path, format, None);
        let whole = fs::read(&path).unwrap();
        for part in [20, whole.len() / 4, whole.len() / 2, whole.len() * 9 / 10] {
            fs::write(&path, &whole[..part]).unwrap();
            let error = refused(&path);
            let expected = matches!(
                error,
                PictureError::CutOff { .. } | PictureError::Corrupt { .. }
            );
            assert!(expected, "{format:?}, {part} of {}: {error}", whole.len());
            if matches!(format, ImageFormat::Png | ImageFormat::Jpeg) {
                assert!(
                    matches!(error, PictureError::CutOff { .. }),
                    "{format:?} {part}: {error:?}"
                );
            }
        }
    }
}

#[test]
fn damaged_pictures_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("picture.png");
    colours(60, 60).save(&path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(refused(&path), PictureError::Corrupt { .. }));
}

/// A PNG file that declares a size, and has next to nothing in it.
fn png_that_declares(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8], content: &[u8]| {
        let mut checksum = flate2::Crc::new();
        checksum.update(kind);
        checksum.update(content);
        file.extend((content.len() as u32).to_be_bytes());
        file.extend([kind, content].concat());
        file.extend(checksum.sum().to_be_bytes());
    };
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 2, 0, 0, 0]);
    chunk(b"IHDR", &header);
    chunk(b"IDAT", b"not that many");
    chunk(b"IEND", b"");
    file
}

#[test]
fn pixel_bombs_are_refused_by_their_header() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bomb.jpg");
    save(&colours(8, 8), &path, ImageFormat::Jpeg, None);
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
        let error = refused(&write(&folder, name, &file));
        let size = match error {
            PictureError::TooLarge { width, height, .. } => [width, height],
            _ => panic!("{error}"),
        };
        assert_eq!(size, [side, side]);
        assert!(error.hint().is_some());
    }
}

/// The numbers are Pillow's (13.0), torchvision's rounding of size and crop:
///
/// ```python
/// y, x = numpy.mgrid[0:height, 0:width]
/// rgb = numpy.stack([(x*37 + y*11) % 256, (x*x + y*5) % 256, (x*y*3) % 256], -1)
/// image = Image.fromarray(rgb.astype(numpy.uint8))  # .convert("L") for grey
/// image.resize((resized_width, resized_height), Image.Resampling.BILINEAR).crop(box)
/// ```
fn pattern(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([x * 37 + y * 11, x * x + y * 5, x * y * 3].map(|value| (value % 256) as u8))
    })
    .into()
}

fn assert_near(found: &[u8], expected: &[u8]) {
    assert_eq!(found.len(), expected.len());
    let apart = |(left, right): (&u8, &u8)| left.abs_diff(*right);
    let worst = found.iter().zip(expected).map(apart).max();
    assert!(worst <= Some(1), "found {found:?}, expected {expected:?}");
}

#[test]
fn resizing_agrees_with_pillow() {
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
    assert_near(&rgb[..36], &[
        141, 111, 145, 108, 140, 127, 150, 112, 143, 126, 112, 143,
        133, 126, 117, 145, 109, 152, 122, 143, 103, 147, 114, 131,
        105, 148, 116, 137, 136, 112, 115, 131, 134, 111, 149, 111,
    ]);
    assert_near(
        &rgb[72..84],
        &[140, 153, 135, 129, 133, 126, 135, 120, 133, 129, 130, 126],
    );
    #[rustfmt::skip]
    assert_near(&prepare(&pattern(40, 30), 1, 6, 8), &[
        128, 151, 121, 129, 137, 128, 140, 140, 120, 126, 119, 134,
        145, 132, 118, 139, 125, 132, 153, 131, 120, 126, 135, 126,
        154, 118, 134, 128, 127, 127, 157, 105, 140, 114, 136, 125,
    ]);

    // 5x9 resized to 8x14, cropped to 8x8: made larger.
    let rgb = prepare(&pattern(5, 9), 3, 8, 8);
    assert_near(&rgb[..8], &[19, 35, 58, 81, 105, 128, 151, 167]);
    assert_near(&rgb[56..64], &[69, 85, 108, 131, 155, 178, 201, 217]);
    assert_near(&rgb[128..136], &[0, 3, 5, 9, 12, 16, 19, 21]);
}
