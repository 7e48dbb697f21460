//! Weights of other programs: small networks in every layout, against these programs' own answers.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use burn::tensor::{Tensor, TensorData};
use burn_flex::Flex;
use common::tensors::{floats, integers, record, reference, tensors, write};
use common::{fails, image_png, infer, says, stderr, stdout};
use model::NetworkChanges;
use saved_models::foreign::{Difference, ForeignError, Import, ImportOptions, export, import};
use saved_models::{SavedModel, WEIGHTS_FILE};
use weights::{Entry, Precision, StateDict, WeightsFile, write_safetensors};

/// Relative to the largest logit.
const TOLERANCE: f32 = 1e-4;
const ANSWER: &str = ".answer.safetensors";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references")
}

/// Files of weights, each with the file of its answer.
fn references() -> Vec<(PathBuf, PathBuf)> {
    references_in(&folder())
}

fn references_in(folder: &Path) -> Vec<(PathBuf, PathBuf)> {
    let mut references: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|answer| {
            let text = answer.to_str().unwrap().to_owned();
            let stem = text.strip_suffix(ANSWER)?;
            let weights = ["pth", "safetensors"].map(|end| PathBuf::from(format!("{stem}.{end}")));
            Some((
                weights.into_iter().find(|path| path.is_file()).unwrap(),
                answer,
            ))
        })
        .collect();
    references.sort();
    references
}

fn imported(path: &Path) -> SavedModel {
    import(path, &ImportOptions::default()).unwrap().saved
}

fn named(path: &Path, model: &str) -> Result<Import, ForeignError> {
    let model = Some(model.parse().unwrap());
    import(path, &ImportOptions::default().with_model(model))
}

fn tensor_of<const D: usize>(state_dict: &StateDict, name: &str) -> Tensor<Flex, D> {
    let tensor = state_dict.tensor(name).unwrap();
    let data = TensorData::new(tensor.values().to_vec(), tensor.shape().to_vec());
    Tensor::from_data(data, &Default::default())
}

#[test]
fn logits_match_original_programs() {
    let references = references();
    assert_eq!(references.len(), 19);
    for (path, answer) in references {
        check_logits(&path, &answer);
    }
}

/// Made by `references/make.py --full FOLDER`, which says how to run it.
#[test]
#[ignore = "needs a gigabyte of files, made by references/make.py"]
#[expect(clippy::print_stdout, reason = "figures for whoever runs it by hand")]
fn full_size_networks_match_logits() {
    let folder = std::env::var_os("FULL_SIZE_REFERENCES").expect("the folder of the files");
    let references = references_in(Path::new(&folder));
    assert!(!references.is_empty());
    for (path, answer) in references {
        let error = check_logits(&path, &answer);
        println!("{}: {error:.1e} of the largest logit", path.display());
    }
}

/// Asserts that a file's network gives the logits of an answer, whole and folded; the largest
/// difference relative to the largest logit.
fn check_logits(path: &Path, answer: &Path) -> f32 {
    let name = path.file_name().unwrap().display();
    let answer = WeightsFile::read(answer).unwrap();
    let changes = answer.metadata.get("changes");
    let changes = changes.map_or_else(NetworkChanges::default, |changes| {
        serde_json::from_str(changes).unwrap()
    });
    let options = ImportOptions::default().with_changes(changes);
    let saved = import(path, &options).unwrap().saved;
    assert_eq!(saved.description.model, answer.metadata["model"], "{name}");

    let network = saved.network::<Flex>(&Default::default()).unwrap();
    let images = tensor_of::<4>(&answer.state_dict, "input");
    let expected = answer.state_dict.tensor("logits").unwrap();
    let largest = expected
        .values()
        .iter()
        .fold(0.0f32, |max, value| max.max(value.abs()));
    let mut worst = 0.0f32;
    for logits in [
        network.forward(images.clone()),
        network.fold().forward(images),
    ] {
        assert_eq!(logits.dims(), *expected.shape(), "{name}");
        for (found, expected) in logits.into_data().iter::<f32>().zip(expected.values()) {
            // Not `>`, which would let what is not a number pass.
            let error = (found - expected).abs() / largest;
            assert!(error <= TOLERANCE, "{name}: {found} instead of {expected}");
            worst = worst.max(error);
        }
    }
    worst
}

