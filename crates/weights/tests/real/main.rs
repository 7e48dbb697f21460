//! Files that PyTorch wrote, made by `make_files.py`: every value, and every way to damage them.

mod choice;
mod damage;
mod refused;
mod values;

use std::fs;
use std::path::PathBuf;

use weights::{ContentError, Entry, StateDict, Tensor, WeightsFile};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/files")
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap()
}

#[track_caller]
fn read(name: &str) -> WeightsFile {
    WeightsFile::read(folder().join(name)).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn error(name: &str) -> ContentError {
    WeightsFile::from_bytes(&bytes(name)).unwrap_err()
}

/// Element `i` of the tensor with a seed, as in `make_files.py`.
fn number(seed: usize, i: usize) -> f32 {
    whole_number(seed, i) as f32 / 8.0
}

fn whole_number(seed: usize, i: usize) -> i64 {
    ((7 * i + seed) % 64) as i64 - 20
}

fn floats(seed: usize, shape: &[usize]) -> Entry {
    let values = (0..shape.iter().product()).map(|i| number(seed, i));
    Entry::Float(Tensor::new(shape.to_vec(), values.collect()).unwrap())
}

fn integers(seed: usize, shape: &[usize], add: i64) -> Entry {
    let values = (0..shape.iter().product()).map(|i| whole_number(seed, i) + add);
    Entry::Integer(Tensor::new(shape.to_vec(), values.collect()).unwrap())
}

/// The state dict of the network in `make_files.py`.
fn tiny() -> StateDict {
    let mut state_dict = StateDict::new();
    for (name, entry) in [
        ("conv1.weight", floats(0, &[2, 1, 3, 3])),
        ("bn1.weight", floats(1, &[2])),
        ("bn1.bias", floats(2, &[2])),
        ("bn1.running_mean", floats(3, &[2])),
        ("bn1.running_var", floats(4, &[2])),
        ("bn1.num_batches_tracked", integers(5, &[], 0)),
        ("fc.weight", floats(6, &[3, 2])),
        ("fc.bias", floats(7, &[3])),
    ] {
        state_dict.insert(name, entry).unwrap();
    }
    state_dict
}

fn names(state_dict: &StateDict) -> Vec<&str> {
    state_dict.iter().map(|(name, _)| name).collect()
}
