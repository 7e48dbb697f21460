use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

/// Returns an archive written by the zip crate.
fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in entries {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn reason(file: &[u8]) -> &'static str {
    match Archive::open(file).unwrap_err() {
        ContentError::Archive { reason, .. } => reason,
        error => panic!("{error}"),
    }
}

#[test]
fn entries_of_other_zip_writers_are_read() {
    let file = zipped(&[("a/b", b"content"), ("a/empty", b"")]);
    let archive = Archive::open(&file).unwrap();
    let entry = archive.get("a/b").unwrap();
    assert_eq!(entry.bytes, b"content");
    assert_eq!(file[entry.offset..][..7], *b"content");
    assert_eq!(archive.get("a/empty").unwrap().bytes, b"");
    assert!(archive.get("b").is_none());
    assert_eq!(archive.names().count(), 2);
}

#[test]
fn trailing_comment_is_accepted() {
    let mut file = zipped(&[("a", b"content")]);
    let length = file.len();
    file[length - 2..].copy_from_slice(&3u16.to_le_bytes());
    file.extend(b"PK!");
    assert!(Archive::open(&file).is_ok());
    file.push(b'x');
    assert_eq!(reason(&file), "it is cut off, its directory is missing");
}

#[test]
fn every_truncation_is_detected() {
    let file = zipped(&[("a", b"content"), ("b", b"more")]);
    for length in 0..file.len() {
        assert!(Archive::open(&file[..length]).is_err(), "{length}");
    }
}

#[test]
fn bit_flips_never_change_content() {
    let file = zipped(&[("a", b"content"), ("b", b"more")]);
    for bit in 0..file.len() * 8 {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(archive) = Archive::open(&flipped) {
            assert!(
                archive
                    .get("a")
                    .is_some_and(|entry| entry.bytes == b"content"),
                "{bit}"
            );
            assert!(
                archive.get("b").is_some_and(|entry| entry.bytes == b"more"),
                "{bit}"
            );
        }
    }
}

#[test]
fn wrong_checksum_names_its_entry() {
    let mut file = zipped(&[("a", b"content"), ("b", b"more")]);
    let place = file
        .windows(4)
        .position(|window| window == b"more")
        .unwrap();
    file[place] ^= 1;
    match Archive::open(&file).unwrap_err() {
        ContentError::Checksum {
            entry,
            offset,
            size,
        } => {
            assert_eq!((entry.as_str(), offset, size), ("b", place as u64, 4));
        }
        error => panic!("{error}"),
    }
}

#[test]
fn damaged_entry_error_is_deterministic() {
    for _ in 0..20 {
        let entry = Entry {
            bytes: b"content",
            offset: 31,
            checksum: 1,
            stored: true,
        };
        let archive = Archive {
            entries: ["c", "a", "b"].map(|name| (name.to_owned(), entry)).into(),
            compressed: None,
        };
        let error = archive.check().unwrap_err();
        assert!(matches!(error, ContentError::Checksum { entry, .. } if entry == "a"));
    }
}

#[test]
fn duplicate_names_are_rejected() {
    let mut file = zipped(&[("a", b"content"), ("b", b"more")]);
    let places: Vec<usize> = (0..file.len())
        .filter(|&place| {
            file[place] == b'b'
                && [30, 46]
                    .iter()
                    .any(|&length| place >= length && file[place - length..].starts_with(b"PK"))
        })
        .collect();
    assert_eq!(places.len(), 2);
    for place in places {
        file[place] = b'a';
    }
    let error = Archive::open(&file).unwrap_err();
    assert!(matches!(error, ContentError::DuplicateEntry { entry } if entry == "a"));
}

#[test]
fn overlapping_entries_are_rejected() {
    // Many directory entries share one large local entry.
    let mut file = zipped(&[("a", &[7; 4000])]);
    let end = end_of_archive(&file).unwrap();
    let start = Directory::find(&file).unwrap().start;
    let record = file[start..end].to_vec();
    let tail = file[end..].to_vec();
    file.truncate(end);
    file.extend(&record);
    let mut tail = tail;
    tail[8..12].copy_from_slice(&[2, 0, 2, 0]);
    tail[12..16].copy_from_slice(&(2 * record.len() as u32).to_le_bytes());
    file.extend(&tail);
    assert_eq!(reason(&file), "its entries overlap");
}