#[test]
fn export_and_import_round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("there.safetensors");
    let shipped = SavedModel::shipped().unwrap();
    let shipped = shipped.with_precision(Precision::Single).unwrap();
    let models = references().into_iter().map(|(path, _)| imported(&path));
    for saved in models.chain([shipped]) {
        export(&saved, &path, Precision::Single).unwrap();
        let back = imported(&path);
        assert_eq!(back.description, saved.description);
        assert!(
            record(&back) == record(&saved),
            "{}",
            saved.description.model
        );
        // Without what the file says about itself, too; only class names and the like are others.
        let bare = WeightsFile::read(&path).unwrap().state_dict;
        write_safetensors(&path, &bare, &Default::default(), Precision::Single).unwrap();
        let model = imported(&path);
        assert_eq!(model.description.network, saved.description.network);
        assert!(
            record(&model) == record(&saved),
            "{}",
            saved.description.model
        );
    }
}

#[test]
fn export_restores_torchvision_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("there.safetensors");
    for name in [
        "torchvision-basic.pth",
        "torchvision-bottleneck.safetensors",
    ] {
        let original = WeightsFile::read(reference(name)).unwrap().state_dict;
        export(&imported(&reference(name)), &path, Precision::Single).unwrap();
        let written = WeightsFile::read(&path).unwrap().state_dict;
        assert_eq!(written.len(), original.len());
        for (name, entry) in written.iter() {
            let there = original.get(name).unwrap_or_else(|| panic!("{name}"));
            match entry {
                Entry::Float(_) => assert_eq!(entry, there, "{name}"),
                Entry::Integer(count) => {
                    assert!(name.ends_with(".num_batches_tracked"), "{name}");
                    assert_eq!(count.values(), [0], "it starts anew");
                    assert_eq!(entry.shape(), there.shape());
                }
            }
        }
    }
}

/// A network of this name for the images and classes of the shipped model.
fn untrained(name: &str) -> SavedModel {
    let folder = tempfile::tempdir().unwrap();
    let mut description = SavedModel::shipped().unwrap().description;
    description.model = name.to_owned();
    description.network = model::NetworkConfig::named(name)
        .unwrap()
        .with_input_channels(1);
    let network = description
        .network
        .init::<Flex>(&Default::default())
        .unwrap();
    SavedModel::save(folder.path(), &network, &description).unwrap();
    SavedModel::open(folder.path()).unwrap()
}

#[test]
fn model_name_resolves_ambiguous_shapes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    export(&untrained("resnet8"), &path, Precision::Single).unwrap();
    for name in ["resnet8", "plain8"] {
        let saved = named(&path, name).unwrap().saved;
        assert_eq!(saved.description.model, name);
        let network = model::NetworkConfig::named(name)
            .unwrap()
            .with_input_channels(1);
        assert_eq!(saved.description.network, network);
    }
    let error = named(&path, "resnet14").unwrap_err();
    let ForeignError::Mismatch { differences, .. } = &error else {
        panic!("{error}");
    };
    // The convolutions of three more blocks with their norms.
    assert_eq!(differences.0.len(), 3 * 2 * 5);
    let text = error.to_string();
    says(
        &text,
        &["`layer1.1.conv1.weight` [16, 16, 3, 3] is missing"],
    );
    assert!(text.contains("and 27 more"), "{text}");
}

