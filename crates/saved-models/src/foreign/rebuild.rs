//! Rebuilds this project's record of a network from another program's file.

use std::collections::BTreeMap;

use weights::{ContentError, Entry, Precision, StateDict, Tensor, to_safetensors};

use super::error::ForeignError;
use super::listing::Listing;
use super::naming::Naming;
use super::rest::folded_biases;
use super::select::Candidate;
use super::translate::{Problem, oriented, shape_error, translate};
use crate::description::Description;
use crate::difference::Differences;

/// Returns the bytes of this project's record of a network in the file `origin`. `is_single` means
/// that its one output becomes two.
pub(super) fn record(
    listing: &Listing<'_>,
    candidate: &Candidate,
    description: &Description,
    is_single: bool,
    origin: &str,
) -> Result<Vec<u8>, ForeignError> {
    let content = |source| ForeignError::content(origin, source);
    let naming = &candidate.naming;
    let mut described = description.clone();
    if is_single {
        described.network = described.network.with_classes(1);
    }
    let mut names = Vec::new();
    let tensors = tensors(&described, origin)?;
    for tensor in &tensors {
        names.extend(naming.name(&tensor.name));
    }
    let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
    let entries = listing.read(&borrowed).map_err(content)?;
    let mut state_dict = StateDict::new();
    for (name, entry) in names.into_iter().zip(entries) {
        if let Entry::Float(tensor) = &entry
            && !tensor.values().iter().all(|value| value.is_finite())
        {
            return Err(ForeignError::NotFinite {
                origin: origin.to_owned(),
                tensor: name,
            });
        }
        state_dict.insert(name, entry).map_err(content)?;
    }
    let mut naming = naming.clone();
    if naming.head.is_none() {
        // The head will be replaced.
        naming.head = Some(NEW_HEAD.to_owned());
        for tensor in &tensors {
            if tensor.name.starts_with("head.linear.")
                && let Some(name) = naming.name(&tensor.name)
            {
                let shape = oriented(&naming, &tensor.shape);
                let values = vec![0.0; shape.iter().product()];
                let zeros =
                    Tensor::new(shape, values).map_err(|error| content(shape_error(error)))?;
                state_dict
                    .insert(name, Entry::Float(zeros))
                    .map_err(content)?;
            }
        }
    }
    let biases = folded_biases(listing, &naming, &tensors);
    let mut own = renamed(state_dict, &naming, &Naming::own(""), &described, origin)?;
    for (mean, bias) in biases {
        let bias = listing.read(&[&bias]).map_err(content)?;
        own = with_bias(own, &mean, &bias).map_err(content)?;
    }
    if is_single {
        own = with_two_outputs(own).map_err(content)?;
    }
    // In burn-store's order, so that a record translated to other names and back is the same file.
    let mut tensors: Vec<_> = own.into_iter().collect();
    tensors.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut sorted = StateDict::new();
    for (name, entry) in tensors {
        sorted.insert(name, entry).map_err(content)?;
    }
    let metadata = BTreeMap::from([("format".to_owned(), "burn".to_owned())]);
    to_safetensors(&sorted, &metadata, Precision::Single).map_err(content)
}

/// A name that no file uses.
const NEW_HEAD: &str = "\0head";

/// Folds a convolution's bias into the running mean of the norm behind it, which is subtracted from
/// the sum. The network stays the same because only the bias minus the mean matters.
fn with_bias(state_dict: StateDict, mean: &str, bias: &[Entry]) -> Result<StateDict, ContentError> {
    let mut changed = StateDict::new();
    for (name, entry) in state_dict {
        let entry = match (entry, bias) {
            (Entry::Float(tensor), [Entry::Float(bias)]) if name == mean => {
                let (shape, values) = tensor.into_parts();
                let values = values.iter().zip(bias.values());
                let values = values.map(|(mean, bias)| mean - bias).collect();
                Entry::Float(Tensor::new(shape, values).map_err(shape_error)?)
            }
            (entry, _) => entry,
        };
        changed.insert(name, entry)?;
    }
    Ok(changed)
}

/// Converts the record of a network with one output to two outputs, the first of which is always 0:
/// `softmax([0, x])` is `[1 - sigmoid(x), sigmoid(x)]`.
fn with_two_outputs(state_dict: StateDict) -> Result<StateDict, ContentError> {
    let mut changed = StateDict::new();
    for (name, entry) in state_dict {
        let entry = match (name.as_str(), entry) {
            (
                "head.linear.weight" | "head.linear.bias" | "linear.weight" | "linear.bias",
                Entry::Float(tensor),
            ) => {
                let (mut shape, values) = tensor.into_parts();
                if let Some(outputs) = shape.last_mut() {
                    *outputs = 2;
                }
                let values = values.into_iter().flat_map(|value| [0.0, value]).collect();
                Entry::Float(Tensor::new(shape, values).map_err(shape_error)?)
            }
            (_, entry) => entry,
        };
        changed.insert(name, entry)?;
    }
    Ok(changed)
}

fn tensors(
    description: &Description,
    origin: &str,
) -> Result<Vec<model::TensorShape>, ForeignError> {
    model::tensors(&description.network).map_err(|source| ForeignError::Config {
        path: origin.into(),
        source,
    })
}

/// Returns the tensors of the described network under other names.
pub(super) fn renamed(
    state_dict: StateDict,
    from: &Naming,
    to: &Naming,
    description: &Description,
    origin: &str,
) -> Result<StateDict, ForeignError> {
    let Description { model, network, .. } = description;
    let tensors = tensors(description, origin)?;
    translate(state_dict, from, to, &tensors).map_err(|problem| match problem {
        Problem::Differences(differences) => ForeignError::Mismatch {
            origin: origin.to_owned(),
            model: model.clone(),
            classes: network.classes(),
            differences: Differences(differences),
        },
        Problem::Unnamed(tensor) => ForeignError::Unnamed {
            model: model.clone(),
            tensor,
        },
        Problem::Content(source) => ForeignError::content(origin, source),
    })
}
