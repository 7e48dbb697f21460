//! Members of a zip file.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::{Failure, Progress, Target, checked, is_of_the_system};
use crate::error::quoted;

/// Bits of a Unix mode that hold the file type, and their values for a plain file and a folder.
const KIND: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

pub(super) fn unpack(
    file: File,
    target: &mut Target<'_>,
    progress: &mut Progress<'_>,
) -> Result<(), Failure> {
    let mut file = BufReader::new(file);
    let members = declared_members(&mut file).map_err(|error| super::tar::damaged(&error))?;
    let is_zip = starts_with(&mut file, b"PK").map_err(|error| super::tar::damaged(&error))?;
    let mut archive = ZipArchive::new(file).map_err(|error| match error {
        ZipError::InvalidArchive(_) if !is_zip => {
            Failure::Archive("it is not a zip file, or is damaged".to_owned())
        }
        // The central directory is at the end.
        ZipError::InvalidArchive(_) if members.is_none() => {
            Failure::Archive("it is cut off".to_owned())
        }
        error => damaged(error),
    })?;
    // Of several members with the same name, only one is in the list.
    if members.is_some_and(|members| archive.len() < members) {
        return Err(Failure::Archive(
            "it has several members with the same name".to_owned(),
        ));
    }
    // Checked before anything is written: most archives that unpack to too much declare it.
    let declared: u64 = (0..archive.len())
        .filter_map(|index| Some(archive.by_index_raw(index).ok()?.size()))
        .fold(0, u64::saturating_add);
    if declared > target.bytes {
        return Err(target.too_large("what it holds"));
    }
    let mut done = 0;
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).map_err(damaged)?;
        // UTF-8 names often lack the flag for it.
        let name = match std::str::from_utf8(member.name_raw()) {
            Ok(name) => name.to_owned(),
            Err(_) => member.name().to_owned(),
        };
        target.announce(&name, member.size())?;
        let is_folder = name.ends_with(['/', '\\']);
        // Old Windows programs separate names with backslashes.
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
            let name = quoted(&name);
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

/// Returns the number of members declared by the record at the end, if it exists and the number is
/// plausible.
fn declared_members(file: &mut (impl Read + Seek)) -> io::Result<Option<usize>> {
    const SIGNATURE: &[u8] = b"PK\x05\x06";
    /// Number of bytes of the record with the longest comment.
    const LONGEST: u64 = 22 + 0xffff;
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    file.rewind()?;
    let place = tail.windows(4).rposition(|window| window == SIGNATURE);
    let count = place.and_then(|place| tail.get(place + 10..place + 12)?.first_chunk());
    let count = count.map(|count| u16::from_le_bytes(*count));
    Ok(count.filter(|&count| count < u16::MAX).map(usize::from))
}

fn starts_with(file: &mut (impl Read + Seek), bytes: &[u8; 2]) -> io::Result<bool> {
    let mut start = [0; 2];
    let found = file.read_exact(&mut start).is_ok() && start == *bytes;
    file.rewind()?;
    Ok(found)
}

fn damaged(error: ZipError) -> Failure {
    match error {
        ZipError::Io(error) => super::tar::damaged(&error),
        ZipError::UnsupportedArchive(text) if text == ZipError::PASSWORD_REQUIRED => {
            Failure::Unknown("it is encrypted".to_owned())
        }
        ZipError::UnsupportedArchive(text) => Failure::Unknown(text.to_lowercase()),
        _ => Failure::Archive("it is damaged".to_owned()),
    }
}
