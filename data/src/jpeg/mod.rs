//! Reading JPEG files.
//!
//! Published networks were trained on what Pillow makes of a JPEG file, that is, libjpeg-turbo.
//! The standard leaves open how numbers are rounded and how colours of a lower resolution are
//! stretched, and decoders differ in it by several levels. This one calculates both as
//! libjpeg-turbo does by default, and so gives the same pixels. Of damaged data it makes the same
//! too, but for progressive files that lack whole scans, which libjpeg smooths.
//!
//! `segments` goes through the file, `scan` through a scan's blocks, which `sequential` or
//! `progressive` read from `bits`; `transform`, `upsample` and `colour` turn them into pixels.

mod bits;
mod colour;
mod error;
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

pub(crate) use error::JpegError;
pub(crate) use segments::decode;

/// The samples of a block along one side.
const SIDE: usize = 8;

/// The samples of a block.
const BLOCK: usize = SIDE * SIDE;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    /// The JPEG files that the pictures of tests are prepared from.
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

    #[test]
    fn every_part_of_a_file_is_cut_off() {
        for file in references() {
            for length in 0..file.len() {
                let error = decode(&file[..length], u64::MAX).unwrap_err();
                assert_eq!(error, JpegError::CutOff, "{length} of {} bytes", file.len());
            }
            assert!(decode(&[&file[..], b"a film"].concat(), u64::MAX).is_ok());
        }
    }

    #[test]
    fn sizes_are_limited_by_the_header() {
        let file = &references()[0];
        let (image, _) = decode(file, u64::MAX).unwrap();
        let (width, height) = (image.width(), image.height());
        let pixels = u64::from(width) * u64::from(height);
        assert!(decode(file, pixels).is_ok());
        let error = decode(file, pixels - 1).unwrap_err();
        assert_eq!(error, JpegError::TooLarge { width, height });
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
        assert!(with(1, 0xc3).contains("without loss"));
        assert!(with(1, 0xc9).contains("arithmetic"));
        assert!(with(4, 12).contains("8 bits"));
        assert!(with(9, 2).contains("frame header"));
    }

    #[test]
    fn tables_of_codes_may_be_left_out() {
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

        /// Whatever comes out, nothing panics.
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
            // Sides of 65535 pixels are possible, but take long without optimisation.
            let _ = decode(&file, 1 << 20);
        }

        #[test]
        fn noise_does_not_panic(mut file in prop::collection::vec(any::<u8>(), 0..400)) {
            file.splice(0..0, [0xff, 0xd8]);
            let _ = decode(&file, 1 << 20);
        }
    }
}
