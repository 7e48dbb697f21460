//! Weights as safetensors, at full precision.

use burn::tensor::DType;
use burn::tensor::backend::Backend;
use burn_store::{
    ApplyError, ApplyResult, ModuleSnapshot, ModuleStore, SafetensorsStore, TensorSnapshot,
};
use model::Network;
use weights::{Contents, Precision, WeightsFile, to_safetensors};

use crate::difference::{sizes, summary};

/// The reason why bytes could not be decoded into a network's weights.
pub(crate) enum DecodeError {
    /// The bytes are not a complete safetensors file.
    Damaged(String),
    /// The tensors belong to another network.
    Mismatch(String),
}

/// Encodes all tensors of a network, running statistics included.
pub(crate) fn encode<B: Backend>(network: &Network<B>) -> Result<Vec<u8>, String> {
    // Only one key: several would be written in an order that changes from run to run.
    let mut store = SafetensorsStore::from_bytes(None)
        .clear_metadata()
        .metadata("format", "burn");
    match network {
        Network::ResNet(network) => store.collect_from(network),
        Network::Digit(network) => store.collect_from(network),
    }
    .and_then(|()| store.get_bytes())
    .map_err(|error| error.to_string())
}

/// Loads weights of either precision into a network. Every tensor of the network must be present
/// with its shape, and no other.
pub(crate) fn decode<B: Backend>(
    bytes: &[u8],
    mut network: Network<B>,
) -> Result<Network<B>, DecodeError> {
    let mut snapshots = snapshots(bytes)?;
    if is_half(&snapshots) {
        let bytes = with_precision(bytes, Precision::Single).map_err(DecodeError::Damaged)?;
        snapshots = self::snapshots(&bytes)?;
    }
    let result = match &mut network {
        Network::ResNet(network) => network.apply(snapshots, None, None, false),
        Network::Digit(network) => network.apply(snapshots, None, None, false),
    };
    match differences(&result) {
        differences if differences.is_empty() => Ok(network),
        differences => Err(DecodeError::Mismatch(summary(&differences, 0))),
    }
}

/// Checks that bytes are a complete weights file.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    match snapshots(bytes) {
        Ok(_) => Ok(()),
        Err(DecodeError::Damaged(reason) | DecodeError::Mismatch(reason)) => Err(reason),
    }
}

/// Returns whether weights are stored in half precision, or `None` if they are damaged.
pub(crate) fn stores_half(bytes: &[u8]) -> Option<bool> {
    Some(is_half(&snapshots(bytes).ok()?))
}

fn is_half(snapshots: &[TensorSnapshot]) -> bool {
    snapshots
        .iter()
        .any(|snapshot| snapshot.dtype == DType::F16)
}

fn snapshots(bytes: &[u8]) -> Result<Vec<TensorSnapshot>, DecodeError> {
    // Limits the header's size and the number of tensors, which the store does not.
    Contents::parse(bytes).map_err(|error| DecodeError::Damaged(error.to_string()))?;
    let mut store = SafetensorsStore::from_bytes(Some(bytes.to_vec()));
    let snapshots = store
        .get_all_snapshots()
        .map_err(|error| DecodeError::Damaged(error.to_string()))?;
    Ok(snapshots.values().cloned().collect())
}

/// Returns the tensors in another precision, or the same bytes if they already have it.
pub(crate) fn with_precision(bytes: &[u8], precision: Precision) -> Result<Vec<u8>, String> {
    check(bytes)?;
    if stores_half(bytes) == Some(precision == Precision::Half) {
        return Ok(bytes.to_vec());
    }
    let file = WeightsFile::from_bytes(bytes).map_err(|error| error.to_string())?;
    to_safetensors(&file.state_dict, &file.metadata, precision).map_err(|error| error.to_string())
}

