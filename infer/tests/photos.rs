//! Images that are not as the training images of the shipped model are.

mod common;

use std::path::{Path, PathBuf};

use common::{infer, lacks, says, stderr, succeeds};
use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage};
use serde_json::Value;

/// The first test images of the sample, and their classes.
fn images(count: usize) -> Vec<(GrayImage, String)> {
    let data = data::Source::Sample
        .load(&data::LoadOptions::default())
        .unwrap();
    (0..count)
        .map(|index| {
            let image = data.test.image(index).unwrap().to_luma8();
            (image, data.class_names[data.test.label(index)].clone())
        })
        .collect()
}

fn save(
    folder: &Path,
    images: impl IntoIterator<Item = DynamicImage>,
    ending: &str,
) -> Vec<PathBuf> {
    let path = |number| folder.join(format!("{number}.{ending}"));
    images
        .into_iter()
        .enumerate()
        .map(|(number, image)| {
            image.save(path(number)).unwrap();
            path(number)
        })
        .collect()
}

fn predictions(paths: &[PathBuf], arguments: &[&str]) -> (Vec<Value>, String) {
    let runs = tempfile::tempdir().unwrap();
    let mut command = infer(runs.path());
    let output = succeeds(command.arg("--json").args(arguments).args(paths));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = stderr(&output);
    (document["predictions"].as_array().unwrap().clone(), text)
}

fn right(predictions: &[Value], images: &[(GrayImage, String)]) -> usize {
    let pairs = predictions.iter().zip(images);
    pairs
        .filter(|(prediction, (_, class))| prediction["classes"][0]["name"] == **class)
        .count()
}

fn conversions(prediction: &Value) -> Vec<&str> {
    let conversions = prediction["conversions"].as_array().unwrap();
    conversions
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect()
}

#[test]
fn test_images_are_not_converted() {
    let images = images(200);
    let folder = tempfile::tempdir().unwrap();
    let paths = save(
        folder.path(),
        images.iter().map(|(image, _)| image.clone().into()),
        "png",
    );
    let (found, text) = predictions(&paths, &[]);
    let mut found_conversions = found.iter().map(conversions);
    assert!(found_conversions.all(|names| names.is_empty()));
    lacks(&text, &["converted", "warning"]);
    assert_eq!(found, predictions(&paths, &["--as-is"]).0);
    assert!(right(&found, &images) >= 186, "{}", right(&found, &images));
}

#[test]
fn photos_are_classified_like_test_images() {
    let images = images(100);
    let dark_on_light = |image: &GrayImage| {
        let mut image = image.clone();
        image::imageops::invert(&mut image);
        image
    };
    let on_paper = |(number, (image, _)): (usize, &(GrayImage, String))| {
        let side = 84;
        let image = dark_on_light(image);
        let large = image::imageops::resize(&image, side, side, image::imageops::CatmullRom);
        let mut paper = GrayImage::from_pixel(200, 160, Luma([255]));
        let place = [(number * 37 % 116) as i64, (number * 53 % 76) as i64];
        image::imageops::overlay(&mut paper, &large, place[0], place[1]);
        DynamicImage::from(paper)
    };
    let folder = tempfile::tempdir().unwrap();
    let inverted = images.iter().map(|(image, _)| dark_on_light(image).into());
    let inverted = save(folder.path(), inverted, "png");
    let (found, text) = predictions(&inverted, &[]);
    assert!(right(&found, &images) >= 90, "{}", right(&found, &images));
    let are_inverted = found
        .iter()
        .filter(|prediction| conversions(prediction) == ["inverted"]);
    assert!(are_inverted.count() >= 98);
    says(&text, &["light and dark inverted (--as-is turns this off)"]);
    let (as_is, text) = predictions(&inverted, &["--as-is"]);
    assert!(right(&as_is, &images) < 50, "{}", right(&as_is, &images));
    let mut found_conversions = as_is.iter().map(conversions);
    assert!(found_conversions.all(|names| names.is_empty()));
    assert!(!text.contains("converted"), "{text}");

    let papers = images.iter().enumerate().map(on_paper);
    let papers = save(folder.path(), papers, "png");
    let (found, _) = predictions(&papers, &[]);
    assert!(right(&found, &images) >= 88, "{}", right(&found, &images));
    assert!(
        found
            .iter()
            .all(|prediction| conversions(prediction).contains(&"centered"))
    );
}

#[test]
fn color_photo_gives_warning() {
    let folder = tempfile::tempdir().unwrap();
    let wave =
        |x: u32, y: u32| (128.0 + 100.0 * ((x as f32 / 9.0).sin() * (y as f32 / 13.0).cos())) as u8;
    let photo = RgbImage::from_fn(160, 120, |x, y| Rgb([wave(x, y), wave(y, x), 40]));
    let paths = save(folder.path(), [photo.into()], "png");
    let (found, text) = predictions(&paths, &[]);
    assert_eq!(
        found[0]["warnings"],
        serde_json::json!(["colors", "no-plain-background"])
    );
    let words = [
        "warning: ",
        "0.png does not look like the images the model was trained on",
        "colors",
    ];
    says(&text, &words);
}

#[test]
fn shipped_model_is_uncertain_on_noise() {
    let folder = tempfile::tempdir().unwrap();
    let noise = (0..50_u32).map(|number| {
        let pixel = |x: u32, y: u32| (number * 784 + y * 28 + x).wrapping_mul(2_654_435_761) >> 24;
        GrayImage::from_fn(28, 28, |x, y| Luma([pixel(x, y) as u8])).into()
    });
    let paths = save(folder.path(), noise, "png");
    let (found, _) = predictions(&paths, &[]);
    let sum: f64 = found
        .iter()
        .map(|prediction| prediction["classes"][0]["probability"].as_f64().unwrap())
        .sum();
    let mean = sum / found.len() as f64;
    assert!(mean < 0.5, "mean probability {mean}");
}
