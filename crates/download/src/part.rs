//! Partially downloaded files on disk.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use files::Hasher;
use serde::{Deserialize, Serialize};

use crate::error::DownloadError;
use crate::progress::{Progress, Watch};

/// Number of bytes hashed at a time.
const BLOCK: usize = 1 << 20;

/// Origin of a partial file, so that the rest comes from the same version of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// URL of the file on the mirror.
    pub(crate) url: String,
    /// Validator that the mirror reported for the file: an entity tag or a date.
    pub(crate) validator: String,
}

/// First bytes of a file: `NAME.part`, with a [`Note`] in `NAME.part.json`.
pub(crate) struct PartialFile {
    target: PathBuf,
    path: PathBuf,
    note_path: PathBuf,
    file: File,
    hasher: Hasher,
    length: u64,
    received: u64,
    note: Option<Note>,
}

impl PartialFile {
    /// Opens the bytes that an earlier attempt left for the file at `target`, or starts empty. More
    /// than `max_bytes` are useless and discarded.
    pub(crate) fn open(
        target: &Path,
        max_bytes: u64,
        watch: &mut Watch<'_>,
    ) -> Result<Self, DownloadError> {
        let path = beside(target, OsStr::new(".part"));
        let note_path = beside(target, OsStr::new(".part.json"));
        let file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|source| DownloadError::writing(&path, source))?;
        let there = file
            .metadata()
            .map_err(|source| DownloadError::Read {
                path: path.clone(),
                source,
            })?
            .len();
        let mut part = Self {
            target: target.to_owned(),
            note: read_note(&note_path),
            path,
            note_path,
            file,
            hasher: Hasher::new(),
            length: 0,
            received: 0,
        };
        if there > max_bytes {
            part.restart()?;
        } else if there > 0 {
            part.length = update_from(&mut part.hasher, &mut part.file, &part.path, there, watch)?;
        }
        Ok(part)
    }

    /// Returns the current number of bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Returns the number of bytes added since opening, including discarded ones.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Returns all digits of the SHA-256 of the current bytes.
    pub(crate) fn sha256(&self) -> String {
        self.hasher.sha256()
    }

    /// Returns the validator that a mirror reported for the bytes, if they came from it.
    pub(crate) fn validator(&self, url: &str) -> Option<&str> {
        let note = self.note.as_ref().filter(|note| note.url == url);
        note.map(|note| note.validator.as_str())
    }

    /// Records the origin of the next bytes, in memory and on disk.
    pub(crate) fn set_note(&mut self, note: Option<Note>) -> Result<(), DownloadError> {
        if self.note == note {
            return Ok(());
        }
        match &note {
            Some(note) => {
                let json = serde_json::to_vec(note).map_err(io::Error::from);
                json.and_then(|json| fs::write(&self.note_path, json))
                    .map_err(|source| DownloadError::writing(&self.note_path, source))?;
            }
            None => remove(&self.note_path)?,
        }
        self.note = note;
        Ok(())
    }

    /// Appends bytes.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), DownloadError> {
        self.file
            .write_all(bytes)
            .map_err(|source| DownloadError::writing(&self.path, source))?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        self.received += bytes.len() as u64;
        Ok(())
    }

    /// Discards all bytes.
    pub(crate) fn restart(&mut self) -> Result<(), DownloadError> {
        self.set_note(None)?;
        self.file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .map_err(|source| DownloadError::writing(&self.path, source))?;
        self.hasher = Hasher::new();
        self.length = 0;
        Ok(())
    }

    /// Flushes all bytes to disk, then gives the file its final name.
    pub(crate) fn finish(self) -> Result<(), DownloadError> {
        self.file
            .sync_all()
            .map_err(|source| DownloadError::writing(&self.path, source))?;
        drop(self.file);
        // Remove the note first, because a complete partial file does not need it.
        remove(&self.note_path)?;
        fs::rename(&self.path, &self.target)
            .map_err(|source| DownloadError::writing(&self.target, source))?;
        sync_folder(&self.target);
        Ok(())
    }

    /// Keeps the bytes for a later attempt, or removes the files if there are none.
    pub(crate) fn leave(self) {
        drop(self.file);
        if self.length == 0 {
            // The error that caused the download to fail matters more than a failed cleanup.
            let _ = remove(&self.note_path);
            let _ = remove(&self.path);
        }
    }
}

