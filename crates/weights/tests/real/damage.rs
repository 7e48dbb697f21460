use std::fs;

use proptest::prelude::*;
use weights::{ContentError, Format, WeightsFile};

use crate::{bytes, folder, read};

#[test]
fn truncated_file_is_rejected() {
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            let result = WeightsFile::from_bytes(&whole[..length]);
            assert!(result.is_err(), "{} cut to {length} bytes", path.display());
        }
    }
}

#[test]
fn file_with_trailing_bytes_is_rejected() {
    for name in ["plain.pth", "plain_legacy.pth", "plain.safetensors"] {
        let mut longer = bytes(name);
        longer.push(0);
        assert!(WeightsFile::from_bytes(&longer).is_err(), "{name}");
    }
}

/// Flips each bit of a file, and gives what was read.
fn flipped(name: &str, mut check: impl FnMut(usize, Result<WeightsFile, ContentError>)) {
    let mut file = bytes(name);
    for bit in 0..file.len() * 8 {
        file[bit / 8] ^= 1 << (bit % 8);
        check(bit / 8, WeightsFile::from_bytes(&file));
        file[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn flipped_archive_bits_are_detected_or_harmless() {
    for name in ["plain.pth", "zip64.pth", "nested.pth"] {
        let whole = read(name);
        flipped(name, |place, result| {
            if let Ok(file) = result {
                assert_eq!(file, whole, "{name}: byte {place}");
            }
        });
    }
}

#[test]
fn flipped_storage_bits_are_detected() {
    let file = bytes("views.pth");
    // The elements of `base`: -19/8, -12/8, …
    let start = [-19.0f32 / 8.0, -12.0 / 8.0].map(f32::to_le_bytes).concat();
    let start = file.windows(8).position(|window| window == start).unwrap();
    let storage = start..start + 24 * 4;
    let mut noticed = 0;
    flipped("views.pth", |place, result| {
        if storage.contains(&place) {
            let error = result.unwrap_err();
            assert!(
                matches!(error, ContentError::Checksum { .. }),
                "byte {place}: {error}"
            );
            noticed += 1;
        }
    });
    assert_eq!(noticed, 24 * 4 * 8);
}

#[test]
fn flipped_bits_without_checksums_never_panic() {
    for name in [
        "plain_legacy.pth",
        "dtypes_legacy.pth",
        "views_legacy.pth",
        "no_checksums.pth",
        "dtypes.safetensors",
    ] {
        // What is read then is another program, whose values nobody knows.
        flipped(name, |_, result| drop(result));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn replaced_bytes_never_panic(
        name in prop::sample::select(vec![
            "plain_legacy.pth", "views_legacy.pth", "no_checksums.pth", "plain.safetensors",
        ]),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut file = bytes(name);
        for (place, byte) in edits {
            let place = place.index(file.len());
            file[place] = byte;
        }
        if let Ok(file) = WeightsFile::from_bytes(&file) {
            prop_assert!(matches!(
                file.format,
                Format::TorchZip | Format::TorchLegacy | Format::Safetensors
            ));
        }
    }
}
