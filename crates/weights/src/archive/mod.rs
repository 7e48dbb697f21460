//! Zip archives of `torch.save`: uncompressed entries with checksums.
//!
//! All entries read here are stored uncompressed, so an entry is a slice of the file's bytes,
//! without unpacking or copying. Every header is checked against the file before use, and memory is
//! never allocated by a count in the file: each entry takes 46 bytes of the file.

use std::collections::HashMap;

use crate::error::ContentError;

/// First bytes of a zip file: its first entry.
pub(crate) const MAGIC: [u8; 4] = *b"PK\x03\x04";
const CENTRAL_MAGIC: [u8; 4] = *b"PK\x01\x02";
const END_MAGIC: [u8; 4] = *b"PK\x05\x06";
const END64_MAGIC: [u8; 4] = *b"PK\x06\x06";
const LOCATOR64_MAGIC: [u8; 4] = *b"PK\x06\x07";

const LOCAL_BYTES: usize = 30;
const CENTRAL_BYTES: usize = 46;
const END_BYTES: usize = 22;
const END64_BYTES: usize = 56;
const LOCATOR64_BYTES: usize = 20;

/// ID of the extra field that contains 64-bit numbers.
const EXTRA64: u16 = 1;
const ENCRYPTED: u16 = 1;
const STORED: u16 = 0;

/// Entries of an archive by name.
#[derive(Debug)]
pub(crate) struct Archive<'a> {
    entries: HashMap<String, Entry<'a>>,
    /// First entry that is compressed or encrypted.
    compressed: Option<String>,
}

/// A file in the archive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub bytes: &'a [u8],
    /// Offset of the bytes in the archive.
    pub offset: usize,
    checksum: u32,
    stored: bool,
}

impl<'a> Archive<'a> {
    /// Reads the directory of an archive and checks every entry's checksum.
    ///
    /// PyTorch can be configured to write 0 for every checksum (`set_crc32_options(False)`); in
    /// that case nothing is checked.
    pub(crate) fn open(file: &'a [u8]) -> Result<Self, ContentError> {
        let directory = Directory::find(file)?;
        let mut entries = HashMap::new();
        let mut position = directory.start;
        let mut compressed = None;
        let mut total = 0;
        while position < directory.end {
            let (name, entry, next) = directory.entry(file, position)?;
            // Overlapping entries would make a small file take long to check.
            total += entry.bytes.len();
            if total > file.len() {
                return Err(damaged(position, "its entries overlap"));
            }
            if entries.contains_key(&name) {
                return Err(ContentError::DuplicateEntry { entry: name });
            }
            if !entry.stored {
                compressed.get_or_insert_with(|| name.clone());
            }
            entries.insert(name, entry);
            position = next;
        }
        if entries.len() as u64 != directory.entries {
            return Err(damaged(
                directory.start,
                "its directory has a different length",
            ));
        }
        let archive = Self {
            entries,
            compressed,
        };
        archive.check()?;
        Ok(archive)
    }

    /// Reports the first damaged entry of the file, the first by name if several start at the same
    /// offset.
    fn check(&self) -> Result<(), ContentError> {
        if self.entries.values().all(|entry| entry.checksum == 0) {
            return Ok(());
        }
        let damaged = (self.entries.iter())
            .filter(|(_, entry)| entry.stored && crc32fast::hash(entry.bytes) != entry.checksum)
            .min_by_key(|&(name, entry)| (entry.offset, name));
        match damaged {
            None => Ok(()),
            Some((name, entry)) => Err(ContentError::Checksum {
                entry: name.clone(),
                offset: entry.offset as u64,
                size: entry.bytes.len() as u64,
            }),
        }
    }

    /// Returns an error if any entry is compressed or encrypted.
    pub(crate) fn all_stored(&self) -> Result<(), ContentError> {
        match &self.compressed {
            None => Ok(()),
            Some(entry) => Err(ContentError::Compressed {
                entry: entry.clone(),
            }),
        }
    }

    /// Returns an entry by name, with its raw bytes.
    pub(crate) fn get(&self, name: &str) -> Option<Entry<'a>> {
        self.entries.get(name).copied()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }
}

/// Location of the list of all entries.
struct Directory {
    start: usize,
    end: usize,
    entries: u64,
}

impl Directory {
    fn find(file: &[u8]) -> Result<Self, ContentError> {
        let end = end_of_archive(file)
            .ok_or_else(|| damaged(file.len(), "it is cut off, its directory is missing"))?;
        let header = Header::at(file, end, END_BYTES, END_MAGIC)?;
        let mut limit = end;
        let mut entries = header.u16(10).into();
        let mut bytes = header.u32(12).into();
        let mut start = header.u32(16).into();
        if entries == u64::from(u16::MAX)
            || bytes == u64::from(u32::MAX)
            || start == u64::from(u32::MAX)
        {
            let locator = end.checked_sub(LOCATOR64_BYTES);
            let locator = locator.ok_or_else(|| damaged(end, "its directory is missing"))?;
            let header = Header::at(file, locator, LOCATOR64_BYTES, LOCATOR64_MAGIC)?;
            limit = place(header.u64(8), locator)?;
            let header = Header::at(file, limit, END64_BYTES, END64_MAGIC)?;
            entries = header.u64(32);
            bytes = header.u64(40);
            start = header.u64(48);
        }
        let start = place(start, limit)?;
        let bytes = place(bytes, limit - start)?;
        Ok(Self {
            start,
            end: start + bytes,
            entries,
        })
    }