#[test]
fn every_missing_tensor_is_detected() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let file = WeightsFile::read(reference("torchvision-basic.pth")).unwrap();
    let whole = file.state_dict;
    // Imports the whole file but for one tensor, which is replaced.
    let with = |name: &str, entry: Option<Entry>| {
        let mut state_dict = whole.clone();
        let _ = state_dict.remove(name);
        if let Some(entry) = entry {
            state_dict.insert(name, entry).unwrap();
        }
        write_safetensors(&path, &state_dict, &Default::default(), Precision::Single).unwrap();
        import(&path, &ImportOptions::default())
    };
    let difference = |name: &str, entry| match with(name, entry) {
        Err(ForeignError::Mismatch {
            mut differences, ..
        }) if differences.0.len() == 1 => differences.0.remove(0),
        other => panic!("{name}: {other:?}"),
    };
    for name in ["bn1.running_var", "layer2.1.conv2.weight", "fc.bias"] {
        let missing = difference(name, None);
        assert!(
            matches!(&missing, Difference::Missing { name: found, .. } if found == name),
            "{missing:?}"
        );
        let counts = integers(whole.get(name).unwrap().shape());
        if name.ends_with("weight") {
            let error = with(name, Some(counts)).unwrap_err();
            assert!(matches!(error, ForeignError::Quantized { tensor, .. } if tensor == name));
        } else {
            let found = difference(name, Some(counts));
            assert!(
                matches!(&found, Difference::Integers { name: found } if found == name),
                "{found:?}"
            );
        }
    }
    for (name, shape) in [
        ("layer1.7.conv1.weight", &[1][..]),
        ("layer1.0.bn3.num_batches_tracked", &[]),
        ("extra.weight", &[2, 2]),
        ("extra.running_mean", &[2]),
        ("fc.factor", &[1]),
        ("factor", &[]),
        ("act.weight", &[4]),
    ] {
        let extra = difference(name, Some(floats(shape, 0.0)));
        assert!(
            matches!(&extra, Difference::Extra { name: found, .. } if found == name),
            "{extra:?}"
        );
    }
    assert!(matches!(
        difference("layer3.0.bn1.bias", Some(floats(&[5], 0.0))),
        Difference::Shape { found, expected, .. } if found == [5] && expected == [6]
    ));
    // Counters may be missing: old files have none.
    with("bn1.num_batches_tracked", None).unwrap();
}

#[test]
fn networks_without_pytorch_names_are_not_exported() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["preresnet20", "digit"] {
        let saved = untrained(name);
        saved.write(folder.path()).unwrap();
        let description = saved.description.clone();
        let path = folder.path().join("there.safetensors");
        let error = export(&saved, &path, Precision::Single).unwrap_err();
        assert!(matches!(error, ForeignError::Unnamed { .. }), "{error}");
        assert!(!path.exists());
        // The record alone is recognized even so.
        let record = folder.path().join("record.safetensors");
        fs::copy(folder.path().join(WEIGHTS_FILE), &record).unwrap();
        assert_eq!(imported(&record).description.network, description.network);
        let notes = |path| import(path, &ImportOptions::default()).unwrap().notes;
        assert_eq!(notes(folder.path()), [""; 0]);
        let assumed = notes(&record);
        assert!(
            assumed[0].starts_with("assumed: images are normalized"),
            "{assumed:?}"
        );
    }
}

#[test]
fn program_predicts_with_weights_file() {
    let run = |arguments: &[&str]| {
        let mut command = infer(&folder());
        command
            .arg("--weights")
            .arg(reference("torchvision-groups.pth"));
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        output
    };
    let image = image_png();
    let image = image.to_str().unwrap();
    let output = run(&[image]);
    assert_eq!(stdout(&output).lines().count(), 6);
    assert!(stdout(&output).contains("class 4"), "{}", stdout(&output));
    let said = stderr(&output);
    says(
        &said,
        &[
            "2x48d",
            "torchvision-groups.pth, in PyTorch's names",
            "assumed: images are normalized with mean 0.485 0.456 0.406 and standard deviation 0.229 0.224 \
         0.225, those of ImageNet (--mean, --std)",
            "assumed: the shorter side of images is resized to 256 pixels, and their center 224x224 is cropped \
             (--resize, --image-size)",
            "assumed: the first convolution has stride 2 (--stem-stride)",
            "assumed: a 3x3 max pool with stride 2 follows the first convolution (--pool none)",
            "assumed: bottlenecks have their stride on the second convolution (--bottleneck-stride first)",
            "assumed: the stride of projections is on their convolution (--shortcut \
         average-pool-projection)",
            "assumed: norms have epsilon 1e-5 (--norm-epsilon)",
            "assumed: exactly one class is right, so probabilities add up to 1 (--activation)",
        ],
    );
    let output = run(&["--resize", "232", "--json", image]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["model"]["preprocessing"]["resize"], 232);
    let notes = document["source"]["notes"].as_array().unwrap();
    assert!(
        notes
            .iter()
            .any(|note| note == "assumed: norms have epsilon 1e-5 (--norm-epsilon)")
    );
    let output = run(&["--bench", "--repeats", "2"]);
    assert!(stdout(&output).contains("2x48d"), "{}", stdout(&output));
    assert!(!stderr(&output).contains("assumed"), "{}", stderr(&output));
}

