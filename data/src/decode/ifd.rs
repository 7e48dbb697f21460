//! Image file directories: the structure of TIFF files and of EXIF metadata.

/// Maximum number of values read from one entry.
const MAX_VALUES: u64 = 1 << 24;

/// The first directory of a TIFF file or of EXIF metadata.
pub(super) struct Directory<'a> {
    file: &'a [u8],
    layout: Layout,
    entries: Vec<Entry>,
}

/// Number layout of a file.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) little_endian: bool,
    /// Whether offsets have 64 bits (BigTIFF).
    big: bool,
}

/// The first value of a tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum First {
    /// An integer; negative ones become large numbers.
    Number(u64),
    /// Text, bytes or another number.
    Other,
}

struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    /// Offset in the file of the value, or of its offset.
    place: usize,
}

impl<'a> Directory<'a> {
    /// Reads the first directory; entries beyond the end of the file are left out.
    ///
    /// Returns `None` if `file` does not start with a TIFF header.
    pub(super) fn first(file: &'a [u8]) -> Option<Self> {
        let little_endian = match file.get(..2)? {
            b"II" => true,
            b"MM" => false,
            _ => return None,
        };
        let mut layout = Layout {
            little_endian,
            big: false,
        };
        // Some encoders store the magic number in the other byte order.
        layout.big = match file.get(2..4)? {
            [42, 0] | [0, 42] => false,
            magic if layout.number(magic) == 43 => true,
            _ => return None,
        };
        let offset = match layout.big {
            true => layout.number(file.get(8..16)?),
            false => layout.number(file.get(4..8)?),
        };
        let (count_bytes, entry_bytes) = if layout.big { (8, 20) } else { (2, 12) };
        let start = usize::try_from(offset).ok()?;
        let list = start.checked_add(count_bytes)?;
        let count = layout.number(file.get(start..list)?);
        let whole = file[list..].chunks_exact(entry_bytes).enumerate();
        let entries = whole.take(usize::try_from(count).unwrap_or(usize::MAX));
        let entries = entries.map(|(index, entry)| {
            let value = if layout.big { 12 } else { 8 };
            Entry {
                tag: layout.number(&entry[..2]) as u16,
                kind: layout.number(&entry[2..4]) as u16,
                count: layout.number(&entry[4..value]),
                place: list + index * entry_bytes + value,
            }
        });
        Some(Self {
            file,
            layout,
            entries: entries.collect(),
        })
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    pub(super) fn has(&self, tag: u16) -> bool {
        self.entries(tag).next().is_some()
    }

    fn entries(&self, tag: u16) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.tag == tag)
    }

    /// Returns the bytes of a tag's value; if the tag has several entries, uses the first readable
    /// one.
    pub(super) fn bytes(&self, tag: u16) -> Option<&'a [u8]> {
        self.entries(tag).find_map(|entry| self.value(entry))
    }

    /// Returns the first of a tag's values; if the tag has several entries, uses the first readable
    /// one.
    ///
    /// Types unknown to Pillow are not readable.
    pub(super) fn first_value(&self, tag: u16) -> Option<First> {
        self.entries(tag).find_map(|entry| {
            let is_known = !matches!(entry.kind, 17 | 18);
            let value = self.value(entry).filter(|_| is_known)?;
            let first = value.get(..value_bytes(entry.kind)?)?;
            Some(self.layout.first(entry.kind, first))
        })
    }

    /// Returns the unsigned integers of a tag as bytes, and the number of bytes of each; if the tag
    /// has several entries, uses the first readable one.
    fn integers(&self, tag: u16) -> Option<(&'a [u8], usize)> {
        self.entries(tag)
            .find_map(|entry| Some((self.value(entry)?, integer_bytes(entry.kind)?)))
    }

    /// Returns at most the first `most` unsigned integers of a tag.
    pub(super) fn numbers(&self, tag: u16, most: usize) -> Option<Vec<u64>> {
        let (bytes, size) = self.integers(tag)?;
        let numbers = bytes.chunks_exact(size).take(most);
        Some(numbers.map(|bytes| self.layout.number(bytes)).collect())
    }

    /// Returns a tag's value if it is one unsigned integer.
    pub(super) fn number(&self, tag: u16) -> Option<u64> {
        let (bytes, size) = self.integers(tag)?;
        (bytes.len() == size).then(|| self.layout.number(bytes))
    }

    fn value(&self, entry: &Entry) -> Option<&'a [u8]> {
        if entry.count > MAX_VALUES {
            return None;
        }
        let length = entry.count as usize * value_bytes(entry.kind)?;
        let inline = if self.layout.big { 8 } else { 4 };
        let start = match length <= inline {
            true => entry.place,
            false => {
                let offset = self.file.get(entry.place..entry.place + inline)?;
                usize::try_from(self.layout.number(offset)).ok()?
            }
        };
        self.file.get(start..start.checked_add(length)?)
    }
}