    /// Parses the directory record at a position; returns the name, the entry and the position of
    /// the next record.
    fn entry<'a>(
        &self,
        file: &'a [u8],
        position: usize,
    ) -> Result<(String, Entry<'a>, usize), ContentError> {
        // Bytes after the directory do not belong to it.
        let directory = &file[..self.end];
        let header = Header::at(directory, position, CENTRAL_BYTES, CENTRAL_MAGIC)?;
        let name_end = CENTRAL_BYTES + usize::from(header.u16(28));
        let extra_end = name_end + usize::from(header.u16(30));
        let end = extra_end + usize::from(header.u16(32));
        let header = Header::at(directory, position, end, CENTRAL_MAGIC)?;
        let raw_name = &header.bytes[CENTRAL_BYTES..name_end];
        let name = String::from_utf8_lossy(raw_name).into_owned();

        let mut wide = Extra64::find(&header.bytes[name_end..extra_end]);
        let unpacked = wide.or(header.u32(24));
        let packed = wide.or(header.u32(20));
        let local = wide.or(header.u32(42));
        let (Some(unpacked), Some(packed), Some(local)) = (unpacked, packed, local) else {
            return Err(damaged(position, "a size is missing"));
        };
        let stored = header.u16(8) & ENCRYPTED == 0 && header.u16(10) == STORED;
        if stored && packed != unpacked {
            return Err(damaged(position, "an entry has two sizes"));
        }

        let local = place(local, self.start)?;
        let bytes = &file[..self.start];
        let local_header = Header::at(bytes, local, LOCAL_BYTES, MAGIC)?;
        let local_name_end = LOCAL_BYTES + usize::from(local_header.u16(26));
        let local_end = local_name_end + usize::from(local_header.u16(28));
        let local_header = Header::at(bytes, local, local_end, MAGIC)?;
        if local_header.bytes[LOCAL_BYTES..local_name_end] != *raw_name {
            return Err(damaged(local, "an entry has two names"));
        }
        let offset = local + local_end;
        let size = place(packed, self.start - offset)?;
        let entry = Entry {
            bytes: &file[offset..offset + size],
            offset,
            checksum: header.u32(16),
            stored,
        };
        Ok((name, entry, position + end))
    }
}

/// Returns the position of the record at the end of the archive. A comment may follow it; the
/// record contains the comment's length.
fn end_of_archive(file: &[u8]) -> Option<usize> {
    let last = file.len().checked_sub(END_BYTES)?;
    let first = last.saturating_sub(usize::from(u16::MAX));
    (first..=last).rev().find(|&position| {
        let comment = u16::from_le_bytes([file[position + 20], file[position + 21]]);
        file[position..].starts_with(&END_MAGIC)
            && position + END_BYTES + usize::from(comment) == file.len()
    })
}

/// Bytes of a header, long enough for all its fields.
struct Header<'a> {
    bytes: &'a [u8],
}

impl<'a> Header<'a> {
    fn at(
        file: &'a [u8],
        position: usize,
        length: usize,
        magic: [u8; 4],
    ) -> Result<Self, ContentError> {
        let rest = file.get(position..).unwrap_or_default();
        match rest.get(..length) {
            Some(bytes) if bytes.starts_with(&magic) => Ok(Self { bytes }),
            Some(_) => Err(damaged(position, "a header is missing")),
            None => Err(damaged(position, "a header is cut off")),
        }
    }

    fn field<const BYTES: usize>(&self, position: usize) -> [u8; BYTES] {
        let mut field = [0; BYTES];
        field.copy_from_slice(&self.bytes[position..position + BYTES]);
        field
    }

    fn u16(&self, position: usize) -> u16 {
        u16::from_le_bytes(self.field(position))
    }

    fn u32(&self, position: usize) -> u32 {
        u32::from_le_bytes(self.field(position))
    }

    fn u64(&self, position: usize) -> u64 {
        u64::from_le_bytes(self.field(position))
    }
}

/// Numbers that do not fit in 32 bits, in the order of the fields they replace.
struct Extra64<'a> {
    numbers: &'a [u8],
}

impl<'a> Extra64<'a> {
    fn find(mut fields: &'a [u8]) -> Self {
        while let [id0, id1, length0, length1, rest @ ..] = fields {
            let length = usize::from(u16::from_le_bytes([*length0, *length1]));
            let Some((field, next)) = rest.split_at_checked(length) else {
                break;
            };
            if u16::from_le_bytes([*id0, *id1]) == EXTRA64 {
                return Self { numbers: field };
            }
            fields = next;
        }
        Self { numbers: &[] }
    }

    /// Returns the number itself, or the next 64-bit number if all of its bits are ones.
    fn or(&mut self, number: u32) -> Option<u64> {
        if number != u32::MAX {
            return Some(number.into());
        }
        let (bytes, rest) = self.numbers.split_first_chunk()?;
        self.numbers = rest;
        Some(u64::from_le_bytes(*bytes))
    }
}

/// Converts a number from the file to a position or a length, if it is at most `limit`.
fn place(number: u64, limit: usize) -> Result<usize, ContentError> {
    usize::try_from(number)
        .ok()
        .filter(|&number| number <= limit)
        .ok_or_else(|| damaged(limit, "an offset or a size is outside of the file"))
}

fn damaged(offset: usize, reason: &'static str) -> ContentError {
    ContentError::Archive {
        offset: offset as u64,
        reason,
    }
}

#[cfg(test)]
mod tests;
