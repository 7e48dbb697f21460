use super::*;
use crate::packed::PackedImages;
use image::{Luma, Rgb, RgbImage, Rgba, RgbaImage};

/// A gray object on black, 28x28 pixels: centered, and as wide or as high as the image.
fn object(number: usize) -> GrayImage {
    let (width, height) = match number.is_multiple_of(2) {
        true => (28, 12 + (number / 2 % 8) as u32),
        false => (12 + (number / 2 % 8) as u32, 28),
    };
    let (left, top) = ((28 - width) / 2, (28 - height) / 2);
    GrayImage::from_fn(28, 28, |x, y| {
        let inside = (left..left + width).contains(&x) && (top..top + height).contains(&y);
        Luma([match inside {
            true => (120 + (x * 5 + y * 3) % 120) as u8,
            false => 0,
        }])
    })
}

fn look() -> ImageLook {
    let pixels = (0..100).flat_map(|number| object(number).into_raw());
    let images = PackedImages::new([1, 28, 28], pixels.collect(), vec![0; 100]).unwrap();
    ImageLook::of(&images, &(0..100).collect::<Vec<_>>()).unwrap()
}

fn preprocessing() -> Preprocessing {
    Preprocessing::new([1, 28, 28], 28, vec![0.3], vec![0.3]).unwrap()
}

fn fitted(image: impl Into<DynamicImage>) -> Fitted {
    fit(&image.into(), &look(), &preprocessing()).unwrap()
}

fn inverted(image: &GrayImage) -> GrayImage {
    let mut image = image.clone();
    image::imageops::invert(&mut image);
    image
}

/// Places an image in a larger one of a plain color.
fn inside(image: &GrayImage, side: u32, [left, top]: [i64; 2], level: u8) -> GrayImage {
    let mut canvas = GrayImage::from_pixel(side, side, Luma([level]));
    image::imageops::overlay(&mut canvas, image, left, top);
    canvas
}

/// Returns the mean pixel difference of two images of one size.
fn difference(one: &DynamicImage, other: &GrayImage) -> f64 {
    let one = one.to_luma8();
    assert_eq!(one.dimensions(), other.dimensions());
    let pairs = one.pixels().zip(other.pixels());
    let sum: u32 = pairs
        .map(|(one, other)| u32::from(one[0].abs_diff(other[0])))
        .sum();
    f64::from(sum) / other.len() as f64
}

#[test]
fn objects_on_black_have_a_look() {
    let look = look();
    assert_eq!(look.background, Background::Dark);
    assert_eq!(look.centered_by, Centering::Box);
    assert_eq!(look.typical_content, 1.0);
    assert!(look.background_share > 0.4, "{look:?}");
    let text = serde_json::to_string(&look).unwrap();
    assert_eq!(serde_json::from_str::<ImageLook>(&text).unwrap(), look);
}

#[test]
fn other_sets_have_no_look() {
    let of = |shape: [usize; 3], pixel: fn(usize) -> u8| {
        let size: usize = shape.iter().product();
        let pixels = (0..100 * size).map(pixel).collect();
        let images = PackedImages::new(shape, pixels, vec![0; 100]).unwrap();
        ImageLook::of(&images, &(0..100).collect::<Vec<_>>())
    };
    let noise = |place: usize| ((place * 2_654_435_761) >> 7) as u8;
    assert_eq!(of([1, 28, 28], noise), None);
    assert_eq!(of([3, 28, 28], |_| 0), None);
    assert_eq!(of([1, 28, 20], |_| 0), None);
    assert_eq!(of([1, 80, 80], |_| 0), None);
    assert_eq!(of([1, 28, 28], |_| 0), None, "all of it is background");
}

#[test]
fn similar_images_are_unchanged() {
    for number in 0..100 {
        let fitted = fitted(object(number));
        assert!(
            fitted.image.is_none() && fitted.conversions.is_empty(),
            "{number}"
        );
        assert!(fitted.mismatches.is_empty(), "{number}: {fitted:?}");
    }
    // The same object, enlarged.
    let large = image::imageops::resize(&object(3), 280, 280, image::imageops::Nearest);
    assert!(fitted(large).conversions.is_empty());
}

#[test]
fn light_backgrounds_are_inverted_exactly() {
    for number in 0..100 {
        let fitted = fitted(inverted(&object(number)));
        assert_eq!(fitted.conversions, [Conversion::Inverted], "{number}");
        assert_eq!(fitted.image.unwrap().to_luma8(), object(number));
    }
}

#[test]
fn margins_are_cropped_at_any_position() {
    for number in [0, 1, 6, 9] {
        for place in [[0, 0], [36, 36], [5, 30], [18, 18]] {
            for (image, level, inverts) in [
                (object(number), 0, false),
                (inverted(&object(number)), 255, true),
            ] {
                let fitted = fitted(inside(&image, 64, place, level));
                let expected: &[Conversion] = match inverts {
                    true => &[Conversion::Inverted, Conversion::Centered],
                    false => &[Conversion::Centered],
                };
                assert_eq!(fitted.conversions, expected, "{number} at {place:?}");
                let distance = difference(&fitted.image.unwrap(), &object(number));
                assert!(distance < 1.0, "{number} at {place:?}: {distance}");
            }
        }
    }
}

