//! A state dict under other names.

use std::collections::HashMap;

use model::TensorShape;
use weights::{ContentError, Entry, StateDict, Tensor};

use super::naming::Naming;
use crate::difference::Difference;

/// The reason why a state dict cannot be translated to another naming.
pub(super) enum Problem {
    /// The tensors do not match the network.
    Differences(Vec<Difference>),
    /// The naming has no name for this tensor, given by our name.
    Unnamed(String),
    /// Two tensors would have the same name.
    Content(ContentError),
}

impl From<ContentError> for Problem {
    fn from(error: ContentError) -> Self {
        Self::Content(error)
    }
}

/// Translates the tensors of a network to other names, in the network's order.
///
/// Every tensor of the network must be present with its shape, and no other. Only PyTorch's batch
/// counters, which are not used in computation, are optional; new ones start at 0.
pub(super) fn translate(
    state_dict: StateDict,
    from: &Naming,
    to: &Naming,
    tensors: &[TensorShape],
) -> Result<StateDict, Problem> {
    let transposes = from.outputs_first() != to.outputs_first();
    let mut left: HashMap<String, (usize, Entry)> = state_dict
        .into_iter()
        .enumerate()
        .map(|(place, (name, entry))| (name, (place, entry)))
        .collect();
    let mut translated = StateDict::new();
    let mut differences = Vec::new();
    for TensorShape { name: own, shape } in tensors {
        let unnamed = || Problem::Unnamed(own.clone());
        let name = from.name(own).ok_or_else(unnamed)?;
        let new_name = to.name(own).ok_or_else(unnamed)?;
        let expected = oriented(from, shape);
        let entry = left.remove(&name).map(|(_, entry)| entry);
        let difference = Difference::of(&name, &expected, entry.as_ref().into());
        differences.extend(difference);
        if let Some(Entry::Float(tensor)) = entry
            && tensor.shape() == expected
        {
            let tensor = match expected[..] {
                [rows, columns] if transposes => transposed(tensor, rows, columns)?,
                _ => tensor,
            };
            translated.insert(new_name, Entry::Float(tensor))?;
        }
        if let Some(counter) = from.counter(own)
            && left
                .get(&counter)
                .is_some_and(|(_, entry)| is_number(entry))
        {
            left.remove(&counter);
        }
        if let Some(counter) = to.counter(own) {
            let zero = Tensor::new(vec![], vec![0]).map_err(shape_error)?;
            translated.insert(counter, Entry::Integer(zero))?;
        }
    }
    let mut extra: Vec<_> = left.into_iter().collect();
    extra.sort_by_key(|(_, (place, _))| *place);
    differences.extend(
        extra
            .into_iter()
            .map(|(name, (_, entry))| Difference::Extra {
                name,
                shape: entry.shape().to_vec(),
            }),
    );
    match differences.is_empty() {
        true => Ok(translated),
        false => Err(Problem::Differences(differences)),
    }
}

/// Converts a shape between our layout and a naming's, in either direction. Only the weights of
/// linear layers have two dimensions.
pub(super) fn oriented(naming: &Naming, shape: &[usize]) -> Vec<usize> {
    match *shape {
        [inputs, outputs] if naming.outputs_first() => vec![outputs, inputs],
        _ => shape.to_vec(),
    }
}

fn transposed(tensor: Tensor, rows: usize, columns: usize) -> Result<Tensor, ContentError> {
    let values = tensor.values();
    let values = (0..columns)
        .flat_map(|column| (0..rows).map(move |row| values[row * columns + column]))
        .collect();
    Tensor::new(vec![columns, rows], values).map_err(shape_error)
}

fn is_number(entry: &Entry) -> bool {
    entry.shape().iter().all(|&size| size == 1)
}

pub(super) fn shape_error(error: weights::ShapeError) -> ContentError {
    ContentError::Safetensors {
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        let tensor = Tensor::new(vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let turned = transposed(tensor, 2, 3).unwrap();
        assert_eq!(turned.shape(), [3, 2]);
        assert_eq!(turned.values(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }
}
