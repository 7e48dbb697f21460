//! Members of a tar file.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use flate2::bufread::GzDecoder;
use tar::{Archive, EntryType};

use super::{Failure, Progress, Target, checked, is_of_the_system};
use crate::error::quoted;

pub(super) fn unpack(
    file: File,
    is_compressed: bool,
    target: &mut Target<'_>,
    progress: &mut Progress<'_>,
) -> Result<(), Failure> {
    let done = Rc::new(Cell::new(0));
    let counted = BufReader::new(Counted {
        file,
        done: Rc::clone(&done),
    });
    let reader: Box<dyn Read> = match is_compressed {
        true => Box::new(Gzip::new(counted)),
        false => Box::new(counted),
    };
    let is_spent = Rc::new(Cell::new(false));
    let mut archive = Archive::new(Watched {
        reader,
        is_spent: Rc::clone(&is_spent),
    });
    let mut is_first = true;
    for member in archive.entries().map_err(|error| damaged(&error))? {
        let mut member = member.map_err(|error| match is_first {
            _ if is_spent.get() => cut_off(),
            true if error.kind() != io::ErrorKind::UnexpectedEof => not_a_tar(is_compressed),
            _ => damaged(&error),
        })?;
        is_first = false;
        let path = member.path().map_err(|error| damaged(&error))?.into_owned();
        let name = path.to_string_lossy().into_owned();
        target.announce(&name, member.size())?;
        let is_folder = match member.header().entry_type() {
            EntryType::XGlobalHeader => continue,
            EntryType::Directory => true,
            EntryType::Regular | EntryType::Continuous => false,
            _ => {
                let name = quoted(&name);
                return Err(Failure::Archive(format!(
                    "its member {name} is a link or a device"
                )));
            }
        };
        let Some(path) = checked(&path)? else {
            continue;
        };
        if is_of_the_system(&path) {
            continue;
        }
        match is_folder {
            true => target.folder(&path)?,
            false => target.file(&path, &mut member, &mut || progress.at(done.get()))?,
        }
    }
    // The end is a block of zeros; the rest is read to verify the checksum of gzip.
    if is_spent.get() {
        return Err(cut_off());
    }
    let mut rest = archive.into_inner().take(target.bytes);
    match is_compressed {
        true => io::copy(&mut rest, &mut io::sink()).map_err(|error| damaged(&error)),
        false => Ok(0),
    }?;
    Ok(())
}

fn cut_off() -> Failure {
    Failure::Archive("it is cut off".to_owned())
}

fn not_a_tar(is_compressed: bool) -> Failure {
    Failure::Archive(match is_compressed {
        true => "it does not hold a tar file, or is damaged".to_owned(),
        false => "it is not a tar file, or is damaged".to_owned(),
    })
}

pub(super) fn damaged(error: &io::Error) -> Failure {
    Failure::Archive(match error.kind() {
        io::ErrorKind::UnexpectedEof => "it is cut off".to_owned(),
        // Messages of decoders about the bytes are not helpful.
        io::ErrorKind::Other | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            "it is damaged".to_owned()
        }
        _ => format!("it cannot be read: {}", files::reason(error)),
    })
}

/// The members of a gzip file; data after the last member is ignored.
struct Gzip<R: BufRead> {
    /// Current member; `None` after the last one.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Gzip<R> {
    fn new(file: R) -> Self {
        Self {
            member: Some(GzDecoder::new(file)),
        }
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        const FIRST: u8 = 0x1f;
        while let Some(member) = &mut self.member {
            let length = member.read(buffer)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            let file = self.member.take().map(GzDecoder::into_inner);
            let Some(mut file) = file else { break };
            if file.fill_buf()?.first() == Some(&FIRST) {
                self.member = Some(GzDecoder::new(file));
            }
        }
        Ok(0)
    }
}

/// A reader that records whether more was requested than available.
struct Watched<R> {
    reader: R,
    is_spent: Rc<Cell<bool>>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        if length == 0 && !buffer.is_empty() {
            self.is_spent.set(true);
        }
        Ok(length)
    }
}

/// A file that counts the bytes read.
struct Counted {
    file: File,
    done: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.done.set(self.done.get() + length as u64);
        Ok(length)
    }
}
