//! CIFAR files: how they are read, and what is wrong with bad ones.

use std::fs;
use std::path::Path;

use data::{DataError, DataSet, LoadOptions, PublishedError, Source};
use tempfile::TempDir;

const IMAGE: usize = 3 * 32 * 32;

fn load(source: Source, folder: &Path) -> Result<DataSet, DataError> {
    source.load(&LoadOptions::default().with_data_dir(Some(folder.to_owned())))
}

/// A record whose red plane starts with 1, 2 and whose last blue byte is 9.
fn record(labels: &[u8]) -> Vec<u8> {
    let mut pixels = vec![0; IMAGE];
    (pixels[0], pixels[1], pixels[IMAGE - 1]) = (1, 2, 9);
    [labels, &pixels].concat()
}

fn write_cifar10(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for batch in 1..=5 {
        let content = [record(&[batch]), record(&[0])].concat();
        fs::write(folder.join(format!("data_batch_{batch}.bin")), content).unwrap();
    }
    fs::write(folder.join("test_batch.bin"), record(&[9])).unwrap();
}

#[test]
fn unpublished_content_is_rejected() {
    let root = TempDir::new().unwrap();
    write_cifar10(root.path());
    let error = load(Source::Cifar10, root.path()).unwrap_err();
    assert!(
        matches!(
            &error,
            DataError::Published(PublishedError::OtherContent { path, .. })
                if *path == root.path().join("data_batch_1.bin")
        ),
        "{error}"
    );
    assert!(error.hint().unwrap().starts_with("remove "));
}

#[test]
fn class_names_come_from_published_file() {
    let root = TempDir::new().unwrap();
    fs::write(root.path().join("train.bin"), record(&[1, 2])).unwrap();
    fs::write(root.path().join("test.bin"), record(&[3, 4])).unwrap();
    let names = root.path().join("fine_label_names.txt");
    let hundred: Vec<String> = (0..100).map(|class| format!("class {class}")).collect();
    fs::write(&names, format!("{}\r\n\n", hundred.join("\n"))).unwrap();
    let data = load(Source::Cifar100, root.path()).unwrap();
    assert_eq!(data.class_names, hundred);
    fs::write(&names, "a\nb\n").unwrap();
    let error = load(Source::Cifar100, root.path()).unwrap_err();
    assert!(matches!(
        error,
        DataError::ClassNames {
            expected: 100,
            found: 2,
            ..
        }
    ));
}

#[test]
fn cifar100_uses_fine_labels() {
    let root = TempDir::new().unwrap();
    let folder = root.path().join("cifar-100-binary");
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("train.bin"),
        [record(&[19, 99]), record(&[3, 42])].concat(),
    )
    .unwrap();
    fs::write(folder.join("test.bin"), record(&[0, 1])).unwrap();
    let data = load(Source::Cifar100, root.path()).unwrap();
    assert_eq!(data.train.labels(), [99, 42]);
    let image = data.train.packed().unwrap().planes(1);
    assert_eq!((&image[..3], image[IMAGE - 1]), (&[1, 2, 0][..], 9));
    assert_eq!(data.preprocessing.mean().len(), 3);
    assert_eq!(data.class_names.len(), 100);
    assert_eq!(data.class_names[42], "leopard");
    fs::write(folder.join("test.bin"), record(&[0, 100])).unwrap();
    let error = load(Source::Cifar100, root.path()).unwrap_err();
    assert!(matches!(
        error,
        DataError::LabelOutOfRange {
            label: 100,
            classes: 100,
            ..
        }
    ));
}

#[test]
fn bad_files_are_rejected_by_name() {
    let root = TempDir::new().unwrap();
    write_cifar10(root.path());
    let batch = root.path().join("data_batch_3.bin");
    for content in [vec![], vec![0; IMAGE], [record(&[1]), vec![0]].concat()] {
        fs::write(&batch, &content).unwrap();
        let error = load(Source::Cifar10, root.path()).unwrap_err();
        match &error {
            DataError::RecordLength {
                record: 3073,
                found,
                ..
            } => {
                assert_eq!(*found, content.len() as u64);
            }
            error => panic!("{error}"),
        }
        assert!(error.to_string().contains("data_batch_3.bin"), "{error}");
    }
    fs::write(&batch, [record(&[1]), record(&[10])].concat()).unwrap();
    let error = load(Source::Cifar10, root.path()).unwrap_err();
    assert!(matches!(
        error,
        DataError::LabelOutOfRange {
            index: 1,
            label: 10,
            ..
        }
    ));
}
