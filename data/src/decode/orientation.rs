//! Image orientation from metadata, like Pillow's `exif_transpose`.

use image::metadata::Orientation;

use super::ifd::{Directory, First};

/// Orientation tag in EXIF and TIFF.
const TAG: u16 = 0x112;

/// Prefix of the TIFF header in EXIF metadata.
const NAME: &[u8] = b"Exif\0\0";

/// Maximum number of bytes of EXIF metadata assembled from several segments.
const MAX_EXIF: usize = 1 << 20;

/// Orientation found in EXIF and XMP metadata.
///
/// EXIF takes precedence: XMP is used only if no EXIF metadata has an orientation, valid or not.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FoundOrientation {
    exif: Option<Vec<u8>>,
    /// Tag of a TIFF file itself.
    tag: Option<First>,
    xmp: Option<u64>,
}

impl FoundOrientation {
    /// Appends EXIF metadata to what was added before.
    pub(crate) fn add_exif(&mut self, exif: &[u8]) {
        let before = self.exif.get_or_insert_default();
        let exif = match before.is_empty() {
            true => exif,
            false => exif.strip_prefix(NAME).unwrap_or(exif),
        };
        let room = MAX_EXIF.saturating_sub(before.len());
        before.extend_from_slice(&exif[..exif.len().min(room)]);
    }

    /// Replaces the EXIF metadata.
    pub(super) fn set_exif(&mut self, exif: &[u8]) {
        self.exif = None;
        self.add_exif(exif);
    }

    /// Replaces the XMP metadata.
    pub(crate) fn set_xmp(&mut self, xmp: &[u8]) {
        self.xmp = in_xmp(xmp);
    }

    /// Sets the tag of a TIFF file.
    pub(super) fn set_tag(&mut self, directory: &Directory) {
        self.tag = directory.first_value(TAG);
    }

    pub(super) fn has_exif(&self) -> bool {
        self.exif.is_some()
    }

    /// Returns the orientation; invalid values leave the image unchanged.
    pub(crate) fn get(&self) -> Orientation {
        let exif = self.exif.as_deref().and_then(in_exif);
        let value = match exif.or(self.tag) {
            Some(First::Number(number)) => Some(number),
            Some(First::Other) => None,
            None => self.xmp,
        };
        value
            .and_then(|value| u8::try_from(value).ok())
            .and_then(Orientation::from_exif)
            .unwrap_or(Orientation::NoTransforms)
    }
}

