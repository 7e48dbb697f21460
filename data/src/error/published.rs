//! Errors of published data sets.

use std::path::PathBuf;

use download::DownloadError;

/// The error type for missing or invalid files of a published data set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishedError {
    /// The operating system does not define a folder for user data.
    #[error("cannot find the data folder of this user")]
    NoFolder,

    /// Files of a published data set are missing.
    #[error(
        "the files of {name} are missing: looked for {} in {}, and in {} there",
        files.join(", "),
        shown(folders),
        subfolders.join(", ")
    )]
    MissingFiles {
        /// Name of the data set.
        name: String,
        /// Usual name of each missing file. If some files were found, the ones missing from the
        /// most complete folder.
        files: Vec<String>,
        /// Folders searched, the preferred one first.
        folders: Vec<PathBuf>,
        /// Subfolders searched in each folder, the preferred one first.
        subfolders: Vec<String>,
        /// Folder to put the files into: the one with the other files, if any.
        place: PathBuf,
    },

    /// Files of a published data set are missing and cannot be downloaded.
    #[error("{} missing: {source}", absent(name, missing.as_deref()))]
    NotFetched {
        /// Name of the data set.
        name: String,
        /// The missing files, if some of the set's files were found.
        missing: Option<Box<MissingPart>>,
        /// Files to download.
        files: Vec<String>,
        /// URLs of the files.
        urls: Vec<String>,
        /// Folder to put the files into.
        folder: PathBuf,
        /// Error of the download.
        source: Box<DownloadError>,
    },

    /// A file has the name of a published one, but different content.
    #[error(
        "{} differs from the published file: expected SHA-256 {expected:.16}, found {found:.16}",
        path.display()
    )]
    OtherContent {
        /// The file.
        path: PathBuf,
        /// SHA-256 of the published content, decompressed.
        expected: String,
        /// SHA-256 of the file's content.
        found: String,
    },

    /// An archive of a data set cannot be unpacked.
    #[error("cannot unpack {}: {reason}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The problem.
        reason: String,
    },
}

/// Files missing from a folder that has other files of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingPart {
    /// Usual name of each missing file.
    pub files: Vec<String>,
    /// Folder that has the other files.
    pub folder: PathBuf,
}

impl PublishedError {
    /// Returns the suggested fix, if there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoFolder => Some("name the folder that holds the data".to_owned()),
            Self::MissingFiles { files, place, .. } => Some(format!(
                "put {} into {}, or name the folder that holds them",
                files.join(", "),
                place.display()
            )),
            Self::NotFetched {
                files,
                urls,
                folder,
                source,
                ..
            } => {
                let (files, urls) = (files.join(", "), urls.join(", "));
                let put = format!("put {files} into {}, from {urls}", folder.display());
                match &**source {
                    source if source.is_untrusted() => Some(format!(
                        "behind a proxy, set SSL_CERT_FILE to the file of its certificates; or \
                         {put}"
                    )),
                    DownloadError::NoMirror { .. } => Some(put),
                    source => source.hint().or_else(|| {
                        Some(format!(
                            "name a folder that can be written to, or one that holds {files}, from \
                             {urls}"
                        ))
                    }),
                }
            }
            // Some sets use the same file names.
            Self::OtherContent { path, .. } => Some(format!(
                "remove {} to download it again, or move it if it belongs to another data set",
                path.display()
            )),
            Self::Archive { path, .. } => {
                Some(format!("delete {} to download it again", path.display()))
            }
        }
    }
}

/// Describes the missing files, up to the word `are`.
fn absent(name: &str, missing: Option<&MissingPart>) -> String {
    match missing {
        None => format!("the files of {name} are"),
        Some(MissingPart { files, folder }) => {
            let are = if files.len() == 1 { "is" } else { "are" };
            let folder = folder.display();
            format!(
                "{} of {name}, whose other files are in {folder}, {are}",
                files.join(", ")
            )
        }
    }
}

fn shown(folders: &[PathBuf]) -> String {
    let folders: Vec<String> = folders
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    folders.join(", ")
}
