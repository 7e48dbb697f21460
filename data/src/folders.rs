//! Folders that may contain data sets.

use std::env;
use std::path::{Path, PathBuf};

/// Subfolders of the system's data folders; Debian's data set packages install into the second.
const SYSTEM_SUBFOLDERS: [&str; 2] = ["resnet", "datasets"];

/// Returns the folders to search: the user-specified folder, the user's cache folder, and the
/// system's data folders.
pub(super) fn searched(data_dir: Option<&Path>) -> Vec<PathBuf> {
    let mut folders = writable(data_dir);
    folders.extend(system_folders().into_iter().flat_map(|folder| {
        SYSTEM_SUBFOLDERS
            .into_iter()
            .map(move |subfolder| folder.join(subfolder))
    }));
    folders
}

/// Returns the download folders, in order of preference; the first writable one is used.
pub(crate) fn writable(data_dir: Option<&Path>) -> Vec<PathBuf> {
    let data_dir = data_dir.map(Path::to_owned);
    data_dir.into_iter().chain(files::cache_folder()).collect()
}

/// Returns the data folders shared by all users.
fn system_folders() -> Vec<PathBuf> {
    if cfg!(windows) {
        env::var_os("ProgramData")
            .map(PathBuf::from)
            .into_iter()
            .collect()
    } else if cfg!(target_vendor = "apple") {
        vec!["/Library/Application Support".into()]
    } else {
        let listed = env::var_os("XDG_DATA_DIRS").unwrap_or_default();
        // The XDG Base Directory Specification requires ignoring relative paths.
        let folders: Vec<PathBuf> = env::split_paths(&listed)
            .filter(|folder| folder.is_absolute())
            .collect();
        match folders.is_empty() {
            true => vec!["/usr/local/share".into(), "/usr/share".into()],
            false => folders,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_folder_comes_first_and_system_folders_last() {
        let folders = searched(Some(Path::new("mine")));
        assert_eq!(folders[0], Path::new("mine"));
        if let Some(cache) = files::cache_folder() {
            assert_eq!(folders[1], cache);
            assert_eq!(writable(None), [cache]);
        }
        assert!(folders.last().unwrap().ends_with("datasets"));
        assert_eq!(folders[folders.len() - 2].file_name().unwrap(), "resnet");
    }
}
