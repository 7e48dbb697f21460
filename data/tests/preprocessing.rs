//! Prepared pictures against torchvision's, made by `references/make.py`.

use std::fs;
use std::path::Path;

use data::Preprocessing;
use serde_json::Value;

#[test]
fn pixels_are_torchvisions_but_for_rounding() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references");
    let index: Value =
        serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap();
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
            .prepare_file(folder.join(case["file"].as_str().unwrap()))
            .unwrap();

        assert_eq!(prepared.len(), expected.len());
        let differences = prepared.iter().zip(expected);
        let most = differences.map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        let allowed = 1;
        if most > allowed {
            wrong.push(format!("{case}: {most} levels"));
        }
    }
    assert!(rest.is_empty());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
