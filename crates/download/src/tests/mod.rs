//! Downloads from a local test server.

mod cuts;
mod hostile;
mod mirrors;
mod resume;
mod server;
mod together;

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use files::Hasher;
use tempfile::TempDir;

use crate::client::Patience;
use crate::fetch::fetch_with;
use crate::{Download, DownloadError, Outcome, Progress};

/// A folder, the destination of a file, and timeouts without waiting.
struct Setup {
    folder: TempDir,
    path: PathBuf,
    patience: Patience,
    max_bytes: u64,
}

impl Setup {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            path: folder.path().join("file"),
            folder,
            patience: Patience {
                connection: Duration::from_secs(60),
                silence: Duration::from_secs(60),
                pause: Duration::ZERO,
                tries: 3,
                proxy: None,
            },
            max_bytes: 1 << 20,
        }
    }

    /// Fetches a file with these bytes.
    fn fetch(&self, mirrors: &[String], bytes: &[u8]) -> Result<Outcome, DownloadError> {
        self.fetch_watched(mirrors, bytes, &mut |_| ControlFlow::Continue(()))
    }

    fn fetch_watched(
        &self,
        mirrors: &[String],
        bytes: &[u8],
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Outcome, DownloadError> {
        let download = Download {
            mirrors,
            checksum: &sha256(bytes),
            path: &self.path,
            max_bytes: self.max_bytes,
        };
        fetch_with(&download, &self.patience, progress)
    }

    /// Checks that the folder contains only the file.
    fn assert_holds(&self, bytes: &[u8]) {
        assert!(fs::read(&self.path).unwrap() == bytes);
        assert_eq!(self.names(), ["file"]);
    }

    /// Creates the leftovers of an earlier attempt.
    fn leave_part(&self, bytes: &[u8], note: Option<(&str, &str)>) {
        fs::write(self.part(), bytes).unwrap();
        if let Some((url, validator)) = note {
            let note = serde_json::json!({"url": url, "validator": validator});
            fs::write(self.folder.path().join("file.part.json"), note.to_string()).unwrap();
        }
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("file.part")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            // Lock files stay on platforms that cannot remove them safely.
            .filter(|name| cfg!(unix) || name != "file.lock")
            .collect();
        names.sort();
        names
    }
}

fn sha256(bytes: &[u8]) -> String {
    let mut hasher = Hasher::new();
    hasher.update(bytes);
    hasher.sha256()
}

/// Returns bytes without repeating sections.
fn content(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}
