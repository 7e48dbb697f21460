//! Tests with synthetic sets from a local server.

#[allow(dead_code, reason = "the tests of downloads use the rest")]
#[path = "../../../../crates/download/src/tests/server.rs"]
mod server;

mod archives;
mod contents;
mod files;

use std::fs;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

use super::fetch::fetch;
use super::{FetchProgress, Form, Names, PublishedSet, RemoteFile};
use crate::error::PublishedError;
use server::{Reply, Server};

const FILES: [Names<'static>; 2] = [&["train.bin"], &["test.bin"]];

/// Serves `content` at `/NAME`, and 404 for anything else.
fn server(files: Vec<(&'static str, Vec<u8>)>) -> Server {
    Server::new(move |asked| {
        let file = files.iter().find(|(name, _)| asked.path[1..] == **name);
        match file {
            Some((_, content)) => Reply::good(asked, content, "\"1\""),
            None => Reply::status(404),
        }
    })
}

/// Fetches into a folder that is also the only one searched.
fn fetch_into(set: &PublishedSet<'_>, base: &Path) -> Result<(), PublishedError> {
    let bases = [base.to_owned()];
    fetch(set, &bases, &bases, &mut |_| ControlFlow::Continue(()))
}

/// Returns all digits of the SHA-256 of bytes.
fn sha256(content: &[u8]) -> String {
    let mut hasher = ::files::Hasher::new();
    hasher.update(content);
    hasher.sha256()
}

/// Returns the relative paths of a folder's content.
fn contents(folder: &Path) -> Vec<String> {
    fn add(folder: &Path, root: &Path, names: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                add(&path, root, names);
            } else if cfg!(unix) || path.extension().is_none_or(|ending| ending != "lock") {
                let name = path.strip_prefix(root).unwrap();
                names.push(name.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    let mut names = Vec::new();
    add(folder, folder, &mut names);
    names.sort();
    names
}

/// An archive member with an arbitrary path and type.
struct Member<'a> {
    path: &'a str,
    kind: EntryType,
    /// Size declared in the header.
    size: u64,
    content: &'a [u8],
}

impl<'a> Member<'a> {
    fn file(path: &'a str, content: &'a [u8]) -> Self {
        Self {
            path,
            kind: EntryType::Regular,
            size: content.len() as u64,
            content,
        }
    }
}

fn tar(members: &[Member<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for member in members {
        let mut header = Header::new_gnu();
        // The library's own writer would reject this path.
        header.as_old_mut().name[..member.path.len()].copy_from_slice(member.path.as_bytes());
        header.set_entry_type(member.kind);
        header.set_size(member.size);
        header.set_mode(0o644);
        if matches!(member.kind, EntryType::Symlink | EntryType::Link) {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(member.content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}
