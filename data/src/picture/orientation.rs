//! The orientation that an image's metadata asks for, as Pillow's `exif_transpose` finds it.

use image::metadata::Orientation;

use super::ifd::Directory;

/// EXIF's and TIFF's tag of the orientation.
pub(super) const TAG: u16 = 0x112;

/// The orientation in EXIF and XMP metadata.
///
/// EXIF has precedence: XMP counts only if no EXIF metadata has an orientation, valid or not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct FoundOrientation {
    exif: Option<u64>,
    xmp: Option<u64>,
}

impl FoundOrientation {
    /// Adds EXIF metadata, with or without `Exif\0\0` before the TIFF header; the first metadata
    /// with an orientation counts.
    pub(crate) fn add_exif(&mut self, exif: &[u8]) {
        self.exif = self.exif.or_else(|| in_exif(exif));
    }

    /// Adds EXIF metadata that takes precedence over what was added before.
    pub(super) fn set_exif(&mut self, exif: &[u8]) {
        self.exif = in_exif(exif).or(self.exif);
    }

    /// Adds XMP metadata that takes precedence over what was added before.
    pub(crate) fn set_xmp(&mut self, xmp: &[u8]) {
        self.xmp = in_xmp(xmp).or(self.xmp);
    }

    /// Adds a value of the tag.
    pub(super) fn set_value(&mut self, value: Option<u64>) {
        self.exif = value.or(self.exif);
    }

    /// Returns how the image has to be turned; invalid values leave it as it is.
    pub(crate) fn get(self) -> Orientation {
        let value = self.exif.or(self.xmp);
        value
            .and_then(|value| u8::try_from(value).ok())
            .and_then(Orientation::from_exif)
            .unwrap_or(Orientation::NoTransforms)
    }
}

fn in_exif(mut exif: &[u8]) -> Option<u64> {
    while let Some(rest) = exif.strip_prefix(b"Exif\0\0") {
        exif = rest;
    }
    Directory::first(exif)?.number(TAG)
}

/// Finds `tiff:Orientation="6"` or `<tiff:Orientation>6<`.
fn in_xmp(xmp: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"tiff:Orientation";
    let places = xmp.windows(NAME.len()).enumerate();
    let mut places = places.filter(|(_, window)| *window == NAME);
    places.find_map(|(place, _)| {
        let rest = &xmp[place + NAME.len()..];
        let rest = rest.strip_prefix(b"=\"").or(rest.strip_prefix(b">"))?;
        let digit = rest.first().filter(|digit| digit.is_ascii_digit())?;
        Some(u64::from(digit - b'0'))
    })
}

/// Reads the hexadecimal text that ImageMagick stores as `Raw profile type exif`: three lines
/// with a name and a length, then digits.
pub(super) fn raw_profile(text: &[u8]) -> Option<Vec<u8>> {
    let mut lines = text.splitn(4, |&byte| byte == b'\n');
    let digits = lines
        .nth(3)?
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace());
    let digits: Option<Vec<u8>> = digits
        .map(|&digit| char::from(digit).to_digit(16).map(|digit| digit as u8))
        .collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIX: &[u8] = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";

    #[test]
    fn exif_is_read_with_and_without_its_name() {
        for prefix in [&b""[..], b"Exif\0\0", b"Exif\0\0Exif\0\0"] {
            let mut found = FoundOrientation::default();
            found.add_exif(&[prefix, SIX].concat());
            assert_eq!(found.get(), Orientation::Rotate90);
        }
    }

    #[test]
    fn xmp_counts_without_exif_only() {
        let mut found = FoundOrientation::default();
        found.set_xmp(b"<rdf:Description tiff:Orientation=\"3\"/>");
        assert_eq!(found.get(), Orientation::Rotate180);
        found.add_exif(b"no EXIF");
        assert_eq!(found.get(), Orientation::Rotate180);
        found.add_exif(SIX);
        assert_eq!(found.get(), Orientation::Rotate90);
        assert_eq!(in_xmp(b"<tiff:Orientation>8</tiff:Orientation>"), Some(8));
        for other in [&b"tiff:Orientation"[..], b"tiff:Orientation=\"x\"", b""] {
            assert_eq!(in_xmp(other), None);
        }
    }

    #[test]
    fn invalid_values_turn_nothing() {
        for value in [0, 9, 255, 256, 262, u64::MAX] {
            let mut found = FoundOrientation::default();
            found.set_xmp(b"tiff:Orientation>6");
            found.set_value(Some(value));
            assert_eq!(found.get(), Orientation::NoTransforms, "{value}");
        }
    }

    #[test]
    fn raw_profiles_are_hexadecimal() {
        assert_eq!(raw_profile(b"\nexif\n  4\n4949\n2A00\n").unwrap(), b"II*\0");
        for text in [
            &b"\nexif\n  4\n4949\n2A0"[..],
            b"\nexif\n  4\n49x9",
            b"49",
            b"",
        ] {
            assert_eq!(raw_profile(text), None);
        }
    }
}