fn differences(result: &ApplyResult) -> Vec<String> {
    let wrong = result.errors.iter().map(|error| match error {
        ApplyError::ShapeMismatch {
            path,
            expected,
            found,
        } => format!(
            "`{path}` is {} instead of {}",
            sizes(found),
            sizes(expected)
        ),
        other => other.to_string(),
    });
    let missing = result
        .missing
        .iter()
        .map(|(path, _)| format!("`{path}` is missing"));
    let unused = result
        .unused
        .iter()
        .map(|path| format!("`{path}` is not part of it"));
    wrong.chain(missing).chain(unused).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tensor};
    use burn_flex::Flex;

    fn network(name: &str, classes: usize) -> Network<Flex> {
        model::NetworkConfig::named(name)
            .unwrap()
            .with_classes(classes)
            .init(&Default::default())
            .unwrap()
    }

    fn mismatch(bytes: &[u8], network: Network<Flex>) -> String {
        match decode(bytes, network) {
            Err(DecodeError::Mismatch(reason)) => reason,
            Err(DecodeError::Damaged(reason)) => panic!("damaged: {reason}"),
            Ok(_) => panic!("accepted"),
        }
    }

    #[test]
    fn round_trip_keeps_logits() {
        for (name, edge) in [("resnet8", 32), ("digit", 28)] {
            let original = network(name, 10);
            let copy = decode(&encode(&original).unwrap(), network(name, 10))
                .unwrap_or_else(|_| panic!("{name} was not read"));
            let channels = model::NetworkConfig::named(name).unwrap().input_channels();
            let images = Tensor::random(
                [2, channels, edge, edge],
                Distribution::Default,
                &Default::default(),
            );
            let expected = original.forward(images.clone()).into_data();
            copy.forward(images).into_data().assert_eq(&expected, true);
        }
    }

    #[test]
    fn half_precision_logits_are_close() {
        let original = network("resnet8", 10);
        let bytes = encode(&original).unwrap();
        let half = with_precision(&bytes, Precision::Half).unwrap();
        assert!(half.len() < bytes.len() * 6 / 10);
        let copy = decode(&half, network("resnet8", 10)).unwrap_or_else(|_| panic!("not read"));
        let device = Default::default();
        let images = Tensor::random([2, 3, 32, 32], Distribution::Default, &device);
        let expected = original.forward(images.clone()).into_data();
        let tolerance = burn::tensor::Tolerance::absolute(0.01);
        copy.forward(images)
            .into_data()
            .assert_approx_eq::<f32>(&expected, tolerance);
    }

    #[test]
    fn records_of_other_networks_are_rejected() {
        let bytes = encode(&network("resnet8", 10)).unwrap();
        let reason = mismatch(&bytes, network("resnet8", 7));
        assert!(reason.contains("head.linear.weight"), "{reason}");
        let reason = mismatch(&bytes, network("resnet14", 10));
        assert!(reason.contains("missing"), "{reason}");
        mismatch(&bytes, network("digit", 10));
        let reason = mismatch(
            &encode(&network("resnet14", 10)).unwrap(),
            network("resnet8", 10),
        );
        assert!(reason.contains("not part of it"), "{reason}");
    }

    #[test]
    fn header_with_too_many_tensors_is_rejected() {
        let part = r#"{"dtype":"F32","shape":[0],"data_offsets":[0,0]}"#;
        let names: Vec<String> = (0..200_000)
            .map(|name| format!("\"{name}\":{part}"))
            .collect();
        let header = format!("{{{}}}", names.join(","));
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        match decode(&bytes, network("digit", 10)) {
            Err(DecodeError::Damaged(reason)) => assert!(reason.contains("tensors"), "{reason}"),
            _ => panic!("it was read"),
        }
    }

    #[test]
    fn every_truncation_is_detected() {
        let bytes = encode(&network("digit", 10)).unwrap();
        for length in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
            assert!(
                matches!(
                    decode(&bytes[..length], network("digit", 10)),
                    Err(DecodeError::Damaged(_))
                ),
                "cut to {length} bytes"
            );
        }
    }
}
