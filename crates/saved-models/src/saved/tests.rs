//! Tests of [`SavedModel`].

use super::*;
use burn_flex::Flex;
use std::fs;

#[test]
fn shipped_model_is_valid() {
    let saved = SavedModel::shipped().unwrap();
    saved.network::<Flex>(&Default::default()).unwrap();
}

#[test]
fn saved_model_round_trips() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = SavedModel::shipped().unwrap();
    let network = shipped.network::<Flex>(&Default::default()).unwrap();
    SavedModel::save(folder.path(), &network, &shipped.description).unwrap();

    let opened = SavedModel::open(folder.path()).unwrap();

    assert_eq!(opened.description, shipped.description);
    let [opened, shipped] =
        [opened, shipped].map(|saved| saved.with_precision(Precision::Single).unwrap());
    assert!(opened.weights == shipped.weights, "other bytes");
}

/// Saves a small model in a folder; both files have checksums.
fn saved_digit(folder: &Path) -> Description {
    let network = model::NetworkConfig::named("digit").unwrap();
    let description = Description {
        model: "digit".to_owned(),
        network: network.clone(),
        ..SavedModel::shipped().unwrap().description
    };
    let network = network.init::<Flex>(&Default::default()).unwrap();
    SavedModel::save(folder, &network, &description).unwrap();
    description
}

#[test]
fn every_damaged_file_is_rejected_by_name() {
    let folder = tempfile::tempdir().unwrap();
    saved_digit(folder.path());
    for (file, step) in [(DESCRIPTION_FILE, 1), (WEIGHTS_FILE, 997)] {
        let path = folder.path().join(file);
        let whole = fs::read(&path).unwrap();
        for place in (0..whole.len()).step_by(step) {
            let mut damaged = whole.clone();
            damaged[place] ^= 1 << (place % 8);
            fs::write(&path, &damaged).unwrap();
            let error = SavedModel::open(folder.path()).unwrap_err();
            let text = error.to_string();
            assert!(text.contains(file), "byte {place}: {text}");
            assert!(error.hint().is_some(), "byte {place}: {text}");
        }
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        SavedModel::open(folder.path()).unwrap_err();
        fs::write(&path, &whole).unwrap();
        SavedModel::open(folder.path()).unwrap();
    }
}

#[test]
fn model_without_checksums_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let description = saved_digit(folder.path());
    let path = folder.path().join(DESCRIPTION_FILE);
    fs::write(&path, serde_json::to_vec(&description).unwrap()).unwrap();
    let saved = SavedModel::open(folder.path()).unwrap();
    assert_eq!(saved.description, description);
    // Saving the description later adds checksums.
    SavedModel::save_description(folder.path(), &description).unwrap();
    let weights = folder.path().join(WEIGHTS_FILE);
    let mut bytes = fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&weights, bytes).unwrap();
    SavedModel::open(folder.path()).unwrap_err();
}

/// A process may be killed after each file that a save writes.
#[test]
fn interrupted_save_leaves_old_or_new_model() {
    let folder = tempfile::tempdir().unwrap();
    let old = saved_digit(folder.path());
    let read = |file: &str| fs::read(folder.path().join(file)).unwrap();
    let old_weights = read(WEIGHTS_FILE);
    let new = Description {
        epochs: old.epochs + 1,
        ..old.clone()
    };
    let new_weights = SavedModel::shipped().unwrap().weights;
    let version = |description: &Description, weights: &[u8]| Version {
        description: description.clone(),
        sha256: sha256(weights),
    };
    let before = version(&old, &old_weights);
    let after = version(&new, &new_weights);
    after.write(folder.path(), Some(&before)).unwrap();
    let opened = SavedModel::open(folder.path()).unwrap();
    assert_eq!((&opened.description, &opened.weights), (&old, &old_weights));
    // Another save replaces the interrupted one.
    assert_eq!(
        Version::current(folder.path()).unwrap().sha256,
        before.sha256
    );
    fs::write(folder.path().join(WEIGHTS_FILE), &new_weights).unwrap();
    let opened = SavedModel::open(folder.path()).unwrap();
    assert_eq!((&opened.description, &opened.weights), (&new, &new_weights));
    put(folder.path(), &new, &new_weights).unwrap();
    let text = String::from_utf8(read(DESCRIPTION_FILE)).unwrap();
    assert!(!text.contains("replaces"), "{text}");
    SavedModel::open(folder.path()).unwrap();
}

#[test]
fn different_class_count_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = SavedModel::shipped().unwrap();
    let network = shipped.network::<Flex>(&Default::default()).unwrap();
    let mut description = shipped.description;
    SavedModel::save(folder.path(), &network, &description).unwrap();

    description.class_names.pop();
    SavedModel::save_description(folder.path(), &description).unwrap();
    let error = SavedModel::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("9 classes"), "{error}");

    description.network = description.network.with_classes(9);
    SavedModel::save_description(folder.path(), &description).unwrap();
    let error = SavedModel::open(folder.path())
        .unwrap()
        .network::<Flex>(&Default::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("with 9 classes"), "{error}");
}

/// A description of a kilobyte asks for a network of gigabytes.
#[test]
fn mismatched_description_allocates_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    saved_digit(folder.path());
    let huge = model::ResNetConfig::cifar(1)
        .with_widths(vec![16_384; 3])
        .with_depths(vec![1000; 3])
        .with_classes(1_000_000);
    let mut saved = SavedModel::open(folder.path()).unwrap();
    saved.description.network = NetworkConfig::Resnet(huge);
    let error = saved.network::<Flex>(&Default::default()).unwrap_err();
    assert!(matches!(error, SavedModelError::Mismatch { .. }), "{error}");
    assert!(error.to_string().contains("is missing"), "{error}");
}

#[test]
fn accuracy_must_be_between_zero_and_one() {
    let folder = tempfile::tempdir().unwrap();
    let description = saved_digit(folder.path());
    for (share, is_good) in [(0.0, true), (1.0, true), (1e9, false), (-5.0, false)] {
        let mut changed = description.clone();
        changed.accuracy.validation = Some(share);
        SavedModel::save_description(folder.path(), &changed).unwrap();
        let opened = SavedModel::open(folder.path());
        assert_eq!(opened.is_ok(), is_good, "{share}");
        if let Err(error) = opened {
            assert!(error.to_string().contains("accuracy"), "{error}");
        }
    }
}

#[test]
fn messages_contain_no_type_names() {
    let folder = tempfile::tempdir().unwrap();
    saved_digit(folder.path());
    fs::write(folder.path().join(DESCRIPTION_FILE), r#"{"version": 3}"#).unwrap();
    let error = SavedModel::open(folder.path()).unwrap_err().to_string();
    assert!(!error.contains("struct"), "{error}");
    assert_eq!(
        in_words("invalid type: integer `3`, expected struct Description at line 1"),
        "invalid type: integer `3`, expected an object at line 1"
    );
}
