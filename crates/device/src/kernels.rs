//! Where the kernels that a GPU's runtime compiles are kept, and which of them proved to be the fastest.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use cubecl_runtime::config::{CubeClRuntimeConfig, RuntimeConfig as _, cache::CacheConfig};

use crate::DeviceKind;

/// Has the runtime keep its kernels in a folder of this GPU under the user's cache folder, and tells which
/// if it is new. CUDA's run-time compiler takes seconds for each of hundreds of kernels, which Burn's runtime
/// forgets at the end of the process unless it is told otherwise.
///
/// Only before the process's first tensor on any GPU. A `cubecl.toml` or `burn.toml` that names folders is obeyed,
/// and without a folder that can be written to nothing is kept.
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
    // The default, which is the folder of a project that the user happens to be in.
    if matches!(config.autotune.cache, CacheConfig::Target) {
        config.autotune.cache = CacheConfig::File(folder.clone());
    }
    let mut used = CubeClRuntimeConfig::storage().lock();
    if used.is_some() {
        return None; // as it was for an earlier device
    }
    *used = Some(Arc::new(config));
    is_new.then_some(folder)
}

/// Kernels of one GPU are of no use to another.
fn folder_name(kind: DeviceKind, description: &str) -> String {
    let plain = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' => letter,
        _ => '-',
    };
    let description: String = description.chars().map(plain).collect();
    format!("{kind}-{description}")
}

/// The runtime panics where it cannot write.
fn is_writable(folder: &Path) -> bool {
    fs::create_dir_all(folder).is_ok() && tempfile::tempfile_in(folder).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_named_after_its_gpu() {
        let name = folder_name(DeviceKind::Cuda, "NVIDIA RTX 5090/é");
        assert_eq!(name, "cuda-NVIDIA-RTX-5090--");
    }

    #[test]
    fn a_file_is_no_folder_to_write_to() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(is_writable(&folder.path().join("a/b")));
        assert!(!is_writable(&file.join("a")));
        assert_eq!(fs::read_dir(folder.path().join("a/b")).unwrap().count(), 0);
    }
}
