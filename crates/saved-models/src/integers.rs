//! Networks of 8-bit integers as safetensors.
//!
//! | tensor | contents |
//! |---|---|
//! | `LAYER.weight` | int8 `[out_channels, in_channels / groups, height, width]` |
//! | `LAYER.scale`, `LAYER.bias` | `[out_channels]` |
//! | `NORM.scale`, `NORM.shift` | `[channels]`, for norms that do not follow a convolution |
//! | `input.step`, `input.zero` | `[channels]`: codes of the images |
//! | `values.step` | difference between neighboring codes for the output of each operation |

use std::borrow::Cow;
use std::collections::HashMap;

use model::NetworkConfig;
use model::int8::{InputRange, Quantization, QuantizedLayer, QuantizedNorm};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use weights::{Contents, Entry, Precision, StateDict, Tensor, to_safetensors};

/// Metadata key of the names of all layers and norms.
const KEY: &str = "resnet.int8";

/// Names in forward order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    convolutions: Vec<(String, Option<String>)>,
    norms: Vec<String>,
    linear: String,
}

/// Returns whether bytes start like a record of integers.
pub(crate) fn is_int8(bytes: &[u8]) -> bool {
    names(bytes).is_some()
}

fn names(bytes: &[u8]) -> Option<String> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).ok()?;
    metadata.metadata().as_ref()?.get(KEY).cloned()
}

/// Encodes a network of integers. The bytes depend only on the content.
pub(crate) fn encode(quantization: &Quantization) -> Result<Vec<u8>, String> {
    let mut floats: Vec<(String, Vec<f32>)> = Vec::new();
    let mut integers: Vec<(String, Vec<usize>, &[i8])> = Vec::new();
    let Quantization {
        convolutions,
        linear,
        norms,
        input,
        steps,
        ..
    } = quantization;
    for layer in convolutions.iter().chain([linear]) {
        let QuantizedLayer { name, .. } = layer;
        integers.push((
            format!("{name}.weight"),
            layer.shape.to_vec(),
            &layer.weight,
        ));
        floats.push((format!("{name}.scale"), layer.scale.clone()));
        floats.push((format!("{name}.bias"), layer.bias.clone()));
    }
    for QuantizedNorm {
        name, scale, shift, ..
    } in norms
    {
        floats.push((format!("{name}.scale"), scale.clone()));
        floats.push((format!("{name}.shift"), shift.clone()));
    }
    floats.push(("input.step".to_owned(), input.step.clone()));
    floats.push(("input.zero".to_owned(), input.zero.clone()));
    floats.push(("values.step".to_owned(), steps.clone()));
    let floats: Vec<(String, Vec<u8>)> = floats
        .into_iter()
        .map(|(name, values)| {
            (
                name,
                values
                    .iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect(),
            )
        })
        .collect();
    let integers: Vec<(String, Vec<usize>, Vec<u8>)> = integers
        .into_iter()
        .map(|(name, shape, values)| {
            (
                name,
                shape,
                values.iter().map(|&value| value as u8).collect(),
            )
        })
        .collect();
    let mut views = Vec::new();
    for (name, bytes) in &floats {
        let shape = vec![bytes.len() / size_of::<f32>()];
        views.push((name, TensorView::new(Dtype::F32, shape, bytes)));
    }
    for (name, shape, bytes) in &integers {
        views.push((name, TensorView::new(Dtype::I8, shape.clone(), bytes)));
    }
    let views = views.into_iter().map(|(name, view)| Ok((name, view?)));
    let views: Result<Vec<_>, safetensors::SafeTensorError> = views.collect();
    let names = Names {
        convolutions: convolutions
            .iter()
            .map(|layer| (layer.name.clone(), layer.norm.clone()))
            .collect(),
        norms: norms.iter().map(|norm| norm.name.clone()).collect(),
        linear: linear.name.clone(),
    };
    let names = serde_json::to_string(&names).map_err(|error| error.to_string())?;
    // Only one key: several would be written in an order that changes from run to run.
    let metadata = HashMap::from([(KEY.to_owned(), names)]);
    let views = views.map_err(|error| error.to_string())?;
    safetensors::serialize(views, Some(metadata)).map_err(|error| error.to_string())
}

