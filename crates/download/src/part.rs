//! What has arrived of a file, on the disk.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use files::Hasher;
use serde::{Deserialize, Serialize};

use crate::checksum::update_from;
use crate::error::DownloadError;
use crate::progress::Watch;

/// Where a part came from, so that the rest is of the same file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// The mirror's address of the file.
    pub(crate) url: String,
    /// What the mirror called the file's state: an entity tag or a date.
    pub(crate) validator: String,
}

/// The first bytes of a file: `NAME.part`, with a [`Note`] in `NAME.part.json`.
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
    /// Opens what an earlier try left of the file at `target`, or starts with nothing. More than
    /// `max_bytes` are of no use and thrown away.
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

    /// Bytes that are there.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Bytes that were added since it was opened, with those thrown away.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// All digits of the SHA-256 of the bytes that are there.
    pub(crate) fn sha256(&self) -> String {
        self.hasher.sha256()
    }

    /// What a mirror called the state of the file that the bytes are of, if they came from there.
    pub(crate) fn validator(&self, url: &str) -> Option<&str> {
        let note = self.note.as_ref().filter(|note| note.url == url);
        note.map(|note| note.validator.as_str())
    }

    /// Keeps in mind where the next bytes come from, on the disk too.
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

    /// Adds bytes.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), DownloadError> {
        self.file
            .write_all(bytes)
            .map_err(|source| DownloadError::writing(&self.path, source))?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        self.received += bytes.len() as u64;
        Ok(())
    }

    /// Throws away all that is there.
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

    /// Gives the file its name, once all its bytes are on the disk itself.
    pub(crate) fn finish(self) -> Result<(), DownloadError> {
        self.file
            .sync_all()
            .map_err(|source| DownloadError::writing(&self.path, source))?;
        drop(self.file);
        // First, because what is left of a part that is whole needs no note.
        remove(&self.note_path)?;
        fs::rename(&self.path, &self.target)
            .map_err(|source| DownloadError::writing(&self.target, source))?;
        sync_folder(&self.target);
        Ok(())
    }

    /// Leaves what is there for another time, and no files where nothing is there.
    pub(crate) fn leave(self) {
        drop(self.file);
        if self.length == 0 {
            // Whatever made the download fail is worth more than that this failed too.
            let _ = remove(&self.note_path);
            let _ = remove(&self.path);
        }
    }
}

/// The path of a file beside another one: its name with an ending.
pub(crate) fn beside(path: &Path, ending: &OsStr) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// `None` if there is no note, or none that can be sent to a mirror.
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

/// Puts a new name on the disk itself, where folders can be opened for that. The file is whole in any
/// case, so it does not matter if not.
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
    fn goes_on_from_what_is_there() {
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
    fn nothing_leaves_nothing() {
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
    fn a_note_that_makes_no_sense_is_none() {
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
    fn a_full_disk_is_told_from_other_troubles() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("file");
        std::os::unix::fs::symlink("/dev/full", folder.path().join("file.part")).unwrap();
        let error = open(&target).append(b"abc").unwrap_err();
        assert!(matches!(error, DownloadError::DiskFull { .. }), "{error}");
        assert!(error.hint().unwrap().contains("make space"));
    }
}
