//! Tensors of small networks in files written by other programs.

use std::fs;
use std::path::{Path, PathBuf};

use saved_models::{SavedModel, WEIGHTS_FILE};
use weights::{Entry, Precision, StateDict, Tensor, WeightsFile, write_safetensors};

pub type Tensors = Vec<(String, Entry)>;

/// Returns the path of a reference file of a small network.
pub fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/references")
        .join(name)
}

/// Reads the tensors of a reference file.
pub fn tensors(name: &str) -> Tensors {
    let file = WeightsFile::read(reference(name)).unwrap();
    file.state_dict.into_iter().collect()
}

pub fn floats(shape: &[usize], value: f32) -> Entry {
    let values = vec![value; shape.iter().product()];
    Entry::Float(Tensor::new(shape.to_vec(), values).unwrap())
}

pub fn integers(shape: &[usize]) -> Entry {
    let values = vec![1; shape.iter().product()];
    Entry::Integer(Tensor::new(shape.to_vec(), values).unwrap())
}

/// Writes tensors under their names.
pub fn write(path: &Path, tensors: impl IntoIterator<Item = (String, Entry)>) {
    let mut state_dict = StateDict::new();
    for (name, entry) in tensors {
        state_dict.insert(name, entry).unwrap();
    }
    write_safetensors(path, &state_dict, &Default::default(), Precision::Single).unwrap();
}

/// Returns the bytes of a saved model's record.
pub fn record(saved: &SavedModel) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    saved.write(folder.path()).unwrap();
    fs::read(folder.path().join(WEIGHTS_FILE)).unwrap()
}
