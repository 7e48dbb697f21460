//! Members of a zip file.

use std::borrow::Cow;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::{Failure, Progress, Target, checked, is_of_the_system};

/// The bits of a Unix mode that say what a file is, and what they are of a plain file and a folder.
const KIND: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

pub(super) fn unpack(
    file: File,
    target: &mut Target<'_>,
    progress: &mut Progress<'_>,
) -> Result<(), Failure> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
    // Before anything is written: most files that unpack to too much say so.
    let declared: u64 = (0..archive.len())
        .filter_map(|index| Some(archive.by_index_raw(index).ok()?.size()))
        .fold(0, u64::saturating_add);
    if declared > target.bytes {
        return Err(target.too_large("what it holds"));
    }
    let mut done = 0;
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).map_err(damaged)?;
        // Names in UTF-8 often lack the mark that says so.
        let name = match std::str::from_utf8(member.name_raw()) {
            Ok(name) => name.to_owned(),
            Err(_) => member.name().to_owned(),
        };
        target.announce(&name, member.size())?;
        let is_folder = name.ends_with(['/', '\\']);
        // Old programs on Windows separate names by backslashes.
        let name: Cow<'_, str> = match name.contains('\\') {
            true => name.replace('\\', "/").into(),
            false => name.into(),
        };
        let Some(path) = checked(Path::new(name.as_ref()))? else {
            continue;
        };
        let kind = member.unix_mode().unwrap_or(0) & KIND;
        let expected = if is_folder { FOLDER } else { REGULAR };
        if kind != 0 && kind != expected {
            let name = crate::folder::shown(&name);
            return Err(Failure::Archive(format!(
                "its member {name} is a link or a device"
            )));
        }
        let start = done;
        done += member.compressed_size();
        if is_of_the_system(&path) {
            continue;
        }
        match is_folder {
            true => target.folder(&path)?,
            false => target.file(&path, &mut member, &mut || progress.at(start))?,
        }
    }
    Ok(())
}

fn damaged(error: ZipError) -> Failure {
    match error {
        ZipError::UnsupportedArchive(text) if text == ZipError::PASSWORD_REQUIRED => {
            Failure::Unknown("it is encrypted".to_owned())
        }
        ZipError::UnsupportedArchive(text) => Failure::Unknown(text.to_lowercase()),
        ZipError::InvalidArchive(text) => Failure::Archive(format!("it is damaged: {text}")),
        error => Failure::Archive(format!("it is damaged: {error}")),
    }
}