#[test]
fn unusable_files_give_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.pth");
    let good = reference("torchvision-basic.pth");
    let bytes = fs::read(&good).unwrap();
    for length in [0, 1, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&file, &bytes[..length]).unwrap();
        fails(&mut predict(&file), 1, &["file.pth", "hint:"]);
    }
    fs::write(&file, "<html>404</html>").unwrap();
    let none = folder.path().join("none.pth");
    // The answer is a whole file, but no network.
    let answer = reference("torchvision-basic.answer.safetensors");
    for (path, words) in [
        (file.as_path(), &["a web page", "hint:"][..]),
        (&none, &["none.pth"]),
        (
            folder.path(),
            &[
                "holds no weights of a usual name, but file.pth",
                "hint: name the file",
            ],
        ),
        (
            &answer,
            &["does not hold a known network: no first stage", "hint:"],
        ),
    ] {
        fails(&mut predict(path), 1, words);
    }
    for (arguments, code, words) in [
        (
            ["--model", "resnet18"],
            1,
            &["does not fit resnet18 with 5 classes", "more", "--model"][..],
        ),
        (
            ["--model", "preresnet18"],
            1,
            &["cannot be written in PyTorch's names"],
        ),
        (["--model", "resnt18"], 2, &["resnet18"]),
        (["--run", "mine"], 2, &["cannot be used with"]),
        (
            ["--resize", "100"],
            2,
            &["must be at least 224", "--resize"],
        ),
    ] {
        fails(&mut predict_as(&good, &arguments), code, words);
    }
    let mut without_weights = infer(folder.path());
    without_weights
        .args(["--model", "resnet18"])
        .arg(image_png());
    fails(&mut without_weights, 2, &["--weights"]);
}

/// The tensors of a reference with other shapes or values of floats.
fn changed(
    reference: &str,
    change: impl Fn(&str, &mut Vec<usize>, &mut Vec<f32>),
) -> Vec<(String, Entry)> {
    let mut tensors = tensors(reference);
    for (name, entry) in &mut tensors {
        if let Entry::Float(tensor) = entry {
            let (mut shape, mut values) = tensor.clone().into_parts();
            change(name, &mut shape, &mut values);
            *tensor = weights::Tensor::new(shape, values).unwrap();
        }
    }
    tensors
}

fn prefixed(prefix: &str, tensors: &[(String, Entry)]) -> Vec<(String, Entry)> {
    let tensors = tensors.iter().cloned();
    tensors
        .map(|(name, entry)| (format!("{prefix}{name}"), entry))
        .collect()
}

/// The program with the weights of a file and an image.
fn predict(weights: &Path) -> Command {
    predict_as(weights, &[])
}

fn predict_as(weights: &Path, arguments: &[&str]) -> Command {
    let mut command = infer(weights.parent().unwrap());
    command.arg("--weights").arg(weights);
    command.args(arguments).arg(image_png());
    command
}