/// Returns the path of a file next to another one: its name with a suffix.
pub(crate) fn beside(path: &Path, ending: &OsStr) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// Creates the parent folders of a path.
pub(crate) fn make_folder(path: &Path) -> Result<(), DownloadError> {
    if path.file_name().is_none() {
        return Err(DownloadError::Path {
            path: path.to_owned(),
        });
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            fs::create_dir_all(folder).map_err(|source| DownloadError::writing(folder, source))
        }
        _ => Ok(()),
    }
}

/// Hashes up to the first `length` bytes of an open file and returns how many there were.
pub(crate) fn update_from(
    hasher: &mut Hasher,
    file: &mut File,
    path: &Path,
    length: u64,
    watch: &mut Watch<'_>,
) -> Result<u64, DownloadError> {
    let mut bytes = file.take(length);
    let mut block = vec![0; BLOCK];
    let mut checked = 0;
    loop {
        watch.say(Progress::Checking {
            checked,
            total: length,
        })?;
        match bytes.read(&mut block) {
            Ok(0) => return Ok(checked),
            Ok(count) => {
                hasher.update(&block[..count]);
                checked += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => {
                return Err(DownloadError::Read {
                    path: path.to_owned(),
                    source,
                });
            }
        }
    }
}

/// Reads a note; `None` if it is missing or cannot be sent to a mirror.
fn read_note(path: &Path) -> Option<Note> {
    let note: Note =
        serde_json::from_slice(&files::read_file(path, files::MAX_SETTINGS_BYTES).ok()?).ok()?;
    let printable = |byte| (b' '..=b'~').contains(&byte);
    note.validator.bytes().all(printable).then_some(note)
}

fn remove(path: &Path) -> Result<(), DownloadError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(DownloadError::writing(path, error))
        }
        _ => Ok(()),
    }
}

/// Flushes a new name to disk on systems that can open folders. Failure does not matter, because
/// the file is complete in any case.
fn sync_folder(path: &Path) {
    if cfg!(unix)
        && let Some(folder) = path.parent()
        && let Ok(folder) = File::open(folder)
    {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;

    fn open(target: &Path) -> PartialFile {
        let mut go_on = |_| ControlFlow::Continue(());
        PartialFile::open(target, 100, &mut Watch::new(&mut go_on)).unwrap()
    }

    fn note(validator: &str) -> Option<Note> {
        Some(Note {
            url: "https://mirror/file".into(),
            validator: validator.into(),
        })
    }

    #[test]
    fn part_continues_from_existing_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("file");
        let mut part = open(&target);
        part.set_note(note("\"1\"")).unwrap();
        part.append(b"ab").unwrap();
        part.leave();

        let mut part = open(&target);
        assert_eq!(part.length(), 2);
        assert_eq!(part.validator("https://mirror/file"), Some("\"1\""));
        assert_eq!(part.validator("https://another/file"), None);
        part.append(b"c").unwrap();
        assert!(part.sha256().starts_with("ba7816bf"));
        part.finish().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"abc");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn empty_part_leaves_no_files() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("file");
        fs::write(folder.path().join("file.part"), [0; 101]).unwrap();
        let mut part = open(&target);
        assert_eq!(part.length(), 0);
        part.set_note(note("\"1\"")).unwrap();
        part.append(b"wrong").unwrap();
        part.restart().unwrap();
        part.leave();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn invalid_part_record_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("file");
        for text in [
            "",
            "{",
            "{\"url\": \"https://mirror/file\", \"validator\": \"a\\r\\nb\"}",
        ] {
            fs::write(folder.path().join("file.part.json"), text).unwrap();
            assert_eq!(open(&target).validator("https://mirror/file"), None);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn full_disk_has_its_own_error() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("file");
        std::os::unix::fs::symlink("/dev/full", folder.path().join("file.part")).unwrap();
        let error = open(&target).append(b"abc").unwrap_err();
        assert!(matches!(error, DownloadError::DiskFull { .. }), "{error}");
        assert!(error.hint().unwrap().contains("free some space"));
    }
}
