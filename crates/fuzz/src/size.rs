//! The size that the header of an image says, found without a decoder.

/// Width and height as they are stored; `None` for a format that is not known here, or no whole header.
pub fn size_in_header(file: &[u8]) -> Option<[u32; 2]> {
    if file.starts_with(&[0xff, 0xd8]) {
        jpeg(file)
    } else if file.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some([big(file, 16, 4)?, big(file, 20, 4)?])
    } else if file.starts_with(b"BM") {
        bmp(file)
    } else if file.starts_with(b"RIFF") && file.get(8..12)? == b"WEBP" {
        webp(file)
    } else {
        None
    }
}

/// The first frame header. Nothing but segments can come before it.
fn jpeg(file: &[u8]) -> Option<[u32; 2]> {
    let mut at = 2;
    loop {
        // What is between segments is skipped, as libjpeg does.
        while *file.get(at)? != 0xff || matches!(file.get(at + 1)?, 0 | 0xff) {
            at += 1;
        }
        let marker = file[at + 1];
        at += 2;
        match marker {
            0x01 | 0xd0..=0xd8 => {}
            0xc0..=0xc2 => return Some([big(file, at + 5, 2)?, big(file, at + 3, 2)?]),
            _ => at += big(file, at, 2)? as usize,
        }
    }
}

fn bmp(file: &[u8]) -> Option<[u32; 2]> {
    if little(file, 14, 4)? == 12 {
        return Some([little(file, 18, 2)?, little(file, 20, 2)?]);
    }
    // A negative height says that the first row is on top.
    let height = little(file, 22, 4)?.cast_signed().unsigned_abs();
    Some([little(file, 18, 4)?, height])
}

fn webp(file: &[u8]) -> Option<[u32; 2]> {
    match file.get(12..16)? {
        b"VP8X" => Some([1 + little(file, 24, 3)?, 1 + little(file, 27, 3)?]),
        b"VP8L" => {
            let bits = little(file, 21, 4)?;
            Some([1 + (bits & 0x3fff), 1 + (bits >> 14 & 0x3fff)])
        }
        b"VP8 " => Some([little(file, 26, 2)? & 0x3fff, little(file, 28, 2)? & 0x3fff]),
        _ => None,
    }
}

fn big(file: &[u8], at: usize, bytes: usize) -> Option<u32> {
    let digits = file.get(at..at.checked_add(bytes)?)?;
    Some(
        digits
            .iter()
            .fold(0, |number, &digit| number << 8 | u32::from(digit)),
    )
}

fn little(file: &[u8], at: usize, bytes: usize) -> Option<u32> {
    let digits = file.get(at..at.checked_add(bytes)?)?;
    let digits = digits.iter().rev();
    Some(digits.fold(0, |number, &digit| number << 8 | u32::from(digit)))
}
