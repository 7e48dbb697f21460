//! Whether a JPEG file is whole.

const START_OF_IMAGE: u8 = 0xd8;
const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;
/// TEM and the restart markers: markers without a length.
const BARE: [u8; 9] = [0x01, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7];

/// Whether the markers of a JPEG file lead to its end-of-image marker.
///
/// The decoder fills what is missing of a cut-off file with grey and says nothing, so the file is
/// walked here first. Bytes after the end (some cameras append a film) do not matter.
pub(crate) fn is_whole(file: &[u8]) -> bool {
    let mut position = 0;
    loop {
        // Everything up to the next marker is scan data or filling.
        let Some((marker, after)) = next_marker(file, position) else {
            return false;
        };
        position = match marker {
            END_OF_IMAGE => return true,
            START_OF_IMAGE => after,
            // Scan data has no such marker inside, and is most of the file.
            START_OF_SCAN if file[after..].ends_with(&[0xff, END_OF_IMAGE]) => return true,
            marker if BARE.contains(&marker) => after,
            _ => match file.get(after..after + 2) {
                Some(length) => {
                    after + usize::from(u16::from_be_bytes([length[0], length[1]])).max(2)
                }
                None => return false,
            },
        };
    }
}

/// The next marker at or after `position`, and the position after it.
fn next_marker(file: &[u8], position: usize) -> Option<(u8, usize)> {
    let rest = file.get(position..)?;
    rest.windows(2)
        .position(|pair| pair[0] == 0xff && pair[1] != 0x00 && pair[1] != 0xff)
        .map(|offset| (rest[offset + 1], position + offset + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of one segment (with the end marker inside it, as a thumbnail has), and one scan
    /// with an escaped 0xff and a restart marker.
    const WHOLE: [u8; 23] = [
        0xff, 0xd8, 0xff, 0xe1, 0x00, 0x04, 0xff, 0xd9, 0xff, 0xda, 0x00, 0x03, 0x01, 0x12, 0xff,
        0x00, 0xd9, 0xff, 0xd0, 0x34, 0xff, 0xff, 0xd9,
    ];

    #[test]
    fn only_the_whole_file_is_whole() {
        assert!(is_whole(&WHOLE));
        for length in 0..WHOLE.len() {
            assert!(!is_whole(&WHOLE[..length]), "{length} bytes");
        }
        assert!(is_whole(&[&WHOLE[..], &[0xff, 0xda, 1, 2, 3]].concat()));
    }
}
