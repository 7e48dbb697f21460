//! Where targets write what libraries read from files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A path in the system's temporary folder, which `run.sh` puts into memory. It is the same for the whole process.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Of a file.
    pub fn file() -> &'static Self {
        static FILE: OnceLock<Scratch> = OnceLock::new();
        FILE.get_or_init(|| Self(Self::path_for("file")))
    }

    /// Of a folder, which is there.
    pub fn folder() -> &'static Self {
        static FOLDER: OnceLock<Scratch> = OnceLock::new();
        FOLDER.get_or_init(|| {
            let path = Self::path_for("folder");
            fs::create_dir_all(&path).expect("the temporary folder can be written");
            Self(path)
        })
    }

    fn path_for(kind: &str) -> PathBuf {
        std::env::temp_dir().join(format!("fuzz-{}-{kind}", std::process::id()))
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Replaces the file.
    pub fn write(&self, content: &[u8]) {
        fs::write(&self.0, content).expect("the temporary folder can be written");
    }

    /// Replaces a file in the folder.
    pub fn write_in(&self, name: &str, content: &[u8]) {
        fs::write(self.0.join(name), content).expect("the temporary folder can be written");
    }
}
