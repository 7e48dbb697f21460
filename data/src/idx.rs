//! The IDX format of MNIST and Fashion-MNIST, plain or compressed with gzip.
//!
//! A header of big-endian 32-bit numbers (magic, count, and for images height and width), then one
//! byte per pixel or label. Described at <http://yann.lecun.com/exdb/mnist/>.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;

use crate::error::DataError;

const IMAGES_MAGIC: u32 = 0x0803;
const LABELS_MAGIC: u32 = 0x0801;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Maximum number of bytes that a file may declare; the largest published file of this kind
/// (EMNIST) holds 547 MB.
const MAX_BYTES: u64 = 1 << 30;

/// Gray images of one size, `[count, height, width]`.
pub(crate) struct IdxImages {
    pub height: usize,
    pub width: usize,
    pub pixels: Vec<u8>,
}

impl IdxImages {
    pub(crate) fn count(&self) -> usize {
        self.pixels.len() / (self.height * self.width)
    }
}

/// Reads the images of a decompressed file; `path` is used in errors.
pub(crate) fn read_images(mut file: impl Read, path: &Path) -> Result<IdxImages, DataError> {
    let [magic, count, height, width] = header(&mut file, path)?;
    check_magic(magic, IMAGES_MAGIC, "images", path)?;
    let bytes = [count, height, width]
        .into_iter()
        .try_fold(1_u64, |product, size| product.checked_mul(size.into()))
        .filter(|bytes| (1..=MAX_BYTES).contains(bytes))
        .ok_or_else(|| DataError::DeclaredSize {
            path: path.to_owned(),
            count,
            height,
            width,
            limit: MAX_BYTES,
        })?;
    Ok(IdxImages {
        height: height as usize,
        width: width as usize,
        pixels: body(&mut file, 16, bytes, path)?,
    })
}

/// Reads the labels of a decompressed file; `path` is used in errors.
pub(crate) fn read_labels(mut file: impl Read, path: &Path) -> Result<Vec<u8>, DataError> {
    let [magic, count] = header(&mut file, path)?;
    check_magic(magic, LABELS_MAGIC, "labels", path)?;
    if !(1..=MAX_BYTES).contains(&count.into()) {
        return Err(DataError::DeclaredSize {
            path: path.to_owned(),
            count,
            height: 1,
            width: 1,
            limit: MAX_BYTES,
        });
    }
    body(&mut file, 8, count.into(), path)
}

/// Opens a file for the functions above.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>, DataError> {
    let file = files::open_file(path).map_err(|source| failed(source, path))?;
    unpacked(BufReader::new(file), path)
}

/// Returns the content of a file, decompressed if it is gzip. Detected from the content, because a
/// browser may decompress a file without renaming it.
pub(crate) fn unpacked<'a>(
    mut file: impl BufRead + 'a,
    path: &Path,
) -> Result<Box<dyn Read + 'a>, DataError> {
    let start = file.fill_buf().map_err(|source| failed(source, path))?;
    if start.starts_with(&GZIP_MAGIC) {
        Ok(Box::new(GzDecoder::new(file)))
    } else {
        Ok(Box::new(file))
    }
}

fn header<const LENGTH: usize>(
    file: &mut impl Read,
    path: &Path,
) -> Result<[u32; LENGTH], DataError> {
    let bytes = read_up_to(file, LENGTH as u64 * 4, path)?;
    let mut numbers = [0; LENGTH];
    if bytes.len() < LENGTH * 4 {
        return Err(DataError::CutOff {
            path: path.to_owned(),
            expected: LENGTH as u64 * 4,
            found: bytes.len() as u64,
        });
    }
    for (number, bytes) in numbers.iter_mut().zip(bytes.as_chunks().0) {
        *number = u32::from_be_bytes(*bytes);
    }
    Ok(numbers)
}

fn check_magic(
    found: u32,
    expected: u32,
    content: &'static str,
    path: &Path,
) -> Result<(), DataError> {
    if found == expected {
        return Ok(());
    }
    Err(DataError::WrongMagic {
        path: path.to_owned(),
        content,
        expected,
        found,
    })
}

/// Reads the bytes after the header: exactly the declared number. Reads at most one byte more.
fn body(
    file: &mut impl Read,
    header: u64,
    declared: u64,
    path: &Path,
) -> Result<Vec<u8>, DataError> {
    let bytes = read_up_to(file, declared + 1, path)?;
    let found = bytes.len() as u64;
    let path = || path.to_owned();
    let expected = header + declared;
    if found < declared {
        Err(DataError::CutOff {
            path: path(),
            expected,
            found: header + found,
        })
    } else if found > declared {
        Err(DataError::TrailingBytes {
            path: path(),
            expected,
        })
    } else {
        Ok(bytes)
    }
}

/// Reads to the end, or `limit` bytes. For a truncated gzip stream, returns the bytes before the
/// end. Memory grows with the bytes read, not with the size that a header declares.
fn read_up_to(file: &mut impl Read, limit: u64, path: &Path) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    match file.take(limit).read_to_end(&mut bytes) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(failed(error, path)),
        _ => Ok(bytes),
    }
}

fn failed(source: io::Error, path: &Path) -> DataError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            DataError::Unpack { path, source }
        }
        _ => DataError::Read { path, source },
    }
}
