//! Weights of other programs: small networks in every layout, against these programs' own answers.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Tensor, TensorData};
use burn_flex::Flex;
use common::{fails, infer, stderr, stdout};
use infer::foreign::{Difference, ForeignError, Import, ImportOptions, export, import};
use infer::{SavedModel, WEIGHTS_FILE};
use weights::{Entry, Precision, StateDict, WeightsFile, write_safetensors};

/// Relative to the largest logit.
const TOLERANCE: f32 = 1e-4;
const ANSWER: &str = ".answer.safetensors";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references")
}

fn reference(name: &str) -> PathBuf {
    folder().join(name)
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
    import(
        path,
        &ImportOptions {
            model,
            resize: None,
        },
    )
}

fn tensor_of<const D: usize>(state_dict: &StateDict, name: &str) -> Tensor<Flex, D> {
    let tensor = state_dict.tensor(name).unwrap();
    let data = TensorData::new(tensor.values().to_vec(), tensor.shape().to_vec());
    Tensor::from_data(data, &Default::default())
}

/// A record's bytes.
fn record(saved: &SavedModel) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    saved.write(folder.path()).unwrap();
    fs::read(folder.path().join(WEIGHTS_FILE)).unwrap()
}

#[test]
fn logits_are_those_of_the_programs_that_wrote_the_files() {
    let references = references();
    assert_eq!(references.len(), 10);
    for (path, answer) in references {
        check_logits(&path, &answer);
    }
}

/// Made by `references/make.py --full FOLDER`, which says how to run it.
#[test]
#[ignore = "needs a gigabyte of files, made by references/make.py"]
#[expect(clippy::print_stdout, reason = "figures for whoever runs it by hand")]
fn full_size_networks_give_their_logits() {
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
    let saved = imported(path);
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
fn there_and_back_is_the_same() {
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
fn torchvision_gets_its_names_back() {
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

/// A network of this name for the pictures and classes of the shipped model.
fn untrained(name: &str) -> SavedModel {
    let folder = tempfile::tempdir().unwrap();
    let mut description = SavedModel::shipped().unwrap().description;
    description.model = name.to_owned();
    description.network = model::network(name).unwrap().with_input_channels(1);
    let network = description
        .network
        .init::<Flex>(&Default::default())
        .unwrap();
    SavedModel::save(folder.path(), &network, &description).unwrap();
    SavedModel::open(folder.path()).unwrap()
}

#[test]
fn a_name_says_what_shapes_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    export(&untrained("resnet8"), &path, Precision::Single).unwrap();
    for name in ["resnet8", "plain8"] {
        let saved = named(&path, name).unwrap().saved;
        assert_eq!(saved.description.model, name);
        let network = model::network(name).unwrap().with_input_channels(1);
        assert_eq!(saved.description.network, network);
    }
    let error = named(&path, "resnet14").unwrap_err();
    let ForeignError::Mismatch { differences, .. } = &error else {
        panic!("{error}");
    };
    // The convolutions of three more blocks with their norms.
    assert_eq!(differences.0.len(), 3 * 2 * 5);
    let text = error.to_string();
    assert!(
        text.contains("`layer1.1.conv1.weight` [16, 16, 3, 3] is missing"),
        "{text}"
    );
    assert!(text.contains("and 27 more"), "{text}");
}

#[test]
fn every_tensor_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let whole = WeightsFile::read(reference("torchvision-basic.pth"))
        .unwrap()
        .state_dict;
    let differences = |state_dict: &StateDict| {
        write_safetensors(&path, state_dict, &Default::default(), Precision::Single).unwrap();
        match import(&path, &ImportOptions::default()) {
            Err(ForeignError::Mismatch { differences, .. }) => differences.0,
            other => panic!("{other:?}"),
        }
    };
    for name in ["bn1.running_var", "layer2.1.conv2.weight", "fc.bias"] {
        let mut state_dict = whole.clone();
        state_dict.remove(name).unwrap();
        assert!(
            matches!(&differences(&state_dict)[..], [Difference::Missing { name: missing, .. }] if missing == name),
            "{name}"
        );

        let mut state_dict = whole.clone();
        let entry = state_dict.remove(name).unwrap();
        let values = vec![0; entry.shape().iter().product()];
        let integers = weights::Tensor::new(entry.shape().to_vec(), values).unwrap();
        state_dict.insert(name, Entry::Integer(integers)).unwrap();
        assert!(
            matches!(&differences(&state_dict)[..], [Difference::Integers { name: found }] if found == name),
            "{name}"
        );
    }
    for (name, shape) in [
        ("layer1.7.conv1.weight", vec![1]),
        ("layer1.0.bn3.num_batches_tracked", vec![]),
        ("optimizer", vec![2, 2]),
    ] {
        let mut state_dict = whole.clone();
        let values = vec![0.0; shape.iter().product()];
        let tensor = weights::Tensor::new(shape, values).unwrap();
        state_dict.insert(name, Entry::Float(tensor)).unwrap();
        assert!(
            matches!(&differences(&state_dict)[..], [Difference::Extra { name: extra, .. }] if extra == name),
            "{name}"
        );
    }
    let mut state_dict = whole.clone();
    state_dict.remove("layer3.0.bn1.bias").unwrap();
    let tensor = weights::Tensor::new(vec![5], vec![0.0; 5]).unwrap();
    state_dict
        .insert("layer3.0.bn1.bias", Entry::Float(tensor))
        .unwrap();
    assert!(matches!(
        &differences(&state_dict)[..],
        [Difference::Shape { found, expected, .. }] if found == &[5] && expected == &[6]
    ));
    // Counters may be missing: old files have none.
    let mut state_dict = whole;
    state_dict.remove("bn1.num_batches_tracked").unwrap();
    write_safetensors(&path, &state_dict, &Default::default(), Precision::Single).unwrap();
    imported(&path);
}

#[test]
fn networks_that_pytorch_has_not_are_not_exported() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["preresnet20", "digit"] {
        let saved = untrained(name);
        saved.write(folder.path()).unwrap();
        let description = saved.description.clone();
        let path = folder.path().join("there.safetensors");
        let error = export(&saved, &path, Precision::Single).unwrap_err();
        assert!(matches!(error, ForeignError::Unnamed { .. }), "{error}");
        assert!(!path.exists());
        // The record alone is recognised even so.
        let record = folder.path().join("record.safetensors");
        fs::copy(folder.path().join(WEIGHTS_FILE), &record).unwrap();
        assert_eq!(imported(&record).description.network, description.network);
        let assumption = |path| {
            import(path, &ImportOptions::default())
                .unwrap()
                .assumption()
        };
        assert_eq!(assumption(folder.path()), None);
        let assumed = assumption(&record).unwrap();
        assert!(assumed.starts_with("the weights do not say"), "{assumed}");
    }
}