/// Returns the value in EXIF metadata, with or without prefix; `None` if the tag is missing.
/// Unreadable metadata overrides other metadata.
fn in_exif(exif: &[u8]) -> Option<First> {
    let exif = exif.strip_prefix(NAME).unwrap_or(exif);
    let exif = exif.strip_prefix(NAME).unwrap_or(exif);
    if exif.is_empty() {
        return None;
    }
    // BigTIFF is for files, not for metadata.
    match exif.get(..4) {
        Some(b"II*\0" | b"II\0*" | b"MM\0*" | b"MM*\0") => Directory::first(exif)?.first_value(TAG),
        _ => Some(First::Other),
    }
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

/// Decodes the hexadecimal text that ImageMagick stores as `Raw profile type exif`: three lines
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
        for prefix in [&b""[..], NAME, &NAME.repeat(2)] {
            let mut found = FoundOrientation::default();
            found.add_exif(&[prefix, SIX].concat());
            assert_eq!(found.get(), Orientation::Rotate90);
        }
    }

    #[test]
    fn exif_in_parts_is_joined() {
        let mut found = FoundOrientation::default();
        found.add_exif(&[NAME, &SIX[..10]].concat());
        found.add_exif(&[NAME, &SIX[10..]].concat());
        assert_eq!(found.get(), Orientation::Rotate90);
        // The first one is used, unless it is replaced.
        found.add_exif(&one(3, 1, &3_u16.to_le_bytes()));
        assert_eq!(found.get(), Orientation::Rotate90);
        found.set_exif(&one(3, 1, &3_u16.to_le_bytes()));
        assert_eq!(found.get(), Orientation::Rotate180);
        found.set_exif(b"II*\0\x08\0\0\0\0\0");
        assert_eq!(found.get(), Orientation::NoTransforms);
    }

    /// Returns metadata with only the orientation, of the given type and number of values.
    fn one(kind: u16, count: u32, value: &[u8]) -> Vec<u8> {
        let mut file = b"II*\0\x08\0\0\0\x01\0\x12\x01".to_vec();
        file.extend(kind.to_le_bytes());
        file.extend(count.to_le_bytes());
        match value.len() > 4 {
            true => file.extend(26_u32.to_le_bytes()),
            false => file.extend_from_slice(value),
        }
        file.resize(26, 0);
        if value.len() > 4 {
            file.extend_from_slice(value);
        }
        file
    }

    #[test]
    fn orientation_accepts_all_number_types() {
        let rational = |kind, one: i32, other: i32| {
            (kind, 1, [one.to_le_bytes(), other.to_le_bytes()].concat())
        };
        let turned = Some(Orientation::Rotate90);
        let stays = Some(Orientation::NoTransforms);
        for ((kind, count, value), expected) in [
            ((3, 1, vec![6, 0]), turned),
            ((3, 2, vec![6, 0, 1, 0]), turned),
            ((3, 3, vec![6, 0, 1, 0, 1, 0]), turned),
            ((4, 1, vec![6, 0, 0, 0]), turned),
            ((6, 1, vec![6]), turned),
            ((11, 1, 6_f32.to_le_bytes().to_vec()), turned),
            ((11, 1, 6.5_f32.to_le_bytes().to_vec()), stays),
            ((11, 1, f32::NAN.to_le_bytes().to_vec()), stays),
            ((12, 1, 6_f64.to_le_bytes().to_vec()), turned),
            (rational(5, 6, 1), turned),
            (rational(5, 12, 2), turned),
            (rational(10, 6, 1), turned),
            (rational(10, 13, 2), stays),
            (rational(5, 6, 0), stays),
            // Text and bytes.
            ((1, 1, vec![6]), stays),
            ((2, 2, vec![b'6', 0]), stays),
            ((7, 1, vec![6]), stays),
            // No values, and unknown types.
            ((3, 0, vec![]), None),
            ((17, 1, vec![6; 8]), None),
            ((18, 1, vec![6; 8]), None),
            ((99, 1, vec![6]), None),
        ] {
            let mut found = FoundOrientation::default();
            found.set_xmp(b"tiff:Orientation>3");
            found.add_exif(&one(kind, count, &value));
            let expected = expected.unwrap_or(Orientation::Rotate180);
            assert_eq!(found.get(), expected, "{kind} {count} {value:?}");
        }
        for (exif, expected) in [
            (&b"garbage"[..], Orientation::NoTransforms),
            (b"II+\0\x08\0\0\0", Orientation::NoTransforms),
            (&NAME.repeat(3), Orientation::NoTransforms),
            (NAME, Orientation::Rotate180),
            (b"II*\0\xff\xff\0\0", Orientation::Rotate180),
        ] {
            let mut found = FoundOrientation::default();
            found.set_xmp(b"tiff:Orientation>3");
            found.add_exif(exif);
            assert_eq!(found.get(), expected, "{exif:?}");
        }
    }

    #[test]
    fn xmp_is_used_only_without_exif() {
        let mut found = FoundOrientation::default();
        found.set_xmp(b"<rdf:Description tiff:Orientation=\"3\"/>");
        assert_eq!(found.get(), Orientation::Rotate180);
        found.set_xmp(b"<rdf:Description/>");
        assert_eq!(found.get(), Orientation::NoTransforms, "the last counts");
        found.set_xmp(b"tiff:Orientation=\"3\"");
        found.add_exif(SIX);
        assert_eq!(found.get(), Orientation::Rotate90);
        assert_eq!(in_xmp(b"<tiff:Orientation>8</tiff:Orientation>"), Some(8));
        for other in [&b"tiff:Orientation"[..], b"tiff:Orientation=\"x\"", b""] {
            assert_eq!(in_xmp(other), None);
        }
    }

    #[test]
    fn invalid_orientations_are_ignored() {
        for value in [0, 9, 255, 256, 262, u64::MAX] {
            let mut found = FoundOrientation::default();
            found.set_xmp(b"tiff:Orientation>6");
            found.add_exif(&one(16, 1, &u64::to_le_bytes(value)));
            assert_eq!(found.get(), Orientation::NoTransforms, "{value}");
        }
    }

    #[test]
    fn raw_profiles_decode_hexadecimal() {
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
