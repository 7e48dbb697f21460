//! CIFAR's files: what is read is exactly what the format allows, with the labels and pixels of the file.

#![no_main]

use data::{DataError, LoadOptions, PublishedError, Source};
use libfuzzer_sys::fuzz_target;
use resnet_fuzz::Scratch;

const PIXELS: usize = 3 * 32 * 32;
const CLASSES: usize = 100;

fuzz_target!(|input: &[u8]| {
    let Some((&kind, content)) = input.split_first() else {
        return;
    };
    let folder = Scratch::folder();
    let load = |source: Source| {
        source.load(&LoadOptions::default().with_data_dir(Some(folder.path().to_owned())))
    };
    match kind % 4 {
        // CIFAR-10, of which only the published content is accepted in the end.
        0 => {
            for batch in 1..=5 {
                folder.write_in(&format!("data_batch_{batch}.bin"), content);
            }
            folder.write_in("test_batch.bin", content);
            let error = load(Source::Cifar10).expect_err("it is not the published content");
            let is_read = matches!(
                error,
                DataError::Published(PublishedError::OtherContent { .. })
            );
            let record = 1 + PIXELS;
            let is_valid = is_whole(content, record)
                && content.iter().step_by(record).all(|&label| label < 10);
            assert_eq!(is_read, is_valid, "{error}");
        }
        1 => {
            folder.write_in("train.bin", content);
            folder.write_in("test.bin", &record(0));
            folder.write_in("fine_label_names.txt", &names());
            check(content, load(Source::Cifar100));
        }
        2 => {
            folder.write_in("train.bin", &record(1));
            folder.write_in("test.bin", content);
            folder.write_in("fine_label_names.txt", &names());
            check(content, load(Source::Cifar100));
        }
        // The names of the classes.
        _ => {
            folder.write_in("train.bin", &record(1));
            folder.write_in("test.bin", &record(0));
            folder.write_in("fine_label_names.txt", content);
            if let Ok(data) = load(Source::Cifar100) {
                assert_eq!(data.class_names.len(), CLASSES);
            }
        }
    }
});

/// A file of CIFAR-100 beside a good one.
fn check(content: &[u8], loaded: Result<data::DataSet, DataError>) {
    let record = 2 + PIXELS;
    let labels = content.iter().skip(1).step_by(record);
    let is_valid =
        is_whole(content, record) && labels.clone().all(|&label| usize::from(label) < CLASSES);
    match loaded {
        Ok(data) => {
            assert!(is_valid, "it has {} bytes", content.len());
            assert_eq!(
                data.train.len() + data.test.len(),
                1 + content.len() / record
            );
        }
        Err(error) => assert!(!is_valid, "{error}"),
    }
}

fn is_whole(content: &[u8], record: usize) -> bool {
    !content.is_empty() && content.len() % record == 0
}

fn record(label: u8) -> Vec<u8> {
    [&[0, label][..], &[7; PIXELS]].concat()
}

fn names() -> Vec<u8> {
    let names = (0..CLASSES).map(|class| format!("class {class}\n"));
    names.collect::<String>().into_bytes()
}
