//! Cache location for recoverable data: downloads, compiled kernels.

use std::path::PathBuf;

/// Returns the folder `resnet` in the user's cache folder: `~/.cache/resnet` on Linux (or in
/// `XDG_CACHE_HOME`), `~/Library/Caches/resnet` on macOS, `%LOCALAPPDATA%\resnet` on Windows. It
/// may not exist yet. `None` if the user has no home.
pub fn cache_folder() -> Option<PathBuf> {
    dirs::cache_dir().map(|folder| folder.join("resnet"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_folder_is_named_after_project() {
        if let Some(folder) = cache_folder() {
            assert!(folder.is_absolute() && folder.ends_with("resnet"));
        }
    }
}
