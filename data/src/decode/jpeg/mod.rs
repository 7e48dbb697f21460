//! JPEG decoder.
//!
//! Published models were trained on images decoded by Pillow, that is, by libjpeg-turbo. The
//! standard does not specify rounding or the upsampling of colors, and decoders differ in both by
//! several levels. This decoder computes both like libjpeg-turbo's defaults, and so returns the
//! same pixels. The result is also the same for damaged data, except for progressive files that
//! lack whole scans, which libjpeg smooths.
//!
//! `segments` parses the file and `scan` iterates over the blocks of a scan, which `sequential` or
//! `progressive` read from `bits`; `transform`, `upsample` and `color` convert them to pixels.

mod bits;
mod color;
mod frame;
mod huffman;
mod output;
mod progressive;
mod scan;
mod segments;
mod sequential;
mod standard;
mod tables;
mod transform;
mod upsample;
mod work;

pub(crate) use color::darken;
pub(crate) use segments::{decode, decode_in_tiff};

/// Number of samples along one side of a block.
const SIDE: usize = 8;

/// Number of samples in a block.
const BLOCK: usize = SIDE * SIDE;

/// Marks a coefficient without known bits.
const NO_BIT: u8 = u8::MAX;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use image::metadata::Orientation;
    use proptest::prelude::*;

    use crate::decode::{DecodeError, Decoded, Flaw, Limits};

    /// Returns the JPEG files that test images are prepared from.
    fn references() -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references");
        let paths = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let is_jpeg = |path: &std::path::PathBuf| path.extension().is_some_and(|end| end == "jpg");
        let mut paths: Vec<_> = paths.filter(is_jpeg).collect();
        paths.sort();
        let files: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
        assert!(!files.is_empty());
        files
    }

    fn decode(file: &[u8], max_pixels: u64) -> Result<Decoded, DecodeError> {
        super::decode(file, &mut Limits::of_pixels(max_pixels))
    }

    #[test]
    fn truncated_file_is_cut_off_or_complete() {
        for file in references() {
            let whole = decode(&file, u64::MAX).unwrap();
            assert_eq!(whole.flaw, None);
            let mut last_cut_off = 0;
            for length in 0..file.len() {
                match decode(&file[..length], u64::MAX) {
                    Ok(part) => {
                        assert_eq!(part.image, whole.image, "{length} of {}", file.len());
                        assert_eq!(part.flaw, Some(Flaw::NoEnd));
                    }
                    Err(error) => {
                        assert_eq!(error, DecodeError::CutOff, "{length} of {}", file.len());
                        last_cut_off = length;
                    }
                }
            }
            // The end marker has two bytes, and the last code may need no bit of the last byte.
            let complete = file.len() - last_cut_off;
            assert!((3..=5).contains(&complete), "{complete} of {}", file.len());
            assert_eq!(
                decode(&[&file[..], b"a film"].concat(), u64::MAX),
                Ok(whole)
            );
        }
    }

    #[test]
    fn data_after_last_scan_is_ignored() {
        for file in references() {
            let whole = decode(&file, u64::MAX).unwrap();
            let scans = &file[..file.len() - 2];
            // Data of the scan may be missing before the end.
            for (end, expected) in [
                (&b"\xff\xd9"[..], Ok(Some(Flaw::DamagedPixels))),
                (b"", Err(DecodeError::CutOff)),
            ] {
                let rest = b"garbage without a marker";
                let decoded = decode(&[scans, &rest[..], end].concat(), u64::MAX);
                assert_eq!(decoded.map(|decoded| decoded.flaw), expected);
            }
            for garbage in [
                &[0xff; 50][..],
                // Damaged tables, a frame, a scan, a segment beyond the end.
                b"\xff\xc4\0\x04\0\xff",
                b"\xff\xc0\0\x04\0\0",
                b"\xff\xda\0\x04\x09\0",
                b"\xff\xe1\xff\xff",
                b"\xff\xc3\0\x04\0\0",
            ] {
                let decoded = decode(&[scans, garbage].concat(), u64::MAX).unwrap();
                assert_eq!(decoded.image, whole.image, "{garbage:x?}");
                assert_eq!(decoded.flaw, Some(Flaw::NoEnd));
            }
            // The missing part of a truncated scan with an end marker is gray, like in libjpeg.
            let is_progressive = file.windows(2).any(|pair| pair == [0xff, 0xc2]);
            if file.len() > 1500 && !is_progressive {
                let half = [&scans[..scans.len() * 2 / 3], b"\xff\xd9"].concat();
                let decoded = decode(&half, u64::MAX).unwrap();
                assert_eq!(decoded.flaw, Some(Flaw::DamagedPixels));
            }
        }
    }

    #[test]
    fn metadata_after_first_scan_is_ignored() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references");
        let file = fs::read(folder.join("rgb.jpg")).unwrap();
        let exif = b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        let with = |place: usize| {
            let (before, after) = file.split_at(place);
            let file = [before, exif, after].concat();
            decode(&file, u64::MAX).unwrap().orientation
        };
        assert_eq!(with(2), Orientation::Rotate90);
        assert_eq!(with(file.len() - 2), Orientation::NoTransforms);
    }

    #[test]
    fn cmyk_in_tiff_is_not_inverted() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references");
        let file = fs::read(folder.join("cmyk.jpg")).unwrap();
        let mut limits = Limits::of_pixels(u64::MAX);
        let inside = super::decode_in_tiff(&file, &mut limits, false).unwrap();
        assert_ne!(inside.image, decode(&file, u64::MAX).unwrap().image);
        let mut pixels = [[0; 3]; 3];
        let inks: [&[u8]; 4] = [&[0, 255, 0], &[0, 0, 0], &[0, 0, 0], &[0, 0, 255]];
        super::color::Colors::Inks.convert(&inks, &mut pixels);
        assert_eq!(pixels, [[255; 3], [0, 255, 255], [0; 3]]);
    }

    #[test]
    fn zeroed_data_is_damage() {
        for file in references() {
            let is_progressive = file.windows(2).any(|pair| pair == [0xff, 0xc2]);
            if file.len() < 1500 || is_progressive {
                continue;
            }
            let zeros = vec![0; file.len()];
            let filled = [&file[..file.len() * 2 / 3], &zeros].concat();
            assert_eq!(decode(&filled, u64::MAX), Err(DecodeError::CutOff));
            let ended = [&filled[..], b"\xff\xd9"].concat();
            assert_eq!(
                decode(&ended, u64::MAX).unwrap().flaw,
                Some(Flaw::DamagedPixels)
            );
        }
    }

    /// Returns the range from the last scan's header to the end of its data.
    fn last_scan(file: &[u8]) -> std::ops::Range<usize> {
        let start = file
            .windows(2)
            .rposition(|pair| pair == [0xff, 0xda])
            .unwrap();
        start..file.len() - 2
    }

    #[test]
    fn decoding_work_is_limited() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references");
        for name in ["progressive-420.jpg", "progressive-gray.jpg"] {
            let file = fs::read(folder.join(name)).unwrap();
            let scan = &file[last_scan(&file)];
            let repeated = |times: usize| {
                let (head, end) = file.split_at(file.len() - 2);
                let repeats = scan.repeat(times);
                decode(&[head, &repeats, end].concat(), u64::MAX)
            };
            assert!(repeated(1).is_ok());
            let error = repeated(40).unwrap_err();
            assert!(error.to_string().contains("too many scans"), "{error}");
        }
        // A sequential image is complete after its only scan.
        let file = fs::read(folder.join("rgb.jpg")).unwrap();
        let scan = &file[last_scan(&file)];
        let (head, end) = file.split_at(file.len() - 2);
        let repeated = [head, &scan.repeat(400), end].concat();
        assert_eq!(decode(&repeated, u64::MAX), decode(&file, u64::MAX));
    }

    #[test]
    fn header_without_data_is_cut_off() {
        let mut file = references()[0].clone();
        let frame = file
            .windows(2)
            .position(|pair| pair == [0xff, 0xc0])
            .unwrap();
        file[frame + 5..frame + 9].copy_from_slice(&[0x40, 0, 0x40, 0]);
        assert_eq!(decode(&file, u64::MAX), Err(DecodeError::CutOff));
    }

    #[test]
    fn pixel_limit_uses_header_size() {
        let file = &references()[0];
        let image = decode(file, u64::MAX).unwrap().image;
        let (width, height) = (image.width(), image.height());
        let pixels = u64::from(width) * u64::from(height);
        assert!(decode(file, pixels).is_ok());
        let error = decode(file, pixels - 1).unwrap_err();
        let max_pixels = pixels - 1;
        assert_eq!(
            error,
            DecodeError::TooLarge {
                width,
                height,
                max_pixels
            }
        );
    }

    #[test]
    fn rare_kinds_are_named() {
        let file = &references()[0];
        let frame = file
            .windows(2)
            .position(|pair| pair == [0xff, 0xc0])
            .unwrap();
        let with = |offset: usize, value: u8| {
            let mut changed = file.clone();
            changed[frame + offset] = value;
            decode(&changed, u64::MAX).unwrap_err().to_string()
        };
        assert!(with(1, 0xc3).contains("lossless"));
        assert!(with(1, 0xc9).contains("arithmetic"));
        assert!(with(4, 12).contains("8 bits"));
        assert!(with(9, 2).contains("frame header"));
    }

    #[test]
    fn missing_huffman_tables_use_defaults() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references");
        let whole = fs::read(folder.join("rgb.jpg")).unwrap();
        let mut file = whole.clone();
        while let Some(start) = file.windows(2).position(|pair| pair == [0xff, 0xc4]) {
            let length = u16::from_be_bytes([file[start + 2], file[start + 3]]);
            file.drain(start..start + 2 + usize::from(length));
        }
        assert!(file.len() < whole.len() - 400);
        assert_eq!(decode(&file, u64::MAX), decode(&whole, u64::MAX));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        /// The result does not matter, but nothing may panic.
        #[test]
        fn damage_does_not_panic(
            file in prop::sample::select(references()),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let mut file = file;
            for (place, value) in changes {
                let place = place.index(file.len());
                file[place] = value;
            }
            // Sides of 65535 pixels are possible, but slow without optimization.
            let _ = decode(&file, 1 << 20);
        }

        #[test]
        fn noise_does_not_panic(mut file in prop::collection::vec(any::<u8>(), 0..400)) {
            file.splice(0..0, [0xff, 0xd8]);
            let _ = decode(&file, 1 << 20);
        }
    }
}
