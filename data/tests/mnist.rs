//! MNIST and Fashion-MNIST files: where they are found, and what is wrong with bad ones.

use std::fs;
use std::io::Write;
use std::path::Path;

use data::{DataError, DataSet, LoadOptions, PublishedError, Source};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

const IMAGES: &str = "train-images-idx3-ubyte";
const LABELS: &str = "train-labels-idx1-ubyte";

/// An IDX file: a header of big-endian numbers, then bytes.
fn idx(header: &[u32], body: &[u8]) -> Vec<u8> {
    let header = header.iter().flat_map(|number| number.to_be_bytes());
    header.chain(body.iter().copied()).collect()
}

/// The four files of MNIST, plain: six training and three test images of 2x3 pixels.
fn mnist_files() -> [(&'static str, Vec<u8>); 4] {
    let pixels: Vec<u8> = (0..36).collect();
    [
        ("train-images-idx3-ubyte", idx(&[0x0803, 6, 2, 3], &pixels)),
        (
            "train-labels-idx1-ubyte",
            idx(&[0x0801, 6], &[0, 1, 2, 9, 8, 7]),
        ),
        (
            "t10k-images-idx3-ubyte",
            idx(&[0x0803, 3, 2, 3], &pixels[..18]),
        ),
        ("t10k-labels-idx1-ubyte", idx(&[0x0801, 3], &[3, 4, 5])),
    ]
}

/// Writes [`mnist_files`] into a folder.
fn write_mnist(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for (name, content) in mnist_files() {
        fs::write(folder.join(name), content).unwrap();
    }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn load(source: Source, folder: &Path) -> Result<DataSet, DataError> {
    source.load(&LoadOptions::default().with_data_dir(Some(folder.to_owned())))
}

/// Loads MNIST with one of its files replaced.
fn load_with(name: &str, content: &[u8]) -> DataError {
    let folder = TempDir::new().unwrap();
    write_mnist(folder.path());
    fs::write(folder.path().join(name), content).unwrap();
    let error = load(Source::Mnist, folder.path()).unwrap_err();
    assert!(error.to_string().contains(name), "{error}");
    error
}

/// The sizes that a file that is cut off should have and has.
#[track_caller]
fn cut_off(error: &DataError) -> (u64, u64) {
    match error {
        DataError::CutOff {
            expected, found, ..
        } => (*expected, *found),
        error => panic!("{error}"),
    }
}

#[test]
fn unpublished_content_is_rejected() {
    let folder = TempDir::new().unwrap();
    write_mnist(folder.path());
    for source in [Source::Mnist, Source::FashionMnist] {
        let error = load(source, folder.path()).unwrap_err();
        assert!(
            matches!(
                &error,
                DataError::Published(PublishedError::OtherContent { path, .. })
                    if *path == folder.path().join(IMAGES)
            ),
            "{error}"
        );
        assert!(error.hint().unwrap().starts_with("remove "));
    }
}

#[test]
fn wrong_magic_number_is_rejected() {
    let error = load_with(IMAGES, &idx(&[0x0801, 6, 2, 3], &[0; 36]));
    assert!(matches!(
        error,
        DataError::WrongMagic {
            expected: 0x0803,
            found: 0x0801,
            ..
        }
    ));
    let error = load_with(LABELS, &idx(&[0x0803, 6], &[0; 6]));
    assert!(matches!(
        error,
        DataError::WrongMagic {
            expected: 0x0801,
            ..
        }
    ));
}

#[test]
fn truncated_and_overlong_files_are_rejected() {
    let whole = idx(&[0x0803, 6, 2, 3], &[0; 36]);
    for (length, expected) in [(0, 16), (15, 16), (16, 52), (51, 52)] {
        let error = load_with(IMAGES, &whole[..length]);
        assert_eq!(cut_off(&error), (expected, length as u64), "{error}");
    }
    let error = load_with(IMAGES, &[&whole[..], &[0]].concat());
    assert!(matches!(
        error,
        DataError::TrailingBytes { expected: 52, .. }
    ));
    let error = load_with(LABELS, &idx(&[0x0801, 6], &[0; 5]));
    assert_eq!(cut_off(&error), (14, 13));
}

#[test]
fn huge_and_empty_headers_are_rejected_without_allocating() {
    for header in [
        [0x0803, u32::MAX, u32::MAX, u32::MAX],
        [0x0803, u32::MAX, 28, 28],
        [0x0803, 0, 2, 3],
        [0x0803, 6, 0, 3],
    ] {
        let error = load_with(IMAGES, &idx(&header, &[0; 36]));
        assert!(matches!(error, DataError::DeclaredSize { .. }), "{error}");
    }
    // Just under the limit: only what is there is read.
    let error = load_with(IMAGES, &idx(&[0x0803, 1 << 18, 64, 64], &[0; 36]));
    assert_eq!(cut_off(&error).1, 52);
    let error = load_with(LABELS, &idx(&[0x0801, u32::MAX], &[0; 6]));
    assert!(matches!(error, DataError::DeclaredSize { .. }), "{error}");
}

#[test]
fn damaged_gzip_is_rejected() {
    let pixels: Vec<u8> = (0..36).map(|value| value * 7 % 31).collect();
    let packed = gzip(&idx(&[0x0803, 6, 2, 3], &pixels));
    let error = load_with(IMAGES, &packed[..packed.len() / 2]);
    assert!(matches!(error, DataError::CutOff { .. }), "{error}");

    let mut checksum = packed.clone();
    let place = checksum.len() - 8;
    checksum[place] ^= 1;
    let error = load_with(IMAGES, &checksum);
    assert!(matches!(error, DataError::Unpack { .. }), "{error}");

    // Far more than declared, in a small file: no more than declared is unpacked.
    let bomb = gzip(&idx(&[0x0803, 6, 2, 3], &vec![0; 64 << 20]));
    let error = load_with(IMAGES, &bomb);
    assert!(
        matches!(error, DataError::TrailingBytes { expected: 52, .. }),
        "{error}"
    );
}

#[test]
fn labels_must_match_images_and_classes() {
    let error = load_with(LABELS, &idx(&[0x0801, 5], &[0; 5]));
    assert!(matches!(
        error,
        DataError::LabelCount {
            images: 6,
            labels: 5,
            ..
        }
    ));
    let error = load_with(LABELS, &idx(&[0x0801, 6], &[0, 1, 2, 3, 10, 11]));
    assert!(matches!(
        error,
        DataError::LabelOutOfRange {
            index: 4,
            label: 10,
            classes: 10,
            ..
        }
    ));
    assert!(error.to_string().contains("0 to 9"), "{error}");
}

#[test]
fn images_are_resized_when_a_size_is_given() {
    let counted = std::sync::atomic::AtomicUsize::new(0);
    let progress = |progress: data::LoadProgress| {
        assert_eq!(progress.total, 7000);
        counted.fetch_max(progress.done, std::sync::atomic::Ordering::SeqCst);
    };
    let options = LoadOptions::default()
        .with_image_size(Some(16))
        .with_progress(Some(&progress));
    let small = Source::Sample.load(&options).unwrap();
    assert_eq!(counted.into_inner(), 7000);
    assert_eq!(small.train.packed().unwrap().shape(), [1, 16, 16]);
    assert_eq!(small.preprocessing.shape(), [1, 16, 16]);
    // An image of the published size, prepared as for prediction, is the one in the set.
    let whole = Source::Sample.load(&LoadOptions::default()).unwrap();
    let prepared = small
        .preprocessing
        .prepare_bytes(&whole.test.image(5).unwrap())
        .unwrap();
    assert_eq!(small.test.packed().unwrap().planes(5), prepared);
    for image_size in [Some(0), Some(5000)] {
        let options = LoadOptions::default().with_image_size(image_size);
        assert!(matches!(
            Source::Sample.load(&options),
            Err(DataError::Preprocessing(_)) | Err(DataError::TooManyBytes { .. })
        ));
    }
}

#[test]
fn single_images_match_test_part() {
    let data = Source::Sample.load(&LoadOptions::default()).unwrap();
    let files = "t-shirt trouser pullover dress coat sandal shirt sneaker bag ankle-boot";
    for (class, name) in files.split(' ').enumerate() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("sample/images/{name}.png"));
        let image = data::open_image(path).unwrap();
        let bytes = data.preprocessing.prepare_bytes(&image).unwrap();
        let mut labels = data.test.labels().iter();
        let first = labels.position(|&label| label as usize == class).unwrap();
        assert_eq!(bytes, data.test.packed().unwrap().planes(first), "{name}");
    }
}
