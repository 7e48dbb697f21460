use weights::{ContentError, WeightsFile};

use crate::{bytes, error, floats, folder, read, tiny};

#[test]
fn training_checkpoint_is_read() {
    let file = read("checkpoint.pth");
    assert_eq!(file.key.as_deref(), Some("state_dict"));
    assert_eq!(file.state_dict, tiny());
    let others: Vec<(&str, usize)> = (file.others.iter())
        .map(|other| (other.name.as_str(), other.tensors))
        .collect();
    let expected = [
        ("epoch", 0),
        ("args", 0),
        ("best", 0),
        ("history", 0),
        ("big", 0),
        ("seen", 0),
        ("random", 0),
        ("function", 0),
        // One momentum for each parameter.
        ("optimizer", 5),
        ("loss", 1),
    ];
    assert_eq!(others, expected);
}

#[test]
fn data_parallel_prefix_is_stripped() {
    let mut file = read("data_parallel.pth");
    assert_eq!(file.key.as_deref(), Some("model"));
    assert!(file.state_dict.get("module.fc.bias").is_some());
    assert!(file.state_dict.strip_prefix("module."));
    assert_eq!(file.state_dict, tiny());
}

#[test]
fn state_dict_two_keys_deep_is_found() {
    let file = read("nested.pth");
    assert_eq!(file.key.as_deref(), Some("model.state_dict"));
    assert_eq!(file.state_dict, tiny());
    let names: Vec<&str> = file
        .others
        .iter()
        .map(|other| other.name.as_str())
        .collect();
    assert_eq!(names, ["epoch", "model.version"]);
}

#[test]
fn plain_weights_precede_averaged_ones() {
    let file = read("averaged.pth");
    assert_eq!(file.key.as_deref(), Some("model"));
    assert_eq!(file.state_dict.get("a"), Some(&floats(2, &[2])));
    assert_eq!(
        (file.others[0].name.as_str(), file.others[0].tensors),
        ("model_ema", 1)
    );

    let file = WeightsFile::read_under(folder().join("averaged.pth"), "model_ema").unwrap();
    assert_eq!(file.key.as_deref(), Some("model_ema"));
    assert_eq!(file.state_dict.get("a"), Some(&floats(1, &[2])));
}

#[test]
fn unknown_key_is_found_if_unique() {
    let file = read("unknown_key.pth");
    assert_eq!(file.key.as_deref(), Some("my_resnet"));
    assert_eq!(file.state_dict, tiny());

    let error = error("two_keys.pth");
    assert!(
        matches!(&error, ContentError::SeveralStateDicts { keys } if keys == &["first", "second"])
    );
    assert!(error.hint().is_some());
    let file = WeightsFile::from_bytes_under(&bytes("two_keys.pth"), "second").unwrap();
    assert_eq!(file.state_dict.get("a"), Some(&floats(2, &[2])));
}

#[test]
fn requested_key_must_exist() {
    let file = bytes("nested.pth");
    let found = WeightsFile::from_bytes_under(&file, "model.state_dict").unwrap();
    assert_eq!(found.state_dict, tiny());
    for key in [
        "ema",
        "model",
        "epoch",
        "model.state_dict.fc",
        "model.nothing.more",
        ".",
    ] {
        let error = WeightsFile::from_bytes_under(&file, key).unwrap_err();
        assert!(
            matches!(error, ContentError::UnknownKey { .. }),
            "{key}: {error}"
        );
    }
    let error = WeightsFile::from_bytes_under(&bytes("plain.safetensors"), "model").unwrap_err();
    assert!(matches!(error, ContentError::UnknownKey { .. }));
}