#[test]
fn off_white_paper_with_noise_becomes_black() {
    let object = object(3);
    let mut canvas = inside(&inverted(&object), 100, [30, 40], 255);
    for (place, pixel) in canvas.pixels_mut().enumerate() {
        let noise = (place as u32).wrapping_mul(2_654_435_761) >> 28; // 0 to 15
        pixel[0] = (f32::from(pixel[0]) * 0.85 + noise as f32) as u8;
    }
    let fitted = fitted(canvas);
    let conversions = [
        Conversion::Inverted,
        Conversion::Leveled,
        Conversion::Centered,
    ];
    assert_eq!(fitted.conversions, conversions);
    let found = fitted.image.unwrap();
    assert_eq!(found.to_luma8()[(0, 0)][0], 0);
    let distance = difference(&found, &object);
    assert!(distance < 12.0, "{distance}");
}

#[test]
fn non_square_images_fit() {
    let mut wide = GrayImage::from_pixel(200, 60, Luma([255]));
    image::imageops::overlay(&mut wide, &inverted(&object(1)), 150, 20);
    let fitted = fitted(wide);
    assert_eq!(
        fitted.conversions,
        [Conversion::Inverted, Conversion::Centered]
    );
    assert!(difference(&fitted.image.unwrap(), &object(1)) < 1.0);
}

#[test]
fn transparent_parts_are_background() {
    // A dark drawing whose transparent pixels are black too, as many programs save it.
    let drawing = RgbaImage::from_fn(28, 28, |x, y| {
        let pixel = object(1)[(x, y)][0];
        Rgba([0, 0, 0, pixel])
    });
    let dark = fitted(drawing);
    assert_eq!(dark.conversions, [Conversion::Filled, Conversion::Inverted]);
    assert!(difference(&dark.image.unwrap(), &object(1)) < 3.0);
    let drawing = RgbaImage::from_fn(28, 28, |x, y| Rgba([255, 255, 255, object(1)[(x, y)][0]]));
    let light = fitted(drawing);
    assert_eq!(light.conversions, [Conversion::Filled]);
    assert!(difference(&light.image.unwrap(), &object(1)) < 3.0);
}

#[test]
fn photos_do_not_fit() {
    // A landscape: it varies everywhere, in color or gray.
    let wave =
        |x: u32, y: u32| (128.0 + 100.0 * ((x as f32 / 9.0).sin() * (y as f32 / 13.0).cos())) as u8;
    let gray = GrayImage::from_fn(120, 90, |x, y| Luma([wave(x, y)]));
    let found = fitted(gray);
    assert_eq!(found.mismatches, [Mismatch::NoPlainBackground]);
    assert!(found.image.is_none() && found.conversions.is_empty());
    let colors = RgbImage::from_fn(120, 90, |x, y| Rgb([wave(x, y), wave(y, x), 40]));
    let found = fitted(colors);
    assert_eq!(
        found.mismatches,
        [Mismatch::Colors, Mismatch::NoPlainBackground]
    );
}

#[test]
fn color_photos_of_objects_on_white_are_converted_with_a_warning() {
    let image = inside(&inverted(&object(1)), 64, [10, 20], 255);
    let red = RgbImage::from_fn(64, 64, |x, y| match image[(x, y)][0] {
        255 => Rgb([255; 3]),
        level => Rgb([level, level / 4, level / 4]),
    });
    let found = fitted(red);
    assert_eq!(found.mismatches, [Mismatch::Colors]);
    assert_eq!(
        found.conversions,
        [Conversion::Inverted, Conversion::Centered]
    );
    // Gray saved with three channels has no colors, and tinted paper has almost none.
    let gray = DynamicImage::ImageLuma8(image.clone()).to_rgb8();
    assert!(fitted(gray).mismatches.is_empty());
    let tinted = RgbImage::from_fn(64, 64, |x, y| {
        let level = image[(x, y)][0];
        Rgb([
            level,
            (f32::from(level) * 0.97) as u8,
            (f32::from(level) * 0.91) as u8,
        ])
    });
    assert!(fitted(tinted).mismatches.is_empty());
}

#[test]
fn blank_images_are_reported() {
    for level in [0, 128, 255] {
        for side in [1, 2, 28, 500] {
            let found = fitted(GrayImage::from_pixel(side, side, Luma([level])));
            assert_eq!(found.mismatches, [Mismatch::Blank], "{level}, {side}");
            assert!(found.image.is_none());
        }
    }
    let empty = fit(&GrayImage::new(0, 4).into(), &look(), &preprocessing());
    assert!(matches!(empty, Err(PreprocessingError::EmptyImage)));
}

#[test]
fn sets_on_white_mirror_sets_on_black() {
    let pixels = (0..100).flat_map(|number| inverted(&object(number)).into_raw());
    let images = PackedImages::new([1, 28, 28], pixels.collect(), vec![0; 100]).unwrap();
    let look = ImageLook::of(&images, &(0..100).collect::<Vec<_>>()).unwrap();
    assert_eq!(look.background, Background::Light);
    let fit = |image: GrayImage| fit(&image.into(), &look, &preprocessing()).unwrap();
    assert!(fit(inverted(&object(1))).conversions.is_empty());
    let found = fit(inside(&object(1), 64, [30, 30], 0));
    assert_eq!(
        found.conversions,
        [Conversion::Inverted, Conversion::Centered]
    );
    assert!(difference(&found.image.unwrap(), &inverted(&object(1))) < 1.0);
}

#[test]
fn any_image_is_inspected_without_panic() {
    for (width, height) in [(1, 300), (300, 1), (2, 2), (3, 700), (1, 1), (257, 259)] {
        let image = GrayImage::from_fn(width, height, |x, y| Luma([(x * 37 + y * 91) as u8]));
        fitted(image);
        let dot = GrayImage::from_fn(width, height, |x, y| Luma([255 * u8::from(x + y == 0)]));
        fitted(dot.clone());
        fitted(inverted(&dot));
    }
}