/// Names and probabilities of all classes by the program.
fn probabilities(weights: &Path, arguments: &[&str]) -> (Vec<(String, f64)>, String) {
    let mut command = predict_as(weights, arguments);
    let output = command
        .args(["--json", "--top-k", "1000"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let classes = document["predictions"][0]["classes"].as_array().unwrap();
    let classes = classes.iter().map(|class| {
        let name = class["name"].as_str().unwrap().to_owned();
        (name, class["probability"].as_f64().unwrap())
    });
    (classes.collect(), stderr(&output))
}

#[test]
fn network_is_found_under_any_prefix() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let bare = tensors("torchvision-basic.pth");
    let expected = record(&imported(&reference("torchvision-basic.pth")));
    for prefix in [
        "net.",
        "encoder.",
        "state_dict.model._orig_mod.module.",
        "a.b.c.",
    ] {
        let mut file = prefixed(prefix, &bare);
        file.extend([
            ("criterion.weight".to_owned(), floats(&[5], 1.0)),
            (format!("{prefix}val_acc.total"), floats(&[], 1.0)),
            ("optimizer.0.exp_avg".to_owned(), floats(&[4, 3, 7, 7], 1.0)),
            ("queue".to_owned(), floats(&[8, 16], 1.0)),
        ]);
        write(&path, file);
        let import = import(&path, &ImportOptions::default()).unwrap();
        assert!(record(&import.saved) == expected, "{prefix}");
        let left_out = import.notes.last().unwrap();
        let words = [
            "left out",
            "criterion (1 tensor)",
            "val_acc",
            "optimizer",
            "queue",
        ];
        says(left_out, &words);
    }
    // Averages are left aside, in whatever order they come.
    let doubled = changed("torchvision-basic.pth", |_, _, values| {
        values.iter_mut().for_each(|value| *value *= 2.0);
    });
    for [plain, average] in [
        ["", "ema."],
        ["model.", "model_ema."],
        ["net.", "averaged.net."],
    ] {
        for average_first in [false, true] {
            let mut parts = [prefixed(plain, &bare), prefixed(average, &doubled)];
            if average_first {
                parts.reverse();
            }
            write(&path, parts.concat());
            assert!(record(&imported(&path)) == expected, "{plain} {average}");
        }
    }
}

#[test]
fn several_networks_require_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let student = tensors("torchvision-basic.pth");
    let teacher = tensors("torchvision-bottleneck.safetensors");
    write(
        &path,
        [
            prefixed("student.", &student),
            prefixed("teacher.", &teacher),
        ]
        .concat(),
    );
    let words = [
        "several networks: student, teacher",
        "hint:",
        "--key student",
    ];
    fails(&mut predict(&path), 1, &words);
    let with_key = |key| predict_as(&path, &["--key", key]);
    fails(&mut with_key("pupil"), 1, &["pupil", "student"]);
    for (key, name) in [
        ("student", "torchvision-basic.pth"),
        ("teacher", "torchvision-bottleneck.safetensors"),
    ] {
        let options = ImportOptions::default().with_key(Some(key.to_owned()));
        let import = import(&path, &options).unwrap();
        assert!(record(&import.saved) == record(&imported(&reference(name))));
        let output = with_key(key).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
}

#[test]
fn non_finite_weights_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    for bad in [f32::NAN, f32::INFINITY] {
        let changed = changed("torchvision-basic.pth", |name, _, values| {
            if name == "layer2.0.bn1.running_var" {
                values[1] = bad;
            }
        });
        write(&path, changed);
        let words = ["not finite, in `layer2.0.bn1.running_var`", "hint:"];
        fails(&mut predict(&path), 1, &words);
    }
}

#[test]
fn single_output_gives_two_probabilities() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    // The first output of five.
    let cut = changed("torchvision-basic.pth", |name, shape, values| {
        if name.starts_with("fc.") {
            values.truncate(values.len() / shape[0]);
            shape[0] = 1;
        }
    });
    write(&path, cut);
    let whole = imported(&reference("torchvision-basic.pth"));
    let image = data::open_image(image_png()).unwrap();
    let images = data::ImageBatcher::new(whole.description.preprocessing.clone());
    let prepared = images.preprocessing().prepare_bytes(&image).unwrap();
    let batch = images.images::<Flex, _>(&[prepared], &Default::default());
    let network = whole.network::<Flex>(&Default::default()).unwrap();
    let logits = network.forward(batch).into_data();
    let logit = f64::from(logits.iter::<f32>().next().unwrap());
    let positive = 1.0 / (1.0 + (-logit).exp());

    let (classes, said) = probabilities(&path, &[]);
    assert_eq!(classes.len(), 2);
    for (name, probability) in classes {
        let expected = match name.as_str() {
            "class 1" => positive,
            "class 0" => 1.0 - positive,
            name => panic!("{name}"),
        };
        assert!(
            (probability - expected).abs() < 1e-5,
            "{name}: {probability}"
        );
    }
    says(&said, &["assumed: the only output is, after a sigmoid"]);
    let words = ["one output", "hint:", "--activation"];
    fails(
        &mut predict_as(&path, &["--activation", "softmax"]),
        2,
        &words,
    );
}

