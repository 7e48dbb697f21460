//! Why the files of a published data set cannot be had.

use std::path::PathBuf;

use download::DownloadError;

/// Why the files of a published data set cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishedError {
    /// The operating system names no folder for the user's data.
    #[error("the data folder of this user is unknown")]
    NoFolder,

    /// Files of a published data set are not there.
    #[error(
        "the files of {name} are missing: looked for {} in {}, and in {} there",
        files.join(", "),
        shown(folders),
        subfolders.join(", ")
    )]
    MissingFiles {
        /// The data set's name.
        name: String,
        /// The usual name of each file not found; those that the fullest folder lacks, if some
        /// were found there.
        files: Vec<String>,
        /// The folders tried, the best place for the files first.
        folders: Vec<PathBuf>,
        /// The folders tried in each of them, likewise.
        subfolders: Vec<String>,
        /// The folder to put them into: that which has the others, if there is one.
        place: PathBuf,
    },

    /// Files of a published data set are not there and cannot be downloaded.
    #[error("{} not there: {source}", absent(name, missing.as_deref()))]
    NotFetched {
        /// The data set's name.
        name: String,
        /// Where some of the set's files are there: the others.
        missing: Option<Box<MissingPart>>,
        /// The files to download.
        files: Vec<String>,
        /// Where they are.
        urls: Vec<String>,
        /// Where they should lie.
        folder: PathBuf,
        /// What went wrong.
        source: Box<DownloadError>,
    },

    /// A file has the name of a published one, and holds something else.
    #[error(
        "{} does not hold what was published: expected SHA-256 {expected:.16}, found {found:.16}",
        path.display()
    )]
    OtherContent {
        /// The file.
        path: PathBuf,
        /// The SHA-256 of what was published, unpacked.
        expected: String,
        /// That of what the file holds.
        found: String,
    },

    /// An archive of a data set does not unpack.
    #[error("cannot unpack {}: {reason}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// The files that a folder lacks which has other files of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingPart {
    /// The usual name of each.
    pub files: Vec<String>,
    /// The folder that has the others.
    pub folder: PathBuf,
}

impl PublishedError {
    /// The way out, where there is a usual one.
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
                        "if a proxy stands between, name the file of its certificates in \
                         SSL_CERT_FILE; or {put}"
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
            // Some sets give their files the same names.
            Self::OtherContent { path, .. } => Some(format!(
                "remove {}, or move it if it is another data set's, and it is downloaded anew",
                path.display()
            )),
            Self::Archive { path, .. } => Some(format!(
                "delete {} and it is downloaded anew",
                path.display()
            )),
        }
    }
}

/// What is not there, up to `are`.
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
