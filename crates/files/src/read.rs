//! Reads files named by the user without blocking forever or exhausting memory.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// Size limit for settings files, in bytes.
pub const MAX_SETTINGS_BYTES: u64 = 1 << 20;
/// Size limit for JSON documents, such as the description of a model, in bytes.
pub const MAX_DOCUMENT_BYTES: u64 = 64 << 20;
/// Size limit for weights and checkpoints, which are loaded into memory as a whole, in bytes.
pub const MAX_WEIGHTS_BYTES: u64 = 16 << 30;

/// Reason for refusing to read a path that the system would read. [`open_file`] and the functions
/// based on it return it inside an [`io::Error`]; [`io::Error::get_ref`] finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The path is not a regular file.
    #[error("it is {kind}, not a regular file")]
    NotAFile {
        /// Kind of the path.
        kind: &'static str,
    },
    /// The file is larger than the limit for its kind.
    #[error("it has more than {limit} bytes")]
    TooLarge {
        /// Maximum number of bytes read.
        limit: u64,
    },
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        let kind = match error {
            ReadError::NotAFile { kind } if kind == FOLDER => io::ErrorKind::IsADirectory,
            ReadError::NotAFile { .. } => io::ErrorKind::InvalidInput,
            ReadError::TooLarge { .. } => io::ErrorKind::FileTooLarge,
        };
        Self::new(kind, error)
    }
}

const FOLDER: &str = "a folder";

/// Opens a regular file for reading, or a link to one.
///
/// ```
/// let error = files::open_file("/").unwrap_err();
/// assert_eq!(error.to_string(), "it is a folder, not a regular file");
/// ```
///
/// # Errors
///
/// The system's error, or [`ReadError::NotAFile`] for a folder, pipe, socket or device; the last
/// three may return bytes without end or block forever.
pub fn open_file(path: impl AsRef<Path>) -> io::Result<File> {
    let path = path.as_ref();
    // Opening some devices has side effects, so the kind is checked before as well as after.
    check(&fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    do_not_wait(&mut options);
    let file = options.open(path)?;
    check(&file.metadata()?)?;
    Ok(file)
}

/// Opens without blocking, in case a pipe replaced the file after the check.
#[cfg(unix)]
fn do_not_wait(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
}

#[cfg(not(unix))]
fn do_not_wait(_: &mut OpenOptions) {}

/// Opens a regular file, or a link to one, for appending; creates it if it is missing.
///
/// # Errors
///
/// The system's error, or [`ReadError::NotAFile`], as for [`open_file`].
pub fn append_file(path: impl AsRef<Path>) -> io::Result<File> {
    let path = path.as_ref();
    match fs::metadata(path) {
        Ok(metadata) => check(&metadata)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    do_not_wait(&mut options);
    let file = options.open(path)?;
    check(&file.metadata()?)?;
    Ok(file)
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
///
/// Like [`open_file`], and [`ReadError::TooLarge`].
pub fn read_file(path: impl AsRef<Path>, limit: u64) -> io::Result<Vec<u8>> {
    read_rest(open_file(path)?, Vec::new(), limit)
}

/// Reads the rest of an open file after the bytes already read, at most `limit` bytes in total.
///
/// # Errors
///
/// The system's error, or [`ReadError::TooLarge`].
pub fn read_rest(file: File, mut bytes: Vec<u8>, limit: u64) -> io::Result<Vec<u8>> {
    let too_large = || io::Error::from(ReadError::TooLarge { limit });
    let length = file.metadata()?.len();
    if length > limit {
        return Err(too_large());
    }
    let missing = length.saturating_sub(bytes.len() as u64);
    bytes
        .try_reserve_exact(usize::try_from(missing).map_err(|_| too_large())?)
        .map_err(|_| io::ErrorKind::OutOfMemory)?;
    // The file may grow in the meantime.
    let room = (limit + 1).saturating_sub(bytes.len() as u64);
    file.take(room).read_to_end(&mut bytes)?;
    match bytes.len() as u64 <= limit {
        true => Ok(bytes),
        false => Err(too_large()),
    }
}

/// Reads a regular text file of at most `limit` bytes.
///
/// # Errors
///
/// Like [`read_file`], and [`io::ErrorKind::InvalidData`] if it is not UTF-8.
pub fn read_text(path: impl AsRef<Path>, limit: u64) -> io::Result<String> {
    String::from_utf8(read_file(path, limit)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not text in UTF-8"))
}

fn check(metadata: &Metadata) -> io::Result<()> {
    match metadata.is_file() {
        true => Ok(()),
        false => Err(ReadError::NotAFile {
            kind: kind(metadata),
        }
        .into()),
    }
}

fn kind(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() {
        return FOLDER;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let kind = metadata.file_type();
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
    }
    "a device"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(error: &io::Error) -> Option<&ReadError> {
        error.get_ref()?.downcast_ref()
    }

    #[test]
    fn file_of_exactly_the_limit_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read_file(&path, 5).unwrap(), b"12345");
        assert_eq!(read_text(&path, 5).unwrap(), "12345");
        let error = read_file(&path, 4).unwrap_err();
        assert_eq!(reason(&error), Some(&ReadError::TooLarge { limit: 4 }));
        fs::write(&path, [0xff]).unwrap();
        let error = read_text(&path, 5).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let error = read_file(folder.path().join("missing"), 5).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn endless_file_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let error = read_file(&path, MAX_WEIGHTS_BYTES).unwrap_err();
        assert!(matches!(reason(&error), Some(ReadError::TooLarge { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn only_regular_files_are_opened() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        use std::os::unix::fs::symlink;
        use std::os::unix::net::UnixListener;

        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
        let socket = folder.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        let link = folder.path().join("link");
        symlink(&pipe, &link).unwrap();
        for (path, kind) in [
            (pipe.as_path(), "a pipe"),
            (&link, "a pipe"),
            (&socket, "a socket"),
            (Path::new("/dev/zero"), "a device"),
            (folder.path(), FOLDER),
        ] {
            let error = read_file(path, 10).unwrap_err();
            assert_eq!(reason(&error), Some(&ReadError::NotAFile { kind }));
        }
    }
}
