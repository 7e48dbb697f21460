//! Checksum of a set's files, independent of their location.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use files::Hasher;
use rayon::prelude::*;

use super::listing::ImageFile;

/// Approximate number of bytes to read: 256 MiB, which takes a second from a fast disk.
const READ: u64 = 1 << 28;

/// Maximum number of bytes to read from one file.
const READ_OF_ONE: u64 = 1 << 26;

/// Returns a SHA-256 of the files of a set, part by part and in order. It covers the sizes of all
/// files and the bytes of every k-th file, with the smallest k that reads no more than about 256
/// MiB, so a set of up to 256 MiB is hashed completely. Labels, file names and locations are not
/// included, and nothing is decoded. The caller compares labels.
///
/// A file that cannot be read is hashed as unreadable: it may be left out of the set.
pub(super) fn checksum(parts: [Option<&Vec<ImageFile>>; 3]) -> String {
    let files: Vec<&Path> = parts
        .iter()
        .flatten()
        .flat_map(|files| files.iter().map(|file| file.path.as_path()))
        .collect();
    let size = |path: &&Path| fs::metadata(path).map_or(u64::MAX, |metadata| metadata.len());
    let sizes: Vec<u64> = files.par_iter().map(size).collect();
    let readable = sizes.iter().filter(|&&size| size < u64::MAX);
    let total: u64 = readable.sum();
    let step = total.div_ceil(READ).max(1) as usize;
    let digests: Vec<String> = files
        .par_iter()
        .step_by(step)
        .map(|path| digest(path).unwrap_or_default())
        .collect();
    let mut hasher = Hasher::new();
    for part in parts {
        let count = part.map_or(u64::MAX, |files| files.len() as u64);
        hasher.update(&count.to_le_bytes());
    }
    for size in sizes {
        hasher.update(&size.to_le_bytes());
    }
    for digest in digests {
        hasher.update(digest.as_bytes());
        hasher.update(&[0]);
    }
    hasher.sha256()
}

fn digest(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?.take(READ_OF_ONE);
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).ok()? {
            0 => return Some(hasher.sha256()),
            length => hasher.update(&buffer[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_covers_bytes_order_and_parts_only() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            ImageFile { path, label: 0 }
        };
        let [a, b, same, other] = [("a", "12"), ("b", "34"), ("c", "12"), ("d", "13")]
            .map(|(name, text)| write(name, text));
        let of = |train: &[&ImageFile], test: &[&ImageFile]| {
            let [train, test] = [train, test].map(|files| {
                let files = files.iter().map(|&file| file.clone());
                files.collect::<Vec<_>>()
            });
            checksum([Some(&train), None, Some(&test)])
        };
        let before = of(&[&a, &b], &[&a]);
        assert_eq!(before.len(), 64);
        assert_eq!(of(&[&same, &b], &[&a]), before);
        assert_ne!(of(&[&other, &b], &[&a]), before);
        assert_ne!(of(&[&b, &a], &[&a]), before);
        assert_ne!(of(&[&a], &[&b, &a]), before);
        fs::remove_file(&a.path).unwrap();
        assert_ne!(of(&[&a, &b], &[&a]), before);
    }
}
