//! Weights of other programs in layouts that differ from the usual ones in a detail.

mod common;

use std::fs;

use common::tensors::{Tensors, floats, integers, record, reference, tensors, write};
use common::{fails, image_png, infer};
use data::{Filter, Resampling};
use model::NetworkChanges;
use saved_models::foreign::{Difference, ForeignError, Import, ImportOptions, import};
use saved_models::{Activation, SavedModel, WEIGHTS_FILE};
use weights::{Entry, Tensor, WeightsFile};

/// A small network of torchvision with a head `fc` of 5 classes and 8 features.
fn network() -> Tensors {
    tensors("torchvision-basic.pth")
}

fn renamed(tensors: &Tensors, name: impl Fn(&str) -> String) -> Tensors {
    let tensors = tensors.iter().cloned();
    tensors.map(|(old, entry)| (name(&old), entry)).collect()
}

fn with(tensors: &Tensors, more: &[(&str, Entry)]) -> Tensors {
    let more = more
        .iter()
        .map(|(name, entry)| ((*name).to_owned(), entry.clone()));
    tensors.iter().cloned().chain(more).collect()
}

fn read_with(tensors: Tensors, options: &ImportOptions) -> Result<Import, ForeignError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    write(&path, tensors);
    import(&path, options)
}

fn read(tensors: Tensors) -> Result<Import, ForeignError> {
    read_with(tensors, &ImportOptions::default())
}

#[test]
fn layers_in_network_module_are_kept() {
    let layers = "prelu.weight act.weight norm.bias avgpool.p scale temperature";
    for name in layers.split(' ') {
        for prefix in ["", "net."] {
            let name = format!("{prefix}{name}");
            let whole = renamed(&network(), |name| format!("{prefix}{name}"));
            let error = read(with(&whole, &[(&name, floats(&[1], 3.0))])).unwrap_err();
            match error {
                ForeignError::Mismatch { differences, .. } => assert!(
                    matches!(&differences.0[..], [Difference::Extra { name: extra, .. }] if *extra == name),
                    "{differences}"
                ),
                error => panic!("{name}: {error}"),
            }
        }
    }
    let expected = record(&read(network()).unwrap().saved);
    for (name, entry) in [
        ("val_iou.weight", floats(&[3, 3], 1.0)),
        ("train_map.matrix", floats(&[3, 3], 1.0)),
        ("class_weights", floats(&[5], 1.0)),
        ("normalize.mean", floats(&[3], 1.0)),
        ("fc.loss_module.class_weight", floats(&[5], 1.0)),
        ("n_averaged", integers(&[])),
    ] {
        let import = read(with(&network(), &[(name, entry)])).unwrap();
        assert!(record(&import.saved) == expected, "{name}");
        let first = name.split('.').next().unwrap();
        assert!(import.notes.last().unwrap().contains(first), "{name}");
    }
}

#[test]
fn head_is_found_under_any_name() {
    let expected = record(&read(network()).unwrap().saved);
    for head in ["fc.fc", "head.linear", "dense", "module.fc", "score.0"] {
        for prefix in ["", "net.", "0."] {
            let tensors = renamed(&network(), |name| match name.strip_prefix("fc.") {
                Some(rest) => format!("{head}.{rest}"),
                None => format!("{prefix}{name}"),
            });
            let import = read(tensors).unwrap_or_else(|error| panic!("{head}: {error}"));
            assert!(record(&import.saved) == expected, "{head}, {prefix}");
        }
    }
    let named = renamed(&network(), |name| name.replace("fc.", "dense."));
    let notes = read(named).unwrap().notes;
    let note = "assumed: `dense` is the head".to_owned();
    assert!(notes.contains(&note), "{notes:?}");
    let two = with(&network(), &[("fc2.weight", floats(&[3, 8], 1.0))]);
    let two = renamed(&two, |name| name.replace("fc.", "fc1."));
    let error = read(two).unwrap_err().to_string();
    assert!(error.contains("could be one: `fc1`, `fc2`"), "{error}");
}

