//! Prepared images against torchvision's, made by `references/make.py`.

use std::fs;
use std::path::{Path, PathBuf};

use data::{ImageOpener, Preprocessing, open_image};
use flate2::Crc;
use serde_json::Value;

/// The folder of references, and what it holds.
fn references() -> (PathBuf, Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references");
    let index = serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap());
    (folder, index.unwrap())
}

#[test]
fn jpeg_pixels_match_pillow() {
    let (folder, index) = references();
    let mut wrong = Vec::new();
    for file in index["decoded"].as_array().unwrap() {
        let image = open_image(folder.join(file["file"].as_str().unwrap())).unwrap();
        let mut checksum = Crc::new();
        checksum.update(image.as_bytes());
        let size = Value::from(vec![image.width(), image.height()]);
        if file["size"] != size || file["crc32"] != checksum.sum() {
            wrong.push(file.to_string());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pixels_match_torchvision_within_rounding() {
    let (folder, index) = references();
    let pixels = fs::read(folder.join("pixels.bin")).unwrap();
    let mut rest = &pixels[..];
    let mut wrong = Vec::new();
    for case in index["cases"].as_array().unwrap() {
        let size = |value: &Value| value.as_u64().unwrap() as usize;
        let shape: [usize; 3] = std::array::from_fn(|axis| size(&case["shape"][axis]));
        let preprocessing = Preprocessing::new(
            shape,
            size(&case["resize"]),
            vec![0.5; shape[0]],
            vec![0.25; shape[0]],
        )
        .unwrap();
        let expected;
        (expected, rest) = rest.split_at(shape.iter().product());

        let prepared = preprocessing
            .prepare_file(
                &ImageOpener::default(),
                folder.join(case["file"].as_str().unwrap()),
            )
            .unwrap();

        assert_eq!(prepared.len(), expected.len());
        let differences = prepared.iter().zip(expected);
        let most = differences.map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        if most > 1 {
            wrong.push(format!("{case}: {most} levels"));
        }
    }
    assert!(rest.is_empty());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
