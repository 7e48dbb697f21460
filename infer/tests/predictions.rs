//! The real program on real images with the shipped model.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use burn_flex::Flex;
use common::{fails, image_png, infer, run_folder, stderr, stdout, succeeds};
use infer::Predictor;
use saved_models::SavedModel;

fn sample_images() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/sample/images");
    let names = "t-shirt trouser pullover dress coat sandal shirt sneaker bag ankle-boot";
    let names = names.split(' ');
    names
        .map(|name| folder.join(format!("{name}.png")))
        .collect()
}

#[test]
fn shipped_model_prints_five_classes() {
    let runs = tempfile::tempdir().unwrap();
    let output = succeeds(infer(runs.path()).arg(image_png()));
    let text = stdout(&output);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 6, "{text}");
    assert!(lines[1].ends_with("%  Ankle boot"), "{text}");
    let percentages: Vec<f64> = lines[1..]
        .iter()
        .map(|line| line.split_once('%').unwrap().0.trim().parse().unwrap())
        .collect();
    assert!(
        percentages.windows(2).all(|pair| pair[0] >= pair[1]),
        "{text}"
    );
    assert!(stderr(&output).contains("shipped"), "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn image_names_are_escaped_for_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("a\u{1b}[31mred.png");
    std::fs::copy(image_png(), &image).unwrap();
    let output = infer(folder.path()).arg(&image).output().unwrap();
    let text = stdout(&output);
    assert!(text.contains("a\\u{1b}[31mred.png"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn json_lists_many_images() {
    let runs = tempfile::tempdir().unwrap();
    let mut command = infer(runs.path());
    command.args(["--json", "--top-k", "10"]);
    let output = succeeds(command.args(sample_images()));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let names = document["model"]["class_names"].as_array().unwrap();
    let predictions = document["predictions"].as_array().unwrap();
    assert_eq!(predictions.len(), 10);
    let mut right = 0;
    for (prediction, name) in predictions.iter().zip(names) {
        let classes = prediction["classes"].as_array().unwrap();
        assert_eq!(classes.len(), 10);
        let sum: f64 = classes
            .iter()
            .map(|class| class["probability"].as_f64().unwrap())
            .sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        right += usize::from(classes[0]["name"] == *name);
    }
    assert!(
        right >= 8,
        "only {right} of the ten shipped images are classified rightly"
    );
}

#[test]
fn shipped_model_classifies_sample_test_images() {
    let data = data::Source::Sample
        .load(&data::LoadOptions::default())
        .unwrap();
    let predictor =
        Predictor::<Flex>::new(&SavedModel::shipped().unwrap(), Default::default()).unwrap();
    let images: Vec<_> = (0..data.test.len())
        .map(|index| data.test.image(index).unwrap())
        .collect();
    let predictions: Vec<_> = images
        .chunks(100)
        .flat_map(|chunk| predictor.predict(chunk).unwrap())
        .collect();
    let right = predictions
        .iter()
        .enumerate()
        .filter(|(index, prediction)| {
            prediction.classes[0].name == data.class_names[data.test.label(*index)]
        })
        .count();
    assert!(right >= 930, "{right} of {}", data.test.len());
}

#[test]
fn sample_and_shipped_model_stay_small() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let size = |folder: &str| -> u64 {
        fs::read_dir(root.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum()
    };
    assert!(size("data/sample") + size("crates/saved-models/shipped") < 5_000_000);
}

#[test]
fn non_images_are_rejected() {
    let root = tempfile::tempdir().unwrap();
    let expect = |path: &Path, words: &[&str]| fails(infer(root.path()).arg(path), 1, words);
    let file = |name: &str, bytes: &[u8]| {
        let path = root.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };

    expect(&root.path().join("missing.png"), &["missing.png"]);
    expect(root.path(), &["folder"]);
    expect(&file("text.png", b"this is no image"), &["text.png"]);
    expect(&file("empty.png", b""), &["empty.png"]);
    let whole = fs::read(image_png()).unwrap();
    expect(&file("cut.png", &whole[..whole.len() / 2]), &["cut.png"]);
    expect(
        &file("bomb.png", &png_header(100_000, 100_000)),
        &["bomb.png", "100000"],
    );
}

/// The start of a PNG file that declares this size.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let header = [size, vec![8, 0, 0, 0, 0]].concat();
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, content) in [(b"IHDR", header), (b"IDAT", vec![])] {
        let mut crc = flate2::Crc::new();
        crc.update(name);
        crc.update(&content);
        bytes.extend((content.len() as u32).to_be_bytes());
        bytes.extend(name);
        bytes.extend(content);
        bytes.extend(crc.sum().to_be_bytes());
    }
    bytes
}

#[test]
fn bad_image_does_not_stop_others() {
    let runs = tempfile::tempdir().unwrap();
    let output = infer(runs.path())
        .arg(image_png())
        .arg("missing.png")
        .arg(image_png())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output).matches("Ankle boot").count(), 2);
    assert!(stderr(&output).contains("missing.png"));
}

#[test]
fn damaged_models_are_rejected() {
    let runs = tempfile::tempdir().unwrap();
    let folder = run_folder(runs.path(), "mine");
    let named = |run: &str| {
        let mut command = infer(runs.path());
        command.args(["--run", run]).arg(image_png());
        command
    };
    let expect = |words: &[&str]| fails(&mut named("mine"), 1, words);
    let weights = folder.join("model.safetensors");
    let description = folder.join("model.json");
    let whole = fs::read(&weights).unwrap();
    let text = fs::read_to_string(&description).unwrap();

    fs::write(&weights, &whole[..whole.len() - 4]).unwrap();
    expect(&["model.safetensors", "does not match its checksum"]);
    fs::write(&weights, b"").unwrap();
    expect(&["model.safetensors", "does not match its checksum"]);

    let other = model::NetworkConfig::named("resnet14")
        .unwrap()
        .with_input_channels(1);
    let save = |network: &model::NetworkConfig| {
        let network = network.init::<Flex>(&Default::default()).unwrap();
        let shipped = SavedModel::shipped().unwrap().description;
        SavedModel::save(&folder, &network, &shipped).unwrap();
    };
    save(&other);
    expect(&["does not fit", "resnet14 32-64-128 wide"]);
    save(
        &SavedModel::shipped()
            .unwrap()
            .description
            .network
            .with_classes(7),
    );
    expect(&["does not fit", "head.linear"]);

    fs::write(&description, &text[..text.len() / 2]).unwrap();
    expect(&["model.json"]);
    fs::write(&description, text.replace("\"version\"", "\"verion\"")).unwrap();
    expect(&["model.json", "does not match its checksum"]);
    fs::remove_file(&weights).unwrap();
    expect(&["model.safetensors", "missing"]);
}

#[test]
fn wrong_usage_exits_with_code_2() {
    let runs = tempfile::tempdir().unwrap();
    let expect = |arguments: &[&str]| {
        fails(infer(runs.path()).args(arguments), 2, &[]);
    };
    expect(&[]);
    expect(&["--top-k", "0", "image.png"]);
    expect(&["--device", "toaster", "image.png"]);
    expect(&["--device", "flex:3", "image.png"]);
    expect(&["--frobnicate", "image.png"]);
}

#[test]
fn devices_are_listed_without_image() {
    let runs = tempfile::tempdir().unwrap();
    let output = infer(runs.path()).arg("--list-devices").output().unwrap();
    assert!(output.status.success());
    assert!(stdout(&output).contains("flex"), "{}", stdout(&output));
}