#[test]
fn multi_label_probabilities_are_independent() {
    let weights = reference("torchvision-basic.pth");
    let (exclusive, said) = probabilities(&weights, &[]);
    assert!(said.contains("(--activation)"), "{said}");
    let sum: f64 = exclusive.iter().map(|(_, probability)| probability).sum();
    assert!((sum - 1.0).abs() < 1e-9);
    let (single, said) = probabilities(&weights, &["--activation", "sigmoid"]);
    assert!(!said.contains("(--activation)"), "{said}");
    // The odds of a class against another are the same: p / (1 - p) is exp of its logit.
    let probability = |classes: &[(String, f64)], name: &str| {
        let class = classes.iter().find(|(known, _)| known == name);
        class.unwrap().1
    };
    let logit = |name: &str| {
        let probability = probability(&single, name);
        (probability / (1.0 - probability)).ln()
    };
    let difference = logit("class 1") - logit("class 2");
    let expected = (probability(&exclusive, "class 1") / probability(&exclusive, "class 2")).ln();
    assert!(
        (difference - expected).abs() < 1e-4,
        "{difference}, {expected}"
    );
}

#[test]
fn unusable_heads_report_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let whole = tensors("torchvision-basic.pth");
    let backbone: Vec<_> = whole
        .iter()
        .filter(|(name, _)| !name.starts_with("fc."))
        .cloned()
        .collect();
    let expect = |tensors: &[(String, Entry)], words: &[&str]| {
        write(&path, tensors.to_vec());
        fails(&mut predict(&path), 1, words);
    };
    let words = [
        "a backbone without a head",
        "8 inputs",
        "hint:",
        "train --weights",
    ];
    expect(&backbone, &words);
    let two = [("fc.0.weight", [8, 8]), ("fc.2.weight", [5, 8])];
    let two = two.map(|(name, shape)| (name.to_owned(), floats(&shape, 0.0)));
    expect(
        &[&backbone[..], &two].concat(),
        &["`fc` cannot be one", "2 linear layers"],
    );
    write(&path, backbone);
    let options = ImportOptions::default().with_accepts_backbone(true);
    let import = import(&path, &options).unwrap();
    assert!(import.is_backbone);
    assert_eq!(import.saved.description.network.classes(), 1);
}

