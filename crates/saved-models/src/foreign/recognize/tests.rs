use std::collections::BTreeMap;

use super::*;
use crate::foreign::detect::networks;
use weights::{Contents, Entry, Precision, StateDict, Tensor, to_safetensors};

/// Returns the tensors of a network with the right shapes.
fn file(config: &NetworkConfig, naming: &Naming) -> StateDict {
    let mut state_dict = StateDict::new();
    for tensor in model::tensors(config).unwrap() {
        let shape = oriented(naming, &tensor.shape);
        let values = vec![0.0; shape.iter().product()];
        let tensor_values = Tensor::new(shape, values).unwrap();
        let name = naming.name(&tensor.name).unwrap();
        state_dict
            .insert(name, Entry::Float(tensor_values))
            .unwrap();
    }
    state_dict
}

/// Calls a function with the listing of a file.
fn listed<T>(state_dict: &StateDict, with: impl FnOnce(&Listing<'_>) -> T) -> T {
    let bytes = to_safetensors(state_dict, &BTreeMap::new(), Precision::Single).unwrap();
    let contents = [Contents::parse(&bytes).unwrap()];
    with(&Listing::new(&contents).unwrap())
}

fn recognized(state_dict: &StateDict, naming: &Naming) -> Result<NetworkConfig, String> {
    listed(state_dict, |listing| recognize(&View { listing, naming }))
}

fn found(state_dict: &StateDict, naming: &Naming) -> NetworkConfig {
    let detected = listed(state_dict, networks);
    assert_eq!(detected.len(), 1);
    // The head of the digit network has its own name.
    assert_eq!(
        (&detected[0].prefix, &detected[0].scheme),
        (&naming.prefix, &naming.scheme)
    );
    recognized(state_dict, naming).unwrap()
}

#[test]
fn registry_networks_are_recognized_by_name() {
    for name in [
        "resnet8",
        "resnet26",
        "resnet18",
        "resnet50",
        "resnet18c",
        "resnet50d",
        "wide_resnet50_2",
        "resnext50_32x4d",
        "resnet18-tutorial",
    ] {
        let config = model::NetworkConfig::named(name).unwrap().with_classes(7);
        let NetworkConfig::Resnet(resnet) = &config else {
            panic!("{name}");
        };
        let naming = Naming::torchvision(resnet);
        let found = found(&file(&config, &naming), &naming);
        assert_eq!(found, config, "{name}");
        assert_eq!(super::name(&found), name);
    }
    for name in ["preresnet20", "preresnet50", "preresnet164", "digit"] {
        let config = model::NetworkConfig::named(name)
            .unwrap()
            .with_input_channels(1);
        let found = found(&file(&config, &Naming::own("")), &Naming::own(""));
        assert_eq!(found, config, "{name}");
        assert_eq!(super::name(&found), name);
    }
}

#[test]
fn narrow_and_grouped_bottlenecks_are_recognized() {
    for (groups, width_per_group) in [(1, 64), (1, 128), (2, 48), (4, 17)] {
        let config = NetworkConfig::Resnet(
            ResNetConfig::imagenet(BlockKind::Bottleneck, [1; 4])
                .with_widths(vec![4, 8, 12])
                .with_depths(vec![1, 2, 1])
                .with_groups(groups)
                .with_width_per_group(width_per_group)
                .with_shortcut(ShortcutKind::ProjectionAlways),
        );
        let found = found(&file(&config, &Naming::own("")), &Naming::own(""));
        // Another number may describe the same network.
        let tensors = |config| model::tensors(config).unwrap();
        assert_eq!(tensors(&found), tensors(&config));
        assert!(name(&found).starts_with("ResNet with imagenet stem, 1-2-1 bottleneck"));
    }
}

#[test]
fn unrecognized_shapes_report_reason() {
    let config = model::NetworkConfig::named("resnet50").unwrap();
    let NetworkConfig::Resnet(resnet) = &config else {
        panic!();
    };
    let naming = Naming::torchvision(resnet);
    let whole = file(&config, &naming);
    for (name, shape, word) in [
        ("conv1.weight", vec![64, 3, 5, 5], "5x5"),
        ("conv1.weight", vec![64], "4 dimensions"),
        ("fc.weight", vec![], "2 dimensions"),
        ("layer2.0.conv3.weight", vec![3, 1, 1, 1], "not a multiple"),
        (
            "layer2.0.conv2.weight",
            vec![128, 0, 3, 3],
            "channels in 1 groups",
        ),
        ("layer1.0.conv2.weight", vec![64, 0, 3, 3], "in 0 groups"),
        ("layer1.0.conv2.weight", vec![65, 3, 3, 3], "groups"),
    ] {
        let mut state_dict = whole.clone();
        state_dict.remove(name);
        let values = vec![0.0; shape.iter().product()];
        let tensor = Tensor::new(shape, values).unwrap();
        state_dict.insert(name, Entry::Float(tensor)).unwrap();
        match recognized(&state_dict, &naming) {
            Err(reason) => assert!(reason.contains(word), "{name}: {reason}"),
            // The comparison of every tensor catches it.
            Ok(_) => assert_eq!(word, "channels in 1 groups"),
        }
    }
    for name in ["fc.weight", "layer1.0.conv1.weight"] {
        let mut state_dict = whole.clone();
        state_dict.remove(name);
        let reason = recognized(&state_dict, &naming).unwrap_err();
        assert!(reason.contains(name), "{reason}");
    }
}

/// Returns the reason why changed tensors of `resnet14` in torchvision's names are not a network.
fn reason_of(change: impl FnOnce(&mut StateDict)) -> String {
    let config = model::NetworkConfig::named("resnet14").unwrap();
    let NetworkConfig::Resnet(resnet) = &config else {
        panic!();
    };
    let config = NetworkConfig::Resnet(resnet.clone().with_shortcut(ShortcutKind::Projection));
    let naming = Naming::torchvision(resnet);
    let mut state_dict = file(&config, &naming);
    change(&mut state_dict);
    recognized(&state_dict, &naming).unwrap_err()
}

fn put(state_dict: &mut StateDict, name: &str, shape: &[usize]) {
    state_dict.remove(name);
    let values = vec![0.0; shape.iter().product()];
    let tensor = Tensor::new(shape.to_vec(), values).unwrap();
    state_dict.insert(name, Entry::Float(tensor)).unwrap();
}

#[test]
fn unsupported_networks_report_reason() {
    let reason = reason_of(|file| put(file, "conv1.weight", &[8, 3, 3, 3]));
    assert!(
        reason.contains("stem has 8 channels, but the first stage has 16"),
        "{reason}"
    );
    let reason = reason_of(|file| put(file, "layer1.0.downsample.0.weight", &[16, 16, 1, 1]));
    assert!(reason.contains("block 2 of stage 1 has none"), "{reason}");
}

#[test]
fn bias_before_norm_is_not_a_plain_projection() {
    let config = NetworkConfig::Resnet(
        ResNetConfig::cifar(1)
            .with_shortcut(ShortcutKind::Projection)
            .with_convolution_bias(true),
    );
    let NetworkConfig::Resnet(resnet) = &config else {
        panic!();
    };
    let naming = Naming::torchvision(resnet);
    let mut state_dict = file(&config, &naming);
    put(&mut state_dict, "layer2.0.downsample.0.bias", &[32]);
    assert_eq!(recognized(&state_dict, &naming).unwrap(), config);
}
