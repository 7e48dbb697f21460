//! What holds for every file of weights.

use weights::{Entry, Precision, WeightsFile, to_safetensors};

/// Reads a file, and checks that it is read the same again and survives being written as safetensors.
pub fn check(content: &[u8]) {
    let read = WeightsFile::from_bytes(content);
    let again = WeightsFile::from_bytes(content);
    let file = match (read, again) {
        (Ok(file), Ok(again)) => {
            // Not `==`, for which NaN differs from itself.
            assert_eq!(bytes(&file), bytes(&again), "two readings differ");
            file
        }
        (Err(one), Err(other)) => {
            assert_eq!(one.to_string(), other.to_string());
            return;
        }
        _ => panic!("only one of two readings failed"),
    };
    for (name, entry) in file.state_dict.iter() {
        let values = match entry {
            Entry::Float(tensor) => tensor.values().len(),
            Entry::Integer(tensor) => tensor.values().len(),
        };
        let product = entry.shape().iter().fold(1_u128, |product, &size| {
            product.saturating_mul(size as u128)
        });
        assert_eq!(values as u128, product, "{name} has {:?}", entry.shape());
    }
    let Some(written) = bytes(&file) else {
        return;
    };
    let read = WeightsFile::from_bytes(&written).expect("what was written is read");
    assert_eq!(bytes(&read), Some(written), "a copy differs");
    assert_eq!(read.state_dict.len(), file.state_dict.len());
}

/// As safetensors; `None` where a name is not allowed there.
fn bytes(file: &WeightsFile) -> Option<Vec<u8>> {
    to_safetensors(&file.state_dict, &file.metadata, Precision::Single).ok()
}
