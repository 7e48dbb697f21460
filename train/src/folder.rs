//! The run's folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data::Source;
use files::{Checksums, SealError, seal, sha256, unseal, write_atomically};
use saved_models::{DESCRIPTION_FILE, Description};

use crate::error::TrainError;
use crate::settings::TrainConfig;

/// The complete config, resolved from flags and file.
const CONFIG_FILE: &str = "config.toml";
/// The config of the run that a model was made from.
const SOURCE_FILE: &str = "source.toml";
/// Start of the config's last line: a comment with the checksum of the preceding lines.
const CONFIG_CHECKSUM: &str = "# sha256: ";
/// Digits of a SHA-256. A damaged one still has half of them in a row, unlike anything else in a config.
const CHECKSUM_DIGITS: usize = 64;
/// Description of the weights that the run started from.
const START_FILE: &str = "start.json";
/// Test metrics of the best model.
pub(crate) const TEST_FILE: &str = "test.json";
/// Checkpoints, from which a run is resumed.
pub(crate) const CHECKPOINT_FOLDER: &str = "checkpoint";
/// File in [`CHECKPOINT_FOLDER`] that names the latest complete checkpoint.
pub(crate) const LATEST_FILE: &str = "latest.json";
/// The best weights without averaging, if a moving average is kept.
pub(crate) const RAW_FOLDER: &str = "raw";