#[test]
fn hub_folder_is_used_completely() {
    let folder = tempfile::tempdir().unwrap();
    let labels: Vec<String> = (0..5)
        .map(|class| format!("\"{class}\": \"kind {class}\""))
        .collect();
    let config = format!(
        "{{\"model_type\": \"resnet\", \"hidden_act\": \"relu\", \"id2label\": {{{}}}}}",
        labels.join(", ")
    );
    fs::write(folder.path().join("config.json"), config).unwrap();
    fs::write(
        folder.path().join("preprocessor_config.json"),
        r#"{"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 64},
            "image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.4], "resample": 2}"#,
    )
    .unwrap();
    let single = folder.path().join("model.safetensors");
    fs::copy(reference("hugging-face-basic.safetensors"), &single).unwrap();
    let whole = import(folder.path(), &ImportOptions::default()).unwrap();
    let description = &whole.saved.description;
    assert_eq!(description.class_names[4], "kind 4");
    let preprocessing = &description.preprocessing;
    assert_eq!(
        (preprocessing.shape(), preprocessing.resize()),
        ([3, 64, 64], 73)
    );
    assert_eq!(preprocessing.mean(), [0.5, 0.4, 0.3]);
    assert!(
        !whole.notes.iter().any(|note| note.contains("normalized")),
        "{:?}",
        whole.notes
    );
    // The file in the folder is the same.
    let file = import(&single, &ImportOptions::default()).unwrap();
    assert_eq!(file.saved.description, *description);

    // The same in shards, the names of which an index has.
    let tensors = tensors("hugging-face-basic.safetensors");
    fs::remove_file(&single).unwrap();
    let mut map = Vec::new();
    for (number, part) in tensors.chunks(tensors.len().div_ceil(3)).enumerate() {
        let name = format!("model-0000{}-of-00003.safetensors", number + 1);
        write(&folder.path().join(&name), part.to_vec());
        map.extend(
            part.iter()
                .map(|(tensor, _)| format!("\"{tensor}\": \"{name}\"")),
        );
    }
    let index = folder.path().join("model.safetensors.index.json");
    fs::write(
        &index,
        format!("{{\"weight_map\": {{{}}}}}", map.join(", ")),
    )
    .unwrap();
    for path in [folder.path(), &index] {
        let shards = import(path, &ImportOptions::default()).unwrap();
        assert!(record(&shards.saved) == record(&whole.saved));
        assert_eq!(shards.saved.description, *description);
    }
    let shard = folder.path().join("model-00002-of-00003.safetensors");
    let words = ["one of 3 shards", "hint:", "folder"];
    fails(&mut predict(&shard), 1, &words);
}

#[test]
fn other_file_formats_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.bin");
    let expect = |words: &[&str]| fails(&mut predict(&path), 1, words);
    fs::write(&path, b"\x08\x07\x12\x07pytorch\x1a\x052.1.0").unwrap();
    expect(&["an ONNX file", "hint:"]);
    fs::write(&path, b"GGUF\x03\0\0\0").unwrap();
    expect(&["a GGUF file", "hint:"]);
    fs::write(&path, b"{\"metadata\": {}, \"weight_map\": {}}").unwrap();
    expect(&["an index of shards", "hint:"]);
    let mut quantized = tensors("torchvision-basic.pth");
    for (name, entry) in &mut quantized {
        if name == "fc.weight" {
            *entry = integers(entry.shape());
        }
    }
    quantized.push(("fc.SCB".to_owned(), floats(&[5], 1.0)));
    write(&path, quantized);
    expect(&["a quantized network", "`fc.", "hint:"]);
}

#[cfg(unix)]
#[test]
fn endless_files_do_not_block() {
    let make_pipe = |path: &Path| {
        let made = Command::new("mkfifo").arg(path).status().unwrap();
        assert!(made.success());
    };
    let predict_with_run = |run: &Path| {
        let mut command = infer(run.parent().unwrap());
        command.arg("--run").arg(run).arg(image_png());
        command
    };

    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.pth");
    make_pipe(&pipe);
    fails(&mut predict(&pipe), 1, &["a pipe, not a regular file"]);
    fails(&mut predict(Path::new("/dev/zero")), 1, &["a device"]);
    for file in ["model.json", "model.safetensors"] {
        let run = folder.path().join(format!("run-{file}"));
        fs::create_dir(&run).unwrap();
        SavedModel::shipped().unwrap().write(&run).unwrap();
        fs::remove_file(run.join(file)).unwrap();
        make_pipe(&run.join(file));
        let words = ["a pipe, not a regular file"];
        fails(&mut predict_with_run(&run), 1, &words);
    }
    // A name as long as no network has.
    let run = folder.path().join("long");
    fs::create_dir(&run).unwrap();
    let shipped = SavedModel::shipped().unwrap();
    shipped.write(&run).unwrap();
    let mut description = serde_json::to_value(&shipped.description).unwrap();
    description["model"] = "x".repeat(10_000_000).into();
    fs::write(run.join("model.json"), description.to_string()).unwrap();
    fails(&mut predict_with_run(&run), 1, &["name has 10000000 bytes"]);
}