#[test]
fn unusable_head_is_replaced() {
    let mut backbone = network();
    backbone.retain(|(name, _)| !name.starts_with("fc."));
    let tensors = with(
        &backbone,
        &[
            ("fc.0.weight", floats(&[8, 8], 0.0)),
            ("fc.0.bias", floats(&[8], 0.0)),
            ("fc.2.weight", floats(&[5, 8], 0.0)),
            ("fc.2.bias", floats(&[5], 0.0)),
        ],
    );
    let error = read(tensors.clone()).unwrap_err();
    assert!(matches!(error, ForeignError::NoHead { .. }));
    let options = ImportOptions::default().with_accepts_backbone(true);
    let import = read_with(tensors, &options).unwrap();
    assert!(import.is_backbone);
    let left_out = import.notes.last().unwrap();
    assert!(left_out.contains("fc (4 tensors)"), "{left_out}");
}

#[test]
fn duplicate_network_counts_once() {
    let copies = |other: &str| {
        let mut all = renamed(&network(), |name| format!("net.{name}"));
        all.extend(renamed(&network(), |name| format!("{other}.{name}")));
        all
    };
    let import = read(copies("model")).unwrap();
    assert!(record(&import.saved) == record(&read(network()).unwrap().saved));
    let left_out = import.notes.last().unwrap();
    assert!(left_out.contains("model ("), "{left_out}");
    let mut different = copies("model");
    for (name, entry) in &mut different {
        if name == "model.fc.bias" {
            *entry = floats(&[5], 9.0);
        }
    }
    let error = read(different).unwrap_err();
    assert!(matches!(error, ForeignError::SeveralNetworks { .. }));
}

#[test]
fn wrappers_around_parts_are_unwrapped() {
    let expected = record(&read(network()).unwrap().saved);
    for (stage, wrapped) in [
        ("layer1.", "layer1._orig_mod."),
        ("layer2.", "layer2.module."),
        ("layer3.0.", "layer3.0._checkpoint_wrapped_module."),
    ] {
        let tensors = renamed(&network(), |name| name.replace(stage, wrapped));
        let found = record(&read(tensors).unwrap().saved);
        assert!(found == expected, "{wrapped}");
    }
}

/// A bias and a mean that is larger by as much are the same as neither.
#[test]
fn bias_before_norm_is_folded() {
    let expected = read(network()).unwrap().saved;
    let mut changed = network();
    for (name, entry) in &mut changed {
        if name == "layer2.0.downsample.1.running_mean"
            && let Entry::Float(tensor) = entry
        {
            let values = tensor.values().iter().map(|mean| mean + 0.5).collect();
            *entry = Entry::Float(Tensor::new(tensor.shape().to_vec(), values).unwrap());
        }
    }
    let bias = ("layer2.0.downsample.0.bias", floats(&[4], 0.5));
    let import = read(with(&changed, &[bias])).unwrap();
    assert_eq!(import.saved.description, expected.description);
    let values = |saved: &SavedModel| -> Vec<f32> {
        let file = WeightsFile::from_bytes(&record(saved)).unwrap();
        let entries = file.state_dict.iter();
        let tensors = entries.filter_map(|(name, _)| file.state_dict.tensor(name));
        tensors
            .flat_map(|tensor| tensor.values().to_vec())
            .collect()
    };
    let pairs = values(&import.saved).into_iter().zip(values(&expected));
    for (found, expected) in pairs {
        assert!((found - expected).abs() < 1e-6, "{found}, {expected}");
    }
}

#[test]
fn extra_integers_do_not_mean_quantized() {
    let mut damaged = network();
    damaged.retain(|(name, _)| name != "bn1.bias");
    let error = read(with(&damaged, &[("tok.weight", integers(&[3, 3]))])).unwrap_err();
    assert!(matches!(error, ForeignError::Mismatch { .. }), "{error}");
    let packed = renamed(&network(), |name| {
        name.replace("fc.weight", "fc.weight_packed")
    });
    let error = read(packed).unwrap_err();
    assert!(matches!(error, ForeignError::Quantized { .. }), "{error}");
}

#[test]
fn changed_network_is_a_different_model() {
    let folder = tempfile::tempdir().unwrap();
    let run = common::run_folder(folder.path(), "run");
    let options = ImportOptions::default()
        .with_changes(NetworkChanges::default().with_norm_epsilon(Some(1e-3)));
    let before = SavedModel::open(&run).unwrap().description;
    let import = import(&run, &options).unwrap();
    let description = import.saved.description;
    assert_ne!(description.model, before.model);
    assert_eq!(description.accuracy.validation, None);
    let note = &import.notes[0];
    assert!(note.contains("accuracy is left out"), "{note}");
    let unchanged = saved_models::foreign::import(&run, &ImportOptions::default()).unwrap();
    assert_eq!(unchanged.saved.description, before);
}

