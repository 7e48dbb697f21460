use super::*;

fn usual() -> Preprocessing {
    Preprocessing::new([3, 224, 224], 256, vec![0.4; 3], vec![0.2; 3]).unwrap()
}

fn document(text: &str) -> Document {
    Document::new(Path::new("p.json"), serde_json::from_str(text).unwrap())
}

fn read(text: &str) -> Result<Prepared, ForeignError> {
    let processor = Processor::of_transformers(Path::new("p.json"), document(text))?;
    processor.prepared(3, &usual(), false)
}

fn timm(text: &str) -> Prepared {
    let processor = Processor::of_timm(Path::new("config.json"), document(text));
    let processor = processor.unwrap().unwrap();
    processor.prepared(3, &usual(), false).unwrap()
}

#[test]
fn transformers_processors_are_read() {
    // microsoft/resnet-50, in the format of its file and in today's format.
    let convnext = r#"{"crop_pct": 0.875, "do_normalize": true, "do_resize": true,
        "feature_extractor_type": "ConvNextFeatureExtractor", "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225], "resample": 3, "size": 224}"#;
    let found = read(convnext).unwrap();
    assert!(found.notes.is_empty(), "{:?}", found.notes);
    let found = found.preprocessing;
    assert_eq!((found.shape(), found.resize()), ([3, 224, 224], 256));
    assert_eq!(found.mean(), [0.485, 0.456, 0.406]);
    let resampling = Resampling {
        filter: Filter::Bicubic,
        stretch: None,
        crop: CropStart::Down,
    };
    assert_eq!(found.resampling(), resampling);
    let read = |text: &str| read(text).unwrap().preprocessing;
    let found = read(
        r#"{"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 64}}"#,
    );
    assert_eq!((found.shape(), found.resize()), ([3, 64, 64], 73));
    assert_eq!(found.mean(), [0.4; 3]);
    assert_eq!(found.resampling().filter, Filter::Bilinear);
    let found = read(
        r#"{"image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 48},
        "image_mean": [0.5], "image_std": [0.5]}"#,
    );
    assert_eq!(found.shape(), [3, 32, 48]);
    assert_eq!(found.resampling().stretch, Some([32, 48]));
    assert_eq!(found.mean(), [0.5; 3]);
    let found = read(
        r#"{"size": {"shortest_edge": 256.0}, "crop_size": {"height": 224, "width": 224},
        "do_center_crop": true, "do_normalize": false}"#,
    );
    assert_eq!((found.shape(), found.resize()), ([3, 224, 224], 256));
    assert_eq!((found.mean(), found.std()), (&[0.0; 3][..], &[1.0; 3][..]));
    // Brightness of 0 to 255, and of 0 to 2.
    let found = read(r#"{"do_rescale": false, "image_mean": [51, 51, 51], "image_std": [255]}"#);
    assert!((found.mean()[0] - 0.2).abs() < 1e-6 && (found.std()[0] - 1.0).abs() < 1e-6);
    let found = read(r#"{"rescale_factor": 0.00784313725490196, "image_mean": [1.0]}"#);
    assert!((found.mean()[0] - 0.5).abs() < 1e-6);
}

#[test]
fn timm_filter_and_crop_are_read() {
    let found = timm(r#"{"input_size": [3, 64, 64], "crop_pct": 0.95}"#).preprocessing;
    assert_eq!((found.shape(), found.resize()), ([3, 64, 64], 67));
    assert_eq!(found.resampling().filter, Filter::Bicubic);
    let found = timm(
        r#"{"input_size": [3, 64, 64], "crop_pct": 0.8, "crop_mode": "squash",
        "interpolation": "bilinear"}"#,
    );
    assert!(found.notes.is_empty(), "{:?}", found.notes);
    let resampling = found.preprocessing.resampling();
    assert_eq!(resampling.stretch, Some([80, 80]));
    assert_eq!(resampling.filter, Filter::Bilinear);
    let found =
        timm(r#"{"input_size": [3, 64, 64], "crop_mode": "border", "interpolation": "random"}"#);
    assert!(
        found.notes[0].contains("crop_mode border"),
        "{:?}",
        found.notes
    );
    assert!(
        found.notes[1].contains("interpolation random"),
        "{:?}",
        found.notes
    );
}

#[test]
fn invalid_values_are_named() {
    for (text, key) in [
        (r#"{"size": {"longest_edge": 512}}"#, "`size`"),
        (r#"{"size": 0}"#, "`size`"),
        (r#"{"size": 10000000000000000000}"#, "`size`"),
        (r#"{"size": 64, "crop_pct": 0}"#, "`crop_pct` is 0,"),
        (r#"{"size": 64, "crop_pct": -1}"#, "`crop_pct` is -1,"),
        (r#"{"size": 64, "crop_pct": 2}"#, "`crop_pct` is 2,"),
        (r#"{"size": 4000, "crop_pct": 0.1}"#, "`crop_pct`"),
        (r#"{"size": 32, "crop_size": 64}"#, "`crop_size`"),
        (r#"{"image_mean": ["a"]}"#, "`image_mean`"),
        (r#"{"rescale_factor": 0}"#, "`rescale_factor`"),
        (r#"{"image_std": [0, 0, 0]}"#, "std above 0"),
        (r#"{"do_resize": false}"#, "`do_resize`: false"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.starts_with("p.json cannot be used"), "{error}");
        assert!(error.contains(key), "{text}: {error}");
        assert!(!error.contains("untagged"), "{error}");
    }
    let document = document(r#"{"do_resize": false}"#);
    let processor = Processor::of_transformers(Path::new("p.json"), document).unwrap();
    processor.prepared(3, &usual(), true).unwrap();
}
