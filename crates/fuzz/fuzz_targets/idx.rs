//! MNIST's files, plain or packed: what is read is exactly what the format allows.
//!
//! No content but the published one is accepted in the end, so that "other content" is what a good file comes to.

#![no_main]

use std::sync::OnceLock;

use data::{DataError, LoadOptions, PublishedError, Source};
use libfuzzer_sys::fuzz_target;
use resnet_fuzz::Scratch;

const IMAGES: &str = "train-images-idx3-ubyte";
const LABELS: &str = "train-labels-idx1-ubyte";

fuzz_target!(|input: &[u8]| {
    let Some((&kind, content)) = input.split_first() else {
        return;
    };
    let folder = folder();
    let is_packed = content.starts_with(&[0x1f, 0x8b]);
    // Two images and two labels are the other file.
    let is_valid = if kind % 2 == 0 {
        folder.write_in(IMAGES, content);
        folder.write_in(LABELS, &idx(&[0x0801, 2], &[3, 4]));
        is_images(content)
    } else {
        folder.write_in(IMAGES, &idx(&[0x0803, 2, 1, 1], &[5, 6]));
        folder.write_in(LABELS, content);
        is_labels(content)
    };
    let loaded =
        Source::Mnist.load(&LoadOptions::default().with_data_dir(Some(folder.path().to_owned())));
    let error = loaded.expect_err("it is not the published content");
    let is_read = matches!(
        error,
        DataError::Published(PublishedError::OtherContent { .. })
    );
    assert!(
        is_packed || is_read == is_valid,
        "valid: {is_valid}, but {error}"
    );
});

/// With the test part, which does not change.
fn folder() -> &'static Scratch {
    static FOLDER: OnceLock<()> = OnceLock::new();
    let folder = Scratch::folder();
    FOLDER.get_or_init(|| {
        folder.write_in("t10k-images-idx3-ubyte", &idx(&[0x0803, 1, 1, 1], &[0]));
        folder.write_in("t10k-labels-idx1-ubyte", &idx(&[0x0801, 1], &[0]));
    });
    folder
}

fn idx(header: &[u32], body: &[u8]) -> Vec<u8> {
    let header = header.iter().flat_map(|number| number.to_be_bytes());
    header.chain(body.iter().copied()).collect()
}

/// Two images of any size.
fn is_images(file: &[u8]) -> bool {
    let Some((header, body)) = header::<4>(file) else {
        return false;
    };
    let [magic, count, height, width] = header.map(u128::from);
    magic == 0x0803
        && count == 2
        && body.len() as u128 == count * height * width
        && !body.is_empty()
}

/// Two labels of digits.
fn is_labels(file: &[u8]) -> bool {
    header::<2>(file).is_some_and(|(header, body)| {
        header == [0x0801, 2] && body.len() == 2 && body.iter().all(|&label| label < 10)
    })
}

fn header<const LENGTH: usize>(file: &[u8]) -> Option<([u32; LENGTH], &[u8])> {
    let (header, body) = file.split_at_checked(4 * LENGTH)?;
    let mut numbers = header
        .as_chunks()
        .0
        .iter()
        .map(|digits| u32::from_be_bytes(*digits));
    Some((std::array::from_fn(|_| numbers.next().unwrap_or(0)), body))
}
