//! Small networks of every kind against what PyTorch makes of the same weights and images.
//! `references/make.py` makes the files.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use burn_flex::Flex;
use burn_ndarray::NdArray;
use burn_store::{ModuleSnapshot as _, ModuleStore as _, SafetensorsStore};
use model::{Network, NetworkConfig, ResidualBackend};

/// Of the largest logit.
const TOLERANCE: f32 = 1e-4;

struct Reference {
    name: String,
    config: NetworkConfig,
    bytes: Vec<u8>,
}

fn references() -> Vec<Reference> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let weights = files.filter(|path| path.extension().is_some_and(|end| end == "safetensors"));
    let mut references: Vec<_> = weights
        .map(|path| {
            let bytes = fs::read(&path).unwrap();
            Reference {
                name: path.file_stem().unwrap().to_string_lossy().into_owned(),
                config: config(&bytes),
                bytes,
            }
        })
        .collect();
    references.sort_by(|one, other| one.name.cmp(&other.name));
    references
}

/// From the file's metadata. A file starts with the length of its header, which is JSON.
fn config(bytes: &[u8]) -> NetworkConfig {
    let (length, rest) = bytes.split_first_chunk().unwrap();
    let header = &rest[..u64::from_le_bytes(*length) as usize];
    let header: HashMap<String, serde_json::Value> = serde_json::from_slice(header).unwrap();
    let config = header["__metadata__"]["config"].as_str().unwrap();
    serde_json::from_str(config).unwrap()
}

fn check<B: ResidualBackend>(reference: &Reference) {
    let name = &reference.name;
    let device = Default::default();
    let Network::ResNet(mut network) = reference.config.init::<B>(&device).unwrap() else {
        panic!("{name} is no network of residual blocks");
    };
    let mut store = SafetensorsStore::from_bytes(Some(reference.bytes.clone()));
    let mut tensors = store.get_all_snapshots().unwrap().clone();
    let [input, logits] = ["input", "logits"].map(|key| {
        let tensor = tensors.remove(key).unwrap();
        tensor.to_data().unwrap()
    });
    let result = network.apply(tensors.into_values().collect(), None, None, false);
    assert!(result.errors.is_empty(), "{name}: {:?}", result.errors);
    assert!(result.missing.is_empty(), "{name}: {:?}", result.missing);
    assert!(result.unused.is_empty(), "{name}: {:?}", result.unused);

    let images = Tensor::<B, 4>::from_data(input, &device);
    assert_close(name, network.forward(images.clone()).into_data(), &logits);
    let folded = Network::ResNet(network).fold();
    assert_close(
        &format!("{name}, folded"),
        folded.forward(images).into_data(),
        &logits,
    );
}

fn assert_close(what: &str, found: TensorData, expected: &TensorData) {
    assert_eq!(found.shape, expected.shape, "{what}");
    let expected: Vec<f32> = expected.to_vec().unwrap();
    let largest = expected
        .iter()
        .fold(0.0f32, |max, value| max.max(value.abs()));
    for (found, expected) in found.iter::<f32>().zip(expected) {
        // Not `>`, which would let what is not a number pass.
        let error = (found - expected).abs() / largest;
        assert!(error <= TOLERANCE, "{what}: {found} instead of {expected}");
    }
}

#[test]
fn logits_match_pytorch() {
    let references = references();
    assert_eq!(references.len(), 20);
    for reference in &references {
        check::<Flex>(reference);
        check::<NdArray>(reference);
    }
}
