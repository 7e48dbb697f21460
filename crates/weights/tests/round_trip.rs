//! What is written is read again, bit by bit.

use std::collections::BTreeMap;

use proptest::prelude::*;
use weights::{
    Entry, Precision, StateDict, Tensor, WeightsFile, to_safetensors, write_safetensors,
};

/// Any bits: infinities, quiet and signalling NaNs among them.
fn floats(shape: Vec<usize>) -> impl Strategy<Value = Entry> {
    let count = shape.iter().product::<usize>();
    prop::collection::vec(any::<u32>().prop_map(f32::from_bits), count)
        .prop_map(move |values| Entry::Float(Tensor::new(shape.clone(), values).unwrap()))
}

fn integers(shape: Vec<usize>) -> impl Strategy<Value = Entry> {
    let count = shape.iter().product::<usize>();
    prop::collection::vec(any::<i64>(), count)
        .prop_map(move |values| Entry::Integer(Tensor::new(shape.clone(), values).unwrap()))
}

fn entry() -> impl Strategy<Value = Entry> {
    prop::collection::vec(0_usize..5, 0..4)
        .prop_flat_map(|shape| prop_oneof![floats(shape.clone()), integers(shape)])
}

/// Equality of bits, which tells NaNs apart.
fn same(left: &Entry, right: &Entry) -> bool {
    let bits = |values: &[f32]| {
        values
            .iter()
            .map(|value| value.to_bits())
            .collect::<Vec<_>>()
    };
    match (left, right) {
        (Entry::Float(left), Entry::Float(right)) => {
            left.shape() == right.shape() && bits(left.values()) == bits(right.values())
        }
        (left, right) => left == right,
    }
}

proptest! {
    #[test]
    fn safetensors_keep_every_bit(
        entries in prop::collection::btree_map(any::<String>(), entry(), 0..6),
        metadata in prop::collection::btree_map(any::<String>(), any::<String>(), 0..4),
    ) {
        let mut state_dict = StateDict::new();
        for (name, entry) in entries.into_iter().rev() {
            state_dict.insert(name, entry).unwrap();
        }
        let bytes = to_safetensors(&state_dict, &metadata, Precision::Single).unwrap();
        let file = WeightsFile::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&file.metadata, &metadata);
        prop_assert_eq!(file.state_dict.len(), state_dict.len());
        for (expected, read) in state_dict.iter().zip(file.state_dict.iter()) {
            prop_assert_eq!(expected.0, read.0);
            prop_assert!(same(expected.1, read.1));
        }
    }
}

#[test]
fn safetensors_crate_reads_written_files() {
    let mut state_dict = StateDict::new();
    let weight = Tensor::new(vec![2, 2], vec![1.0, -2.0, f32::NAN, 4.0]).unwrap();
    state_dict.insert("weight", Entry::Float(weight)).unwrap();
    let count = Tensor::new(vec![], vec![-7]).unwrap();
    state_dict.insert("count", Entry::Integer(count)).unwrap();
    let metadata = BTreeMap::from([("format".to_owned(), "pt".to_owned())]);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    write_safetensors(&path, &state_dict, &metadata, Precision::Single).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let read = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let weight = read.tensor("weight").unwrap();
    assert_eq!(weight.dtype(), safetensors::Dtype::F32);
    assert_eq!(weight.shape(), [2, 2]);
    assert_eq!(weight.data()[4..8], (-2.0f32).to_le_bytes());
    assert_eq!(read.tensor("count").unwrap().data(), (-7_i64).to_le_bytes());
}
