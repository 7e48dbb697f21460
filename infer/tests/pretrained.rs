//! `--pretrained` of the real program, without a network.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{fails, infer, stderr};

/// The program with a cache folder of the test's, and a way to the network that leads nowhere.
fn offline(cache: &Path) -> Command {
    let mut command = infer(cache);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../image.png"));
    command.env("HTTPS_PROXY", "http://127.0.0.1:9");
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    command.env("XDG_CACHE_HOME", cache).env("HOME", cache);
    command
}

#[test]
fn offline_download_gives_hint() {
    let cache = tempfile::tempdir().unwrap();
    let mut command = offline(cache.path());
    command.args(["--pretrained", "resnet50"]);
    let words = ["https://download.pytorch.org/models/resnet50-11ad3fa6.pth"];
    fails(&mut command, 1, &words);
    let text = stderr(&command.output().unwrap());
    let hint = text.lines().find(|line| line.starts_with("hint:")).unwrap();
    assert!(hint.contains("resnet50-11ad3fa6.pth"), "{hint}");
    assert!(hint.contains(cache.path().to_str().unwrap()), "{hint}");
}

#[test]
fn damaged_cached_weights_are_rejected() {
    let cache = tempfile::tempdir().unwrap();
    let folder = cache.path().join("resnet/weights");
    if cfg!(target_os = "linux") {
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("resnet18-f37072fd.pth"), "another file").unwrap();
        fails(
            offline(cache.path()).args(["--pretrained", "resnet18"]),
            1,
            &["resnet18-f37072fd.pth", "f37072fd"],
        );
    }
}

#[test]
fn unpublished_names_are_wrong_usage() {
    let cache = tempfile::tempdir().unwrap();
    fails(
        offline(cache.path()).args(["--pretrained", "resnet18-v2"]),
        2,
        &["resnet18-v2", "it has resnet18, resnet34", "-v1"],
    );
}
