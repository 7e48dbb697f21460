//! Cache of the compiled kernels and autotune results of a GPU's runtime.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use cubecl_runtime::config::{CubeClRuntimeConfig, RuntimeConfig as _, cache::CacheConfig};

use crate::DeviceKind;

/// Makes the runtime cache its kernels in a folder for this GPU in the user's cache folder, and
/// returns the folder if it is new. CUDA's run-time compiler takes seconds for each of hundreds of
/// kernels, and by default Burn's runtime discards them when the process exits.
///
/// Must run before the process's first tensor on any GPU. A `cubecl.toml` or `burn.toml` that names
/// folders takes precedence, and without a writable folder nothing is cached.
pub(crate) fn keep(kind: DeviceKind, description: &str) -> Option<PathBuf> {
    let folder = files::cache_folder()?
        .join("kernels")
        .join(folder_name(kind, description));
    let is_new = !folder.exists();
    if !is_writable(&folder) {
        return None;
    }
    let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
    if config.compilation.cache.is_none() {
        config.compilation.cache = Some(CacheConfig::File(folder.clone()));
    }
    // The default is a folder of the project in the current directory.
    if matches!(config.autotune.cache, CacheConfig::Target) {
        config.autotune.cache = CacheConfig::File(folder.clone());
    }
    let mut used = CubeClRuntimeConfig::storage().lock();
    if used.is_some() {
        return None; // already configured for an earlier device
    }
    *used = Some(Arc::new(config));
    is_new.then_some(folder)
}

/// Returns a separate folder name for each GPU, because kernels of one GPU are useless on another.
fn folder_name(kind: DeviceKind, description: &str) -> String {
    let plain = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' => letter,
        _ => '-',
    };
    let description: String = description.chars().map(plain).collect();
    format!("{kind}-{description}")
}

/// Returns whether the folder is writable; the runtime panics if it cannot write.
fn is_writable(folder: &Path) -> bool {
    fs::create_dir_all(folder).is_ok() && tempfile::tempfile_in(folder).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_cache_folder_is_named_after_gpu() {
        let name = folder_name(DeviceKind::Cuda, "NVIDIA RTX 5090/é");
        assert_eq!(name, "cuda-NVIDIA-RTX-5090--");
    }

    #[test]
    fn path_below_file_is_not_writable() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(is_writable(&folder.path().join("a/b")));
        assert!(!is_writable(&file.join("a")));
        assert_eq!(fs::read_dir(folder.path().join("a/b")).unwrap().count(), 0);
    }
}
