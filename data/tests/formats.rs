//! Small files of every format against the pixels that Pillow decodes from them.

use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data::{DEFAULT_MAX_PIXELS, Flaw, decode_image};
use flate2::read::ZlibDecoder;
use serde_json::Value;

fn unpacked(text: &Value) -> Vec<u8> {
    let packed = STANDARD.decode(text.as_str().unwrap()).unwrap();
    let mut content = Vec::new();
    ZlibDecoder::new(&packed[..])
        .read_to_end(&mut content)
        .unwrap();
    content
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats")
}

fn cases() -> Vec<Value> {
    let text = std::fs::read_to_string(folder().join("cases.json")).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    match document["cases"].take() {
        Value::Array(cases) => cases,
        other => panic!("{other}"),
    }
}

#[test]
fn pixels_match_pillow() {
    let cases = cases();
    assert!(cases.len() > 300);
    let mut failures = Vec::new();
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let decoded = match decode_image(&unpacked(&case["file"]), DEFAULT_MAX_PIXELS) {
            Ok(decoded) => decoded,
            Err(error) => {
                failures.push(format!("{name}: {error}"));
                continue;
            }
        };
        let image = decoded.image.into_rgb8();
        let size = [&case["width"], &case["height"]].map(|side| side.as_u64().unwrap());
        if [image.width(), image.height()].map(u64::from) != size {
            failures.push(format!("{name}: {:?}, not {size:?}", image.dimensions()));
            continue;
        }
        let expected = unpacked(&case["pixels"]);
        let apart = |(left, right): (&u8, &u8)| left.abs_diff(*right);
        let worst = image.as_raw().iter().zip(&expected).map(apart).max();
        // libwebp rounds colors of lossy files otherwise than the image crate in rare places.
        let most = if name.starts_with("webp lossy") { 2 } else { 0 };
        if worst > Some(most) {
            failures.push(format!("{name}: {worst:?} apart"));
        }
        if decoded.flaw.is_some() {
            failures.push(format!("{name}: {:?}", decoded.flaw));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Files from bug reports, with the checksums of Pillow's pixels.
#[test]
fn nearly_complete_files_have_all_pixels() {
    for (name, checksum, flaw) in [
        ("no-iend.png", 0x1776_e22b, Some(Flaw::NoEnd)),
        (
            "eoi-replaced-by-garbage.jpg",
            0x479e_eb07,
            Some(Flaw::NoEnd),
        ),
        ("exif-6-after-idat.png", 0x4206_cee4, None),
    ] {
        let file = std::fs::read(folder().join(name)).unwrap();
        let decoded = decode_image(&file, DEFAULT_MAX_PIXELS).unwrap();
        let mut found = flate2::Crc::new();
        found.update(decoded.image.into_rgb8().as_raw());
        assert_eq!(found.sum(), checksum, "{name}");
        assert_eq!(decoded.flaw, flaw, "{name}");
    }
}

/// Parts of files are refused, or have all pixels and a flaw.
#[test]
fn truncated_files_are_detected() {
    for case in cases() {
        let name = case["name"].as_str().unwrap();
        // Lossy WebP has no sign of its last pixel; JPEG has tests of its own.
        let is_format = ["png", "bmp", "webp lossless", "gif", "tiff"]
            .iter()
            .any(|kind| name.starts_with(kind));
        let file = unpacked(&case["file"]);
        if !is_format || file.len() > 4000 {
            continue;
        }
        let whole = decode_image(&file, DEFAULT_MAX_PIXELS).unwrap();
        for length in 0..file.len() {
            let Ok(part) = decode_image(&file[..length], DEFAULT_MAX_PIXELS) else {
                continue;
            };
            // What is lost may be the orientation, or the directory's entries behind the size.
            let is_all = part.image.as_bytes() == whole.image.as_bytes();
            let lost_metadata = name.contains("behind") || name.starts_with("tiff");
            assert!(
                is_all || lost_metadata,
                "{name}: {length} of {}",
                file.len()
            );
            // A TIFF file does not say how long it is, an animation not how many frames it has.
            // A padding byte at the end of a WebP file is left out by some writers.
            let is_padding = name.starts_with("webp") && length + 1 == file.len();
            let says = !name.starts_with("tiff") && !name.contains("animation") && !is_padding;
            assert!(
                !says || part.flaw.is_some(),
                "{name}: {length} of {}",
                file.len()
            );
        }
    }
}

/// Whatever comes out, nothing panics and nothing takes long.
#[test]
fn damage_does_not_panic() {
    let mut state = 1_u64;
    let mut random = |below: usize| {
        // A linear congruential generator, of which the upper bits are random enough.
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    for case in cases() {
        let whole = unpacked(&case["file"]);
        for _ in 0..60 {
            let mut file = whole.clone();
            for _ in 0..=random(4) {
                let place = match random(3) {
                    0 => random(file.len()),
                    _ => random(file.len().min(200)),
                };
                file[place] = [0, 1, 0x7f, 0x80, 0xff, random(256) as u8][random(6)];
            }
            let _ = decode_image(&file, 1 << 18);
        }
    }
}