/// A folder of Hugging Face's hub with a small network, and documents.
fn hub(config: &str, processor: Option<&str>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
    write("config.json", config);
    if let Some(processor) = processor {
        write("preprocessor_config.json", processor);
    }
    let weights = reference("hugging-face-basic.safetensors");
    fs::copy(weights, folder.path().join(WEIGHTS_FILE)).unwrap();
    folder
}

#[test]
fn hub_folders_define_resizing() {
    let config = r#"{"model_type": "resnet"}"#;
    let squeezed = r#"{"image_processor_type": "ViTImageProcessor", "resample": 3,
        "size": {"height": 48, "width": 64}}"#;
    let folder = hub(config, Some(squeezed));
    let import = saved_models::foreign::import(folder.path(), &ImportOptions::default()).unwrap();
    let preprocessing = &import.saved.description.preprocessing;
    let Resampling {
        filter, stretch, ..
    } = preprocessing.resampling();
    assert_eq!((filter, stretch), (Filter::Bicubic, Some([48, 64])));
    assert!(
        !import.notes.iter().any(|note| note.contains("images")),
        "{:?}",
        import.notes
    );
    let own = hub(config, Some(r#"{"do_resize": false}"#));
    let error = saved_models::foreign::import(own.path(), &ImportOptions::default()).unwrap_err();
    assert!(error.to_string().contains("`do_resize`"), "{error}");
    let options = ImportOptions::default()
        .with_resize(Some(72))
        .with_image_size(Some(64));
    let import = saved_models::foreign::import(own.path(), &options).unwrap();
    let preprocessing = import.saved.description.preprocessing;
    assert_eq!((preprocessing.height(), preprocessing.resize()), (64, 72));
    let small = r#"{"size": {"shortest_edge": 72}, "crop_size": 64}"#;
    let options = ImportOptions::default().with_resize(Some(64));
    let import = saved_models::foreign::import(hub(config, Some(small)).path(), &options).unwrap();
    assert_eq!(import.saved.description.preprocessing.resize(), 64);
}

#[test]
fn hub_folders_of_other_networks_are_rejected() {
    let config = r#"{"model_type": "resnet", "problem_type": "regression"}"#;
    let regression = hub(config, None);
    let import = |folder: &tempfile::TempDir, options: &ImportOptions| {
        saved_models::foreign::import(folder.path(), options)
    };
    let error = import(&regression, &ImportOptions::default()).unwrap_err();
    assert!(matches!(error, ForeignError::Regression { .. }), "{error}");
    let options = ImportOptions::default().with_activation(Some(Activation::Softmax));
    import(&regression, &options).unwrap();
    let blur = hub(r#"{"architecture": "resnetblur18"}"#, None);
    let error = import(&blur, &ImportOptions::default()).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("architecture resnetblur18"), "{error}");
}

#[test]
fn folders_without_weights_report_content() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), "{}").unwrap();
    let expect = |words: &[&str]| {
        let mut command = infer(folder.path());
        command.arg("--weights").arg(folder.path()).arg(image_png());
        fails(&mut command, 1, words);
    };
    expect(&["config.json without weights", "hint:"]);
    fs::write(folder.path().join("weights.pth"), "").unwrap();
    expect(&["but weights.pth", "hint: name the file"]);
}

/// Its names and sizes are those of a usual network, but not the order of its layers.
#[test]
fn layer_order_reveals_pre_activation() {
    let error = import(&reference("pre-activation.pth"), &ImportOptions::default());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("(pre-activation)"), "{error}");
    // safetensors sorts names, so that nothing tells the order.
    let notes = read(tensors("pre-activation.pth")).unwrap().notes;
    let note = "assumed: norms follow the convolutions of each block (post-activation)";
    assert!(notes.contains(&note.to_owned()), "{notes:?}");
    let notes = read(network()).unwrap().notes;
    assert!(!notes.contains(&note.to_owned()), "{notes:?}");
}