/// Decodes a network of integers. Sizes are checked where the network is built.
pub(crate) fn decode(bytes: &[u8]) -> Result<Quantization, String> {
    // Limits the header's size and the number of tensors, which the crate does not.
    Contents::parse(bytes).map_err(|error| error.to_string())?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let names = names(bytes).ok_or("it names no layers")?;
    let names: Names = serde_json::from_str(&names).map_err(|error| error.to_string())?;
    let find = |name: &str, dtype: Dtype| {
        let tensor = file
            .tensor(name)
            .map_err(|_| format!("`{name}` is missing"))?;
        match tensor.dtype() == dtype {
            true => Ok(tensor),
            false => Err(format!(
                "`{name}` is {:?} instead of {dtype:?}",
                tensor.dtype()
            )),
        }
    };
    let floats = |name: &str| {
        let tensor = find(name, Dtype::F32)?;
        let (values, _) = tensor.data().as_chunks();
        Ok::<_, String>(
            values
                .iter()
                .map(|bytes| f32::from_le_bytes(*bytes))
                .collect::<Vec<_>>(),
        )
    };
    let layer = |name: &str, norm: Option<String>| {
        let weight_name = format!("{name}.weight");
        let weight = find(&weight_name, Dtype::I8)?;
        let shape = weight.shape().try_into();
        Ok::<_, String>(QuantizedLayer {
            norm,
            shape: shape.map_err(|_| format!("`{weight_name}` does not have four dimensions"))?,
            weight: weight.data().iter().map(|&byte| byte as i8).collect(),
            scale: floats(&format!("{name}.scale"))?,
            bias: floats(&format!("{name}.bias"))?,
            name: name.to_owned(),
        })
    };
    let norm = |name: String| {
        Ok::<_, String>(QuantizedNorm {
            scale: floats(&format!("{name}.scale"))?,
            shift: floats(&format!("{name}.shift"))?,
            name,
        })
    };
    let convolutions = names.convolutions.into_iter();
    Ok(Quantization {
        convolutions: convolutions
            .map(|(name, norm)| layer(&name, norm))
            .collect::<Result<_, _>>()?,
        linear: layer(&names.linear, None)?,
        norms: names
            .norms
            .into_iter()
            .map(norm)
            .collect::<Result<_, _>>()?,
        input: InputRange {
            step: floats("input.step")?,
            zero: floats("input.zero")?,
        },
        steps: floats("values.step")?,
    })
}

/// Returns the record of floats that bytes hold or stand for.
pub(crate) fn as_floats<'a>(
    bytes: &'a [u8],
    config: &NetworkConfig,
) -> Result<Cow<'a, [u8]>, String> {
    if !is_int8(bytes) {
        return Ok(Cow::Borrowed(bytes));
    }
    let tensors = decode(bytes)?
        .dequantized(config)
        .map_err(|error| error.to_string())?;
    let mut state_dict = StateDict::new();
    for (tensor, values) in tensors {
        let values = Tensor::new(tensor.shape, values).map_err(|error| error.to_string())?;
        let inserted = state_dict.insert(tensor.name, Entry::Float(values));
        inserted.map_err(|error| error.to_string())?;
    }
    let bytes = to_safetensors(&state_dict, &Default::default(), Precision::Single);
    bytes.map(Cow::Owned).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_flex::Flex;

    fn quantization(config: &NetworkConfig) -> Quantization {
        Quantization::untrained::<Flex>(config, &Default::default()).unwrap()
    }

    fn named(name: &str) -> NetworkConfig {
        NetworkConfig::named(name).unwrap()
    }

    #[test]
    fn round_trip_keeps_integers_and_bytes() {
        for name in ["resnet8", "preresnet20", "digit"] {
            let quantization = quantization(&named(name));
            let bytes = encode(&quantization).unwrap();
            assert!(is_int8(&bytes));
            assert_eq!(decode(&bytes).unwrap(), quantization);
            assert_eq!(encode(&quantization).unwrap(), bytes);
            let floats = as_floats(&bytes, &named(name)).unwrap();
            assert!(!is_int8(&floats));
            assert_eq!(as_floats(&floats, &named(name)).unwrap(), floats);
        }
    }

    #[test]
    fn every_truncation_is_an_error() {
        let bytes = encode(&quantization(&named("digit"))).unwrap();
        for length in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
            assert!(decode(&bytes[..length]).is_err(), "cut to {length} bytes");
        }
    }

    /// Replaces text in the header by text of the same length, as files of others may have it.
    fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
        assert_eq!(from.len(), to.len());
        let place = bytes
            .windows(from.len())
            .position(|part| part == from.as_bytes());
        let mut bytes = bytes.to_vec();
        bytes[place.unwrap()..][..to.len()].copy_from_slice(to.as_bytes());
        bytes
    }

    #[test]
    fn other_tensors_are_errors_everywhere() {
        let config = named("preresnet20");
        let bytes = encode(&quantization(&config)).unwrap();
        for (from, to) in [
            (
                "\"stem.convolution.conv.scale\"",
                "\"stem.convolution.conv.scala\"",
            ),
            ("\"head.linear.bias\"", "\"head.linear.bass\""),
            ("\"input.step\"", "\"input.stop\""),
            ("\"values.step\"", "\"values.stop\""),
            ("\"shape\":[10,64,1,1]", "\"shape\":[64,10,1,1]"),
            ("\"dtype\":\"I8\"", "\"dtype\":\"U8\""),
        ] {
            let bytes = replaced(&bytes, from, to);
            assert!(as_floats(&bytes, &config).is_err(), "{to}");
        }
        assert!(as_floats(&bytes, &named("resnet20")).is_err());
    }
}