/// Folder of a run.
///
/// | file | contents |
/// |---|---|
/// | `config.toml` | every setting |
/// | `start.json` | description of the weights that the run started from, if any |
/// | `model.safetensors`, `model.json` | the best model so far and its description |
/// | `test.json` | its test metrics, at the end |
/// | `raw/` | the same three files for the weights without averaging, if a moving average is kept |
/// | `checkpoint/` | the last checkpoint |
/// | `events.jsonl` | events, one line of JSON each |
/// | `experiment.log` | log messages of the libraries |
/// | `lock` | empty; held while a program trains the run |
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Creates the folder of a new run and writes the config and a description of the starting weights, if any. If the
    /// config does not name the run, `model` becomes part of the name.
    ///
    /// # Errors
    ///
    /// If the folder exists and is not empty, or cannot be written.
    pub fn create(
        config: &TrainConfig,
        model: &str,
        start: Option<&Description>,
    ) -> Result<Self, TrainError> {
        let runs_dir = &config.runs_dir;
        fs::create_dir_all(runs_dir).map_err(TrainError::io("create", runs_dir))?;
        let path = match &config.name {
            Some(name) => runs_dir.join(name),
            None => free_path(runs_dir, &default_name(config, model)),
        };
        match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let mut entries = fs::read_dir(&path).map_err(TrainError::io("read", &path))?;
                if entries.next().is_some() {
                    return Err(TrainError::FolderTaken { path });
                }
            }
            result => result.map_err(TrainError::io("create", &path))?,
        }
        let folder = Self { path };
        if let Some(description) = start {
            folder.write_start(description)?;
        }
        folder.write_config(config)?;
        Ok(folder)
    }

    /// Opens the folder of an earlier run and reads its config.
    ///
    /// # Errors
    ///
    /// If the folder is not a run, or its config is damaged or does not match its checksum.
    pub fn open(path: PathBuf) -> Result<(Self, TrainConfig), TrainError> {
        let file = path.join(CONFIG_FILE);
        if !file.exists() {
            return Err(TrainError::NotARun {
                path,
                file: CONFIG_FILE,
            });
        }
        let config = read_config(&file)?;
        Ok((Self { path }, config))
    }

    /// Returns whether a folder has a checkpoint that `--resume` can use.
    pub fn has_checkpoint(folder: &Path) -> bool {
        folder.join(CHECKPOINT_FOLDER).join(LATEST_FILE).is_file()
    }

    /// Returns the config of the run that a model belongs to, given the model's folder or a file in it. The model in a
    /// run's `raw` belongs to that run, and a model that was made from it has its config; converted weights have none.
    ///
    /// # Errors
    ///
    /// If the config is damaged.
    pub fn config_of(model: &Path) -> Result<Option<TrainConfig>, TrainError> {
        let path = std::path::absolute(model).map_err(TrainError::io("resolve", model))?;
        let folder = match path.parent() {
            Some(parent) if !path.is_dir() => parent,
            _ => &path,
        };
        // Without a model's description in the folder, the config may belong to anything.
        if !folder.join(DESCRIPTION_FILE).is_file() {
            return Ok(None);
        }
        let is_raw = folder.file_name().is_some_and(|name| name == RAW_FOLDER);
        let above = folder.parent().filter(|_| is_raw);
        [Some(folder), above]
            .into_iter()
            .flatten()
            .flat_map(|folder| [CONFIG_FILE, SOURCE_FILE].map(|file| folder.join(file)))
            .find(|file| file.is_file())
            .map(|file| read_config(&file))
            .transpose()
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of the log file of the libraries.
    pub fn log_file(&self) -> PathBuf {
        self.path.join("experiment.log")
    }

    /// Returns the path of the file for the program's output after it detaches from the terminal.
    pub fn output_file(&self) -> PathBuf {
        self.path.join("output.log")
    }

    /// Removes the files left by a process that was killed while saving.
    pub(crate) fn remove_unfinished(&self) -> Result<(), TrainError> {
        let within = |name| self.path.join(name);
        for folder in [
            self.path.clone(),
            within(RAW_FOLDER),
            within(CHECKPOINT_FOLDER),
        ] {
            files::remove_unfinished(&folder).map_err(TrainError::io("clean", folder))?;
        }
        Ok(())
    }

    /// Returns the description of the weights that the run started from.
    pub(crate) fn start(&self) -> Result<Description, TrainError> {
        let path = self.path.join(START_FILE);
        let bytes = match files::read_file(&path, files::MAX_DOCUMENT_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(TrainError::NotARun {
                    path: self.path.clone(),
                    file: START_FILE,
                });
            }
            bytes => bytes.map_err(TrainError::io("read", &path))?,
        };
        match unseal(&bytes, START_FILE) {
            Ok((description, _)) => Ok(description),
            Err(SealError::Checksum) => Err(TrainError::Checksum { path }),
            Err(error) => Err(TrainError::Checkpoint {
                path,
                reason: error.to_string(),
            }),
        }
    }

    fn write_start(&self, description: &Description) -> Result<(), TrainError> {
        let path = self.path.join(START_FILE);
        seal(description, START_FILE, &Checksums::new())
            .map_err(io::Error::other)
            .and_then(|bytes| write_atomically(&path, &bytes))
            .map_err(TrainError::io("write", path))
    }

    /// Writes the config of a run into the folder of a model that was made from the run's, so that its data is known.
    /// Such a folder is no run: it cannot be resumed.
    ///
    /// # Errors
    ///
    /// If the config cannot be written.
    pub fn write_source(model: &Path, config: &TrainConfig) -> Result<(), TrainError> {
        write(&model.join(SOURCE_FILE), config)
    }

    /// Replaces the config.
    ///
    /// # Errors
    ///
    /// If the config cannot be written. The previous one is kept.
    pub fn write_config(&self, config: &TrainConfig) -> Result<(), TrainError> {
        write(&self.path.join(CONFIG_FILE), config)
    }
}

fn write(path: &Path, config: &TrainConfig) -> Result<(), TrainError> {
    toml::to_string(config)
        .map_err(io::Error::other)
        .map(|text| format!("{text}{CONFIG_CHECKSUM}{}\n", sha256(text.as_bytes())))
        .and_then(|text| write_atomically(path, text.as_bytes()))
        .map_err(TrainError::io("write", path))
}

/// Reads the config of a run. A config without a checksum is accepted: an older version wrote it, or the user changed
/// it on purpose.
fn read_config(path: &Path) -> Result<TrainConfig, TrainError> {
    let config = TrainConfig::read(path);
    let text =
        files::read_file(path, files::MAX_SETTINGS_BYTES).map_err(TrainError::io("read", path))?;
    match is_as_written(&text) {
        true => Ok(config?),
        false => Err(TrainError::ConfigChecksum {
            path: path.to_owned(),
        }),
    }
}

