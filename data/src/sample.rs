//! The embedded sample of Fashion-MNIST; `sample/README.md` says how it was made.

use std::path::Path;

use crate::error::DataError;
use crate::idx;
use crate::mnist;
use crate::packed::PackedImages;

/// Embeds a decompressed file of the sample, with its name in errors.
macro_rules! embedded {
    ($name:literal) => {{
        let path = Path::new(concat!("sample/", $name));
        let bytes = include_bytes!(concat!("../sample/", $name)).as_slice();
        (idx::unpacked(bytes, path)?, path)
    }};
}

/// Loads the training and test images of the sample.
pub(crate) fn load() -> Result<(PackedImages, PackedImages), DataError> {
    let train = mnist::paired(
        embedded!("train-images-idx3-ubyte.gz"),
        embedded!("train-labels-idx1-ubyte.gz"),
    )?;
    let test = mnist::paired(
        embedded!("t10k-images-idx3-ubyte.gz"),
        embedded!("t10k-labels-idx1-ubyte.gz"),
    )?;
    Ok((train, test))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_is_balanced() {
        let (train, test) = load().unwrap();
        for (images, each) in [(train, 600), (test, 100)] {
            assert_eq!(images.shape(), [1, 28, 28]);
            assert_eq!(images.len(), 10 * each);
            for class in 0..10 {
                let count = images
                    .labels()
                    .iter()
                    .filter(|&&label| label == class)
                    .count();
                assert_eq!(count, each, "class {class}");
            }
        }
    }
}
