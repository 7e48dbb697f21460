//! Tests of [`Preprocessing`].

use super::*;
use crate::resampling::{CropStart, Filter};
use image::{GrayImage, RgbaImage};

fn gray(side: usize, resize: usize) -> Preprocessing {
    Preprocessing::new([1, side, side], resize, vec![0.5], vec![0.25]).unwrap()
}

#[test]
fn invalid_preprocessing_is_rejected() {
    let new = Preprocessing::new;
    for result in [
        new([2, 8, 8], 8, vec![0.5; 2], vec![0.5; 2]),
        new([1, 0, 8], 8, vec![0.5], vec![0.5]),
        new([1, 8, MAX_SIDE + 1], 8, vec![0.5], vec![0.5]),
        new([1, 8, 9], 8, vec![0.5], vec![0.5]),
        new([3, 8, 8], 8, vec![0.5], vec![0.5; 3]),
        new([1, 8, 8], 8, vec![f32::NAN], vec![0.5]),
        new([1, 8, 8], 8, vec![0.5], vec![0.0]),
    ] {
        assert!(result.is_err(), "{result:?}");
    }
}

#[test]
fn deserialization_validates() {
    let good = r#"{"channels":1,"height":8,"width":8,"resize":9,"mean":[0.5],"std":[0.25]}"#;
    let read: Preprocessing = serde_json::from_str(good).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), good);
    let bad = good.replace("0.25", "0.0");
    let error = serde_json::from_str::<Preprocessing>(&bad).unwrap_err();
    assert!(error.to_string().contains("std above 0"), "{error}");
}

#[test]
fn image_of_target_size_is_not_resampled() {
    let image = GrayImage::from_fn(8, 8, |x, y| image::Luma([(x * 31 + y * 7) as u8]));
    let bytes = gray(8, 8).prepare_bytes(&image.clone().into()).unwrap();
    assert_eq!(bytes, image.into_raw());
}

#[test]
fn crop_keeps_center() {
    let image = GrayImage::from_fn(12, 8, |x, y| image::Luma([(x * 16 + y) as u8]));
    let bytes = gray(4, 8).prepare_bytes(&image.into()).unwrap();
    assert_eq!(bytes[..4], [66, 82, 98, 114], "row 2, columns 4 to 7");
    assert_eq!(bytes.len(), 16);
}

#[test]
fn alpha_is_dropped_and_gray_weighted() {
    let image: DynamicImage = RgbaImage::from_pixel(3, 3, image::Rgba([200, 100, 50, 0])).into();
    assert_eq!(gray(3, 3).prepare_bytes(&image).unwrap(), [124; 9]);
    let rgb = Preprocessing::new([3, 3, 3], 3, vec![0.0; 3], vec![1.0; 3]).unwrap();
    let expected = [[200; 9], [100; 9], [50; 9]].concat();
    assert_eq!(rgb.prepare_bytes(&image).unwrap(), expected);
}

#[test]
fn thin_images_work_and_empty_ones_are_rejected() {
    for (width, height) in [(1, 10_000), (10_000, 1), (1, 1)] {
        let image = GrayImage::from_pixel(width, height, image::Luma([77]));
        assert_eq!(
            gray(64, 64).prepare_bytes(&image.into()).unwrap(),
            [77; 64 * 64]
        );
    }
    let empty = GrayImage::new(0, 4).into();
    assert!(matches!(
        gray(4, 4).prepare_bytes(&empty),
        Err(PreprocessingError::EmptyImage)
    ));
}

#[test]
fn normalization_is_per_channel() {
    let preprocessing =
        Preprocessing::new([3, 1, 1], 1, vec![0.0, 0.5, 1.0], vec![1.0, 0.5, 0.1]).unwrap();
    let twice = preprocessing.normalize(&[255, 255, 255, 0, 0, 0]);
    for (found, expected) in twice.iter().zip([1.0, 1.0, 0.0, 0.0, -1.0, -10.0]) {
        assert!((found - expected).abs() < 1e-6, "{twice:?}");
    }
}

/// A gray image of 17x13 pixels.
fn pattern() -> DynamicImage {
    let value = |x: u32, y: u32| (x * x * 7 + y * y * 11 + x * y * 5) % 256;
    GrayImage::from_fn(17, 13, |x, y| image::Luma([value(x, y) as u8])).into()
}

