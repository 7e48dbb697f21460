//! Conversion of color spaces to RGB.

use std::array;

use super::frame::Frame;

/// Color space of an image's components.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Colors {
    /// Brightness.
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Brightness, blue difference and red difference.
    YCbCr,
    /// Cyan, magenta, yellow, black; 255 is no ink.
    Cmyk,
    /// Cyan, magenta, yellow, black; 0 is no ink, as inside TIFF files.
    Inks,
    /// [`Colors::YCbCr`] of the inverse of three inks, and black; 255 is no ink.
    Ycck,
}

/// Information about the colors from other segments.
#[derive(Default)]
pub(super) struct ColorHints {
    /// Whether there is a JFIF segment.
    pub(super) is_jfif: bool,
    /// Color transform in Adobe's segment.
    pub(super) adobe: Option<u8>,
    /// Whether three components are known to be RGB.
    pub(super) is_rgb: bool,
    /// Whether the file is embedded in a TIFF file.
    pub(super) is_in_tiff: bool,
}

impl Colors {
    /// Guesses the colors of a frame like libjpeg.
    pub(super) fn of(frame: &Frame, hints: &ColorHints) -> Self {
        let ids: Vec<u8> = frame.components.iter().map(|one| one.id).collect();
        match (ids.len(), hints.adobe) {
            (1, _) => Self::Gray,
            (3, _) if hints.is_rgb => Self::Rgb,
            (3, _) if hints.is_jfif => Self::YCbCr,
            (3, Some(0)) => Self::Rgb,
            (3, None) if ids == *b"RGB" => Self::Rgb,
            (3, _) => Self::YCbCr,
            (_, _) if hints.is_in_tiff => Self::Inks,
            (_, None | Some(0)) => Self::Cmyk,
            _ => Self::Ycck,
        }
    }

    /// Converts a row, with one sample per pixel of each component, to `[red, green, blue]` pixels.
    ///
    /// Supports all but [`Colors::Gray`]. Rows may be longer than the image's width.
    pub(super) fn convert(self, rows: &[&[u8]], pixels: &mut [[u8; 3]]) {
        let width = pixels.len();
        let mut rows = rows.iter().map(|row| &row[..width]);
        let mut row = || rows.next().unwrap_or_default();
        match self {
            Self::Gray => {}
            Self::Rgb => zip(pixels, [row(), row(), row()], |pixel| pixel),
            Self::YCbCr => zip(pixels, [row(), row(), row()], rgb),
            Self::Cmyk => zip(
                pixels,
                [row(), row(), row(), row()],
                |[inks @ .., black]| inks.map(|ink| darken(ink, black)),
            ),
            Self::Inks => zip(
                pixels,
                [row(), row(), row(), row()],
                |[inks @ .., black]| inks.map(|ink| darken(255 - ink, 255 - black)),
            ),
            Self::Ycck => zip(
                pixels,
                [row(), row(), row(), row()],
                |[y, cb, cr, black]| rgb([y, cb, cr]).map(|rest| darken(255 - rest, black)),
            ),
        }
    }
}

/// Number of pixels converted at once.
const GROUP: usize = 64;

#[inline(always)]
fn zip<const N: usize>(
    pixels: &mut [[u8; 3]],
    rows: [&[u8]; N],
    convert: impl Fn([u8; N]) -> [u8; 3],
) {
    let (mut values, mut parts) = ([[0; GROUP]; N], [[0; GROUP]; 3]);
    for (index, pixels) in pixels.chunks_mut(GROUP).enumerate() {
        for (values, row) in values.iter_mut().zip(rows) {
            values[..pixels.len()].copy_from_slice(&row[index * GROUP..][..pixels.len()]);
        }
        // Always a whole group, because converting the last few one by one would take just as long.
        for place in 0..GROUP {
            let converted = convert(array::from_fn(|component| values[component][place]));
            for (part, value) in parts.iter_mut().zip(converted) {
                part[place] = value;
            }
        }
        interleave(&parts, pixels);
    }
}

/// Interleaves red, green and blue.
///
/// Converts four pixels at a time to three words: byte by byte, it would take as long as everything
/// else here.
fn interleave(parts: &[[u8; GROUP]; 3], pixels: &mut [[u8; 3]]) {
    let mut words = [0_u32; GROUP];
    for (place, word) in words.iter_mut().enumerate() {
        let [red, green, blue]: [u32; 3] = array::from_fn(|part| parts[part][place].into());
        *word = red | green << 8 | blue << 16;
    }
    let (groups, rest) = pixels.as_chunks_mut::<4>();
    let (quadruples, _) = words.as_chunks::<4>();
    for (group, words) in groups.iter_mut().zip(quadruples) {
        let packed = [
            words[0] | words[1] << 24,
            words[1] >> 8 | words[2] << 16,
            words[2] >> 16 | words[3] << 8,
        ];
        let bytes = group.as_flattened_mut().as_chunks_mut().0;
        for (bytes, word) in bytes.iter_mut().zip(packed) {
            *bytes = word.to_le_bytes();
        }
    }
    for (pixel, word) in rest.iter_mut().zip(&words[4 * groups.len()..]) {
        let [red, green, blue, _] = word.to_le_bytes();
        *pixel = [red, green, blue];
    }
}

/// Converts ITU-R BT.601 with factors of 16 fractional bits, rounded like libjpeg.
///
/// Uses 16-bit numbers, of which processors compute more at once: the integer part of each factor
/// is split off, since its product needs no multiplication.
#[inline(always)]
fn rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let [y, cb, cr] = [y, cb, cr].map(i16::from);
    let [cb, cr] = [cb - 128, cr - 128];
    let product = |value: i16, factor: i32| i32::from(value) * factor;
    let round = |product: i32| ((product + (1 << 15)) >> 16) as i16;
    let red = cr + round(product(cr, 91881 - (1 << 16)));
    let green = round(product(cb, -22554) + product(cr, (1 << 16) - 46802)) - cr;
    let blue = 2 * cb + round(product(cb, 116130 - (2 << 16)));
    [red, green, blue].map(|part| (y + part).clamp(0, 255) as u8)
}

/// Converts an ink and black to a color channel, like Pillow.
///
/// Both are inverted, as Adobe's programs store them: 255 is no ink.
#[inline(always)]
pub(crate) fn darken(ink: u8, black: u8) -> u8 {
    let (ink, light) = (u32::from(255 - ink), u32::from(black));
    let product = ink * light + 128;
    light.saturating_sub((product + (product >> 8)) >> 8) as u8
}
