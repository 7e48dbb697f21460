//! Members of a tar file.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

use super::{Failure, Progress, Target, checked, is_of_the_system};

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
        true => Box::new(MultiGzDecoder::new(counted)),
        false => Box::new(counted),
    };
    let mut archive = Archive::new(reader);
    for member in archive.entries().map_err(|error| damaged(&error))? {
        let mut member = member.map_err(|error| damaged(&error))?;
        let path = member.path().map_err(|error| damaged(&error))?.into_owned();
        let name = path.to_string_lossy().into_owned();
        target.announce(&name, member.size())?;
        let is_folder = match member.header().entry_type() {
            EntryType::XGlobalHeader => continue,
            EntryType::Directory => true,
            EntryType::Regular | EntryType::Continuous => false,
            _ => {
                let name = crate::folder::shown(&name);
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
    Ok(())
}

fn damaged(error: &io::Error) -> Failure {
    Failure::Archive(match error.kind() {
        io::ErrorKind::UnexpectedEof => "it is cut off".to_owned(),
        _ => format!("it is damaged: {}", files::reason(error)),
    })
}

/// A file, and how much of it is read.
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