impl Layout {
    /// Returns the first value of a type.
    fn first(self, kind: u16, value: &[u8]) -> First {
        let number = match kind {
            5 | 10 => {
                let (one, other) = value.split_at(value.len() / 2);
                let [one, other] = [self.number(one), self.number(other)];
                one.checked_rem(other)
                    .and_then(|rest| (rest == 0).then_some(one / other))
            }
            11 => whole(f32::from_bits(self.number(value) as u32).into()),
            12 => whole(f64::from_bits(self.number(value))),
            _ => integer_bytes(kind).map(|_| self.number(value)),
        };
        number.map_or(First::Other, First::Number)
    }

    /// Converts at most 8 bytes to a number.
    pub(super) fn number(self, bytes: &[u8]) -> u64 {
        let add = |number, &byte| number << 8 | u64::from(byte);
        match self.little_endian {
            true => bytes.iter().rev().fold(0, add),
            false => bytes.iter().fold(0, add),
        }
    }
}

/// Converts a number without a fraction.
fn whole(number: f64) -> Option<u64> {
    (number.fract() == 0.0 && number >= 0.0).then_some(number as u64)
}

/// Returns the number of bytes of one value of a type; `None` for unknown types.
fn value_bytes(kind: u16) -> Option<usize> {
    match kind {
        // BYTE, ASCII, SBYTE, UNDEFINED
        1 | 2 | 6 | 7 => Some(1),
        // SHORT, SSHORT
        3 | 8 => Some(2),
        // LONG, SLONG, FLOAT, IFD
        4 | 9 | 11 | 13 => Some(4),
        // RATIONAL, SRATIONAL, DOUBLE, LONG8, SLONG8, IFD8
        5 | 10 | 12 | 16..=18 => Some(8),
        _ => None,
    }
}

/// Returns the number of bytes of one value of an integer type. Like in Pillow, values of the type
/// BYTE are not numbers.
fn integer_bytes(kind: u16) -> Option<usize> {
    match kind {
        3 | 4 | 6 | 8 | 9 | 13 | 16..=18 => value_bytes(kind),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_byte_orders_are_read() {
        let little = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        let big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0";
        for file in [&little[..], big] {
            assert_eq!(Directory::first(file).unwrap().number(0x112), Some(6));
        }
    }

    #[test]
    fn first_entry_wins_and_values_are_limited() {
        let file = b"II*\0\x08\0\0\0\x02\0\x12\x01\x03\0\x02\0\0\0\x06\0\x01\0\x12\x01\x03\0\x01\0\0\0\x03\0\0\0";
        let directory = Directory::first(file).unwrap();
        assert_eq!(directory.first_value(0x112), Some(First::Number(6)));
        assert_eq!(directory.numbers(0x112, 9), Some(vec![6, 1]));
        assert_eq!(directory.numbers(0x112, 1), Some(vec![6]));
        assert_eq!(directory.number(0x112), None, "it is not one number");
    }

    #[test]
    fn damaged_entries_are_ignored() {
        let whole = b"II*\0\x08\0\0\0\x02\0\x00\x01\x04\0\x02\0\0\0\xf0\xff\0\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        let directory = Directory::first(whole).unwrap();
        assert_eq!(
            directory.numbers(0x100, 9),
            None,
            "its offset is beyond the end"
        );
        assert_eq!(directory.number(0x112), Some(6));
        for length in 0..whole.len() {
            let found = Directory::first(&whole[..length]).and_then(|found| found.number(0x112));
            assert_eq!(found, None, "{length}");
        }
        assert!(Directory::first(b"II*\0\xff\xff\xff\xff").is_none());
        assert!(Directory::first(b"XX*\0\x08\0\0\0\0\0").is_none());
    }
}
