//! Suggested fixes for errors of data sets.

use std::path::{Path, PathBuf};

use files::shown_path;

use crate::archive::is_archive;
use crate::decode::other_format;
use crate::error::DataError;
use crate::folder::{first_other_file, likely_set, only_archive};

impl DataError {
    /// Returns a suggested fix, if there is one beyond the message: a clause such as `did you mean
    /// cifar10?`.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownSource {
                nearest: Some(nearest),
                ..
            } => Some(format!("did you mean `{nearest}`?")),
            Self::Published(error) => error.hint(),
            Self::Unpack { .. } | Self::CutOff { .. } | Self::RecordLength { .. } => {
                Some("copy the file again from where it was published".to_owned())
            }
            Self::NotAFolder { path } if path.iter().any(|part| part == "~") => {
                Some("the shell does not expand ~ there: write $HOME".to_owned())
            }
            Self::NotAFolder { path } if path.is_file() => Some(
                "name a folder, or an archive that ends in .zip, .tar, .tar.gz or .tgz".to_owned(),
            ),
            Self::NotAFolder { path } => Some(match similar(path) {
                Some(similar) => format!("did you mean {}?", shown_path(&similar)),
                None => "check the spelling of the path".to_owned(),
            }),
            Self::NoClassFolders { path, .. } => Some(match only_archive(path) {
                Some(archive) => format!("name the archive: folder:{}", shown_path(&archive)),
                None => format!(
                    "put the images of each class into a folder of its own, such as {}, or name a \
                     table of file names and labels with --labels FILE.csv",
                    shown_path(&path.join("cat"))
                ),
            }),
            Self::NoImages { path, .. } => Some(match only_archive(path) {
                Some(archive) => format!("name the archive: folder:{}", shown_path(&archive)),
                None => "expected files such as .jpg or .png in the folder or below it".to_owned(),
            }),
            Self::AmbiguousLayout { path, .. } => {
                let likely = likely_set(path);
                let such = likely.map(|set| format!(", perhaps folder:{}", shown_path(&set)));
                Some(format!(
                    "name the folder that holds one folder of images for each class{}, or a table \
                     with --labels FILE.csv",
                    such.unwrap_or_default()
                ))
            }
            Self::ClassName { .. } => Some("rename the folders, or correct the labels".to_owned()),
            Self::Labels { .. } => Some(
                "expected a row for each image with its file name and its label, such as \
                 photos/1.jpg,cat; columns named `file`, `label` and `split` are recognized"
                    .to_owned(),
            ),
            Self::Archive { hint, .. } => Some((*hint).to_owned()),
            Self::OneClass { .. } => Some(
                "name the folder that holds all class folders, or a table with --labels FILE.csv"
                    .to_owned(),
            ),
            Self::NoTrainingFolder { path, .. } => Some(format!(
                "put the class folders to train on into {}",
                shown_path(&path.join("train"))
            )),
            Self::AmbiguousParts { .. } => {
                Some("rename one of them, or move it out of the folder".to_owned())
            }
            Self::UnknownTestClass { .. } => Some(
                "give both folders the same name, or add images of the class to train on"
                    .to_owned(),
            ),
            Self::EmptyClass { path, .. } => {
                let format = first_other_file(path).and_then(|file| other_format(&file));
                let put = "put images into the folder, or move it out of the folder of classes";
                Some(format.map_or(put, |format| format.convert).to_owned())
            }
            Self::UnreadableImages { .. } => Some(
                "repair them, or move them elsewhere: at most one image in a hundred is skipped, \
                 and never a whole class; `train data` names them"
                    .to_owned(),
            ),
            Self::Image(error) => error.hint(),
            Self::TooManyBytes { .. } => {
                Some("choose a smaller image size, or fewer images".to_owned())
            }
            _ => None,
        }
    }
}

/// Returns the sibling of a missing path with the most similar name.
fn similar(path: &Path) -> Option<PathBuf> {
    /// Minimum similarity (of at most 1) for a name to be suggested.
    const SIMILAR: f64 = 0.85;
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let entries = std::fs::read_dir(folder).ok()?.flatten().take(1000);
    let rated = entries.filter_map(|entry| {
        let other = entry.file_name().to_string_lossy().to_lowercase();
        let similarity = strsim::jaro_winkler(&name, &other);
        let is_data = is_archive(&entry.path()) || entry.path().is_dir();
        (similarity >= SIMILAR && is_data)
            .then(|| (similarity, path.with_file_name(entry.file_name())))
    });
    let best = rated.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.map(|(_, path)| path)
}
