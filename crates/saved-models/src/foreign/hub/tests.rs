use super::*;

fn config(text: &str) -> Config {
    let path = Path::new("config.json");
    let document = Document::new(path, serde_json::from_str(text).unwrap());
    Config::read(path, document).unwrap()
}

#[test]
fn incomplete_labels_are_ignored() {
    let labels = config(r#"{"id2label": {"0": "cat", "1": "dog"}}"#);
    assert_eq!(labels.class_names(2).unwrap(), ["cat", "dog"]);
    assert_eq!(labels.wrong_class_names(2), None);
    assert_eq!(labels.class_names(3), None);
    let note = labels.wrong_class_names(3).unwrap();
    assert!(
        note.contains("names 2 classes") && note.contains("3 outputs"),
        "{note}"
    );
    let list = config(r#"{"label_names": ["a"]}"#);
    assert_eq!(list.class_names(1).unwrap(), ["a"]);
    assert_eq!(list.class_names(2), None);
    assert!(list.wrong_class_names(2).is_some());
    assert_eq!(config("{}").wrong_class_names(2), None);
}

#[test]
fn unsupported_networks_are_named() {
    let changes = |text: &str| config(text).changes();
    assert!(changes(r#"{"model_type": "resnet", "downsample_in_first_stage": true}"#).is_err());
    assert!(changes(r#"{"model_type": "resnet", "hidden_act": "gelu"}"#).is_err());
    let changes = changes(r#"{"model_type": "resnet", "downsample_in_bottleneck": true}"#);
    assert_eq!(
        changes.unwrap().bottleneck_stride,
        Some(BottleneckStride::First)
    );
}

#[test]
fn architectures_with_other_layers_are_rejected() {
    let check =
        |name: &str| config(&format!(r#"{{"architecture": "{name}"}}"#)).check_architecture();
    for name in [
        "resnet18",
        "resnet50.a1_in1k",
        "resnet26d",
        "tv_resnet34",
        "gluon_resnet50_v1c",
        "resnext50_32x4d",
        "wide_resnet101_2",
    ] {
        assert_eq!(check(name), Ok(()), "{name}");
    }
    for name in [
        "resnetblur18",
        "resnetaa50d",
        "seresnet50",
        "resnet50t",
        "vit_base",
        "",
    ] {
        assert!(check(name).is_err(), "{name}");
    }
}

#[test]
fn regression_outputs_are_rejected() {
    let regression = config(r#"{"problem_type": "regression"}"#);
    assert!(matches!(
        regression.check_outputs(),
        Err(ForeignError::Regression { .. })
    ));
    assert!(config("{}").check_outputs().is_ok());
}

#[test]
fn shards_are_recognized_by_name() {
    assert_eq!(shards_by_name("model-00001-of-00003.safetensors"), Some(3));
    assert_eq!(shards_by_name("pytorch_model-00002-of-00002.bin"), Some(2));
    for name in ["model.safetensors", "best-of-3.pth", "a-1-of-2.pth", ""] {
        assert_eq!(shards_by_name(name), None, "{name}");
    }
}

#[test]
fn index_files_stay_in_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors.index.json");
    let write = |file: &str| {
        let text = format!(r#"{{"weight_map": {{"a": "{file}", "b": "{file}"}}}}"#);
        std::fs::write(&path, text).unwrap();
        shards(&path)
    };
    assert_eq!(write("a.bin").unwrap(), [folder.path().join("a.bin")]);
    for file in ["../a.bin", "/etc/passwd", "x/a.bin", ""] {
        assert!(write(file).is_err(), "{file}");
    }
}