/// Returns whether a config matches its checksum or has none. A damaged checksum is a mismatch.
fn is_as_written(text: &[u8]) -> bool {
    let is_sealed = text
        .chunk_by(|left, right| left.is_ascii_hexdigit() == right.is_ascii_hexdigit())
        .any(|digits| digits[0].is_ascii_hexdigit() && digits.len() >= CHECKSUM_DIGITS / 2);
    if !is_sealed {
        return true;
    }
    let length = CONFIG_CHECKSUM.len() + CHECKSUM_DIGITS + 1;
    let Some(start) = text.len().checked_sub(length) else {
        return false;
    };
    let (content, last) = text.split_at(start);
    last == format!("{CONFIG_CHECKSUM}{}\n", sha256(content)).as_bytes()
}

/// Returns a name such as `2026-11-21T17-30-05-sample-resnet20`, which sorts by time.
fn default_name(config: &TrainConfig, model: &str) -> String {
    let time = jiff::Zoned::now().strftime("%Y-%m-%dT%H-%M-%S");
    let data = match &config.data {
        Source::Folder(path) => path.file_name().map_or_else(
            || "folder".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        ),
        named => named.to_string(),
    };
    // The name of a network outside the registry is a description in words.
    let model = model.replace([' ', ',', '/'], "-");
    format!("{time}-{data}-{model}")
}

/// Returns an unused path, with a number appended for further runs of the same second.
fn free_path(runs_dir: &Path, name: &str) -> PathBuf {
    let mut path = runs_dir.join(name);
    let mut number = 2;
    while path.exists() {
        path = runs_dir.join(format!("{name}-{number}"));
        number += 1;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn existing_folder_is_not_modified() {
        let runs = tempfile::tempdir().unwrap();
        let config = TrainConfig {
            runs_dir: runs.path().to_owned(),
            name: Some("mine".to_owned()),
            ..TrainConfig::default()
        };
        fs::create_dir(runs.path().join("mine")).unwrap();
        let folder = RunFolder::create(&config, "resnet8", None).unwrap(); // empty, so it may be used
        let (_, read) = RunFolder::open(folder.path().to_owned()).unwrap();
        assert_eq!(read, config);

        let before = fs::read(folder.path().join(CONFIG_FILE)).unwrap();
        let changed = TrainConfig {
            epochs: 99,
            ..config
        };
        assert!(matches!(
            RunFolder::create(&changed, "resnet8", None),
            Err(TrainError::FolderTaken { .. })
        ));
        assert_eq!(fs::read(folder.path().join(CONFIG_FILE)).unwrap(), before);
    }

    #[test]
    fn changed_config_is_rejected() {
        let runs = tempfile::tempdir().unwrap();
        let config = TrainConfig {
            runs_dir: runs.path().to_owned(),
            name: Some("mine".to_owned()),
            ..TrainConfig::default()
        };
        let path = RunFolder::create(&config, "resnet8", None).unwrap().path;
        let file = path.join(CONFIG_FILE);
        let whole = fs::read(&file).unwrap();
        for place in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[place] ^= 1 << bit;
                fs::write(&file, &damaged).unwrap();
                let read = RunFolder::open(path.clone());
                assert!(read.is_err(), "bit {bit} of byte {place}");
            }
        }

        // A user who changes the config on purpose removes the checksum.
        let text = String::from_utf8(whole).unwrap();
        let changed = text.replace("epochs = 16", "epochs = 17");
        fs::write(&file, &changed).unwrap();
        let error = RunFolder::open(path.clone()).unwrap_err();
        assert!(
            matches!(error, TrainError::ConfigChecksum { .. }),
            "{error}"
        );
        let end = changed.find(CONFIG_CHECKSUM).unwrap();
        fs::write(&file, &changed[..end]).unwrap();
        assert_eq!(RunFolder::open(path).unwrap().1.epochs, 17);
    }

    #[test]
    fn runs_started_in_same_second_get_distinct_folders() {
        let runs = tempfile::tempdir().unwrap();
        let config = TrainConfig {
            runs_dir: runs.path().to_owned(),
            data: Source::Folder("some/pets".into()),
            ..TrainConfig::default()
        };
        let paths: Vec<_> = (0..3)
            .map(|_| {
                RunFolder::create(&config, "resnet8", None)
                    .unwrap()
                    .path()
                    .to_owned()
            })
            .collect();
        assert!(paths[0] != paths[1] && paths[1] != paths[2]);
        assert!(paths[0].to_string_lossy().contains("-pets-resnet"));
    }
}