#[test]
fn the_program_predicts_with_a_file() {
    let runs = tempfile::tempdir().unwrap();
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../image.png");
    let run = |arguments: &[&str]| {
        let output = infer(runs.path())
            .arg("--weights")
            .arg(reference("torchvision-groups.pth"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        output
    };
    let picture = picture.to_str().unwrap();
    let output = run(&[picture]);
    assert_eq!(stdout(&output).lines().count(), 6);
    assert!(stdout(&output).contains("class 4"), "{}", stdout(&output));
    let said = stderr(&output);
    let assumed = "mean 0.485 0.456 0.406 and standard deviation 0.229 0.224 0.225, those of ImageNet, \
                   are assumed";
    for words in [
        "2x48d",
        "torchvision-groups.pth, in PyTorch's names",
        assumed,
    ] {
        assert!(said.contains(words), "{said}");
    }
    let output = run(&["--resize", "232", "--json", picture]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["model"]["preprocessing"]["resize"], 232);
    let output = run(&["--bench", "--repeats", "2"]);
    assert!(stdout(&output).contains("2x48d"), "{}", stdout(&output));
    assert!(!stderr(&output).contains("assumed"), "{}", stderr(&output));
}

#[test]
fn what_cannot_be_used_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../image.png");
    let file = folder.path().join("file.pth");
    let weights = |path: &Path, arguments: &[&str]| {
        let mut command = infer(folder.path());
        command
            .arg("--weights")
            .arg(path)
            .args(arguments)
            .arg(&picture);
        command
    };
    let good = reference("torchvision-basic.pth");
    let bytes = fs::read(&good).unwrap();
    for length in [0, 1, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&file, &bytes[..length]).unwrap();
        fails(&mut weights(&file, &[]), 1, &["file.pth", "hint:"]);
    }
    fs::write(&file, "<html>404</html>").unwrap();
    fails(&mut weights(&file, &[]), 1, &["a web page", "hint:"]);
    fails(
        &mut weights(&folder.path().join("none.pth"), &[]),
        1,
        &["none.pth"],
    );
    fails(
        &mut weights(folder.path(), &[]),
        1,
        &["holds no trained model", "hint:"],
    );
    // The answer is a whole file, but no network.
    let answer = reference("torchvision-basic.answer.safetensors");
    fails(
        &mut weights(&answer, &[]),
        1,
        &["no network that is known", "hint:"],
    );
    fails(
        &mut weights(&good, &["--model", "resnet18"]),
        1,
        &["does not fit resnet18 with 5 classes", "more", "--model"],
    );
    fails(
        &mut weights(&good, &["--model", "preresnet18"]),
        1,
        &["no counterpart"],
    );
    fails(
        &mut weights(&good, &["--model", "resnt18"]),
        2,
        &["resnet18"],
    );
    fails(
        &mut weights(&good, &["--run", "mine"]),
        2,
        &["cannot be used with"],
    );
    fails(
        &mut weights(&good, &["--resize", "100"]),
        2,
        &["too few", "--resize"],
    );
    fails(
        infer(folder.path())
            .args(["--model", "resnet18"])
            .arg(&picture),
        2,
        &["--weights"],
    );
}