/// The numbers are those of `Image.resize((6, 5), filter)` in Pillow 13.0.
#[test]
fn stretching_filters_match_pillow() {
    let expected: [(Filter, [u8; 30]); 5] = [
        (
            Filter::Bilinear,
            [
                44, 117, 139, 149, 145, 116, 126, 124, 106, 117, 121, 126, 126, 131, 128, 127, 148,
                123, 144, 124, 111, 136, 138, 84, 115, 121, 108, 120, 163, 157,
            ],
        ),
        (
            Filter::Bicubic,
            [
                31, 118, 144, 153, 148, 112, 133, 126, 99, 115, 119, 129, 121, 132, 131, 125, 153,
                125, 150, 123, 107, 142, 139, 70, 113, 121, 106, 118, 167, 164,
            ],
        ),
        (
            Filter::Lanczos,
            [
                28, 117, 147, 153, 149, 109, 136, 130, 91, 117, 118, 133, 120, 133, 135, 120, 154,
                126, 150, 124, 106, 146, 140, 61, 110, 125, 103, 116, 168, 167,
            ],
        ),
        (
            Filter::Box,
            [
                35, 127, 145, 145, 152, 109, 167, 111, 96, 106, 123, 103, 104, 128, 136, 127, 155,
                129, 169, 103, 120, 107, 145, 71, 125, 111, 108, 105, 167, 159,
            ],
        ),
        (
            Filter::Hamming,
            [
                31, 122, 139, 153, 149, 109, 139, 117, 106, 112, 116, 114, 121, 126, 128, 130, 158,
                125, 159, 122, 101, 131, 136, 77, 116, 112, 98, 111, 173, 164,
            ],
        ),
    ];
    for (filter, expected) in expected {
        let preprocessing = Preprocessing::new([1, 5, 6], 6, vec![0.5], vec![0.25]).unwrap();
        let resampling = Resampling {
            filter,
            stretch: Some([5, 6]),
            ..Resampling::default()
        };
        let preprocessing = preprocessing.with_resampling(resampling).unwrap();
        let found = preprocessing.prepare_bytes(&pattern()).unwrap();
        assert_eq!(found, expected, "{filter:?}");
    }
}

/// The numbers are those of `Image.resize((10, 8), BICUBIC)`, then `crop((2, 1, 8, 7))`, and of
/// `Image.resize((18, 20), BICUBIC)`, then `crop((6, 7, 11, 12))`, in Pillow 13.0.
#[test]
fn bicubic_crops_match_pillow() {
    let bicubic = Resampling {
        filter: Filter::Bicubic,
        ..Resampling::default()
    };
    let found = gray(6, 8).with_resampling(bicubic).unwrap();
    let expected = [
        142, 86, 139, 136, 161, 118, 97, 122, 87, 88, 134, 108, 151, 124, 94, 118, 125, 148, 100,
        152, 154, 149, 117, 180, 130, 92, 102, 118, 161, 134, 107, 165, 60, 119, 203, 147,
    ];
    assert_eq!(
        found.prepare_bytes(&pattern()).unwrap(),
        expected,
        "ratio kept"
    );
    let stretched = Resampling {
        stretch: Some([20, 18]),
        crop: CropStart::Down,
        ..bicubic
    };
    let found = gray(5, 20).with_resampling(stretched).unwrap();
    let expected = [
        97, 93, 78, 84, 109, 135, 76, 94, 103, 103, 107, 115, 104, 115, 169, 135, 145, 135, 154,
        167, 209, 150, 177, 209, 92,
    ];
    assert_eq!(
        found.prepare_bytes(&pattern()).unwrap(),
        expected,
        "stretched"
    );
}

#[test]
fn only_unusual_resampling_is_serialized() {
    let usual = gray(4, 8);
    let text = serde_json::to_string(&usual).unwrap();
    assert!(!text.contains("resampling"), "{text}");
    let other = usual.with_resampling(Resampling {
        filter: Filter::Bicubic,
        stretch: Some([8, 9]),
        crop: CropStart::Down,
    });
    let other = other.unwrap();
    let text = serde_json::to_string(&other).unwrap();
    assert_eq!(serde_json::from_str::<Preprocessing>(&text).unwrap(), other);
    let small = text.replace("[8,9]", "[8,3]");
    assert!(serde_json::from_str::<Preprocessing>(&small).is_err());
}
