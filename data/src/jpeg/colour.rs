//! From a file's colours to red, green and blue.

use super::frame::Frame;

/// What a picture's components are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Colours {
    /// Brightness.
    Grey,
    /// Red, green, blue.
    Rgb,
    /// Brightness, and how much bluer and redder than grey.
    YCbCr,
    /// Cyan, magenta, yellow, black; 255 is no ink.
    Cmyk,
    /// [`Colours::YCbCr`] of what is left of white by three inks, and black; 255 is no ink.
    Ycck,
}

/// What other segments say about the colours.
#[derive(Default)]
pub(super) struct ColourHints {
    /// Whether there is a JFIF segment.
    pub(super) is_jfif: bool,
    /// The number in Adobe's segment.
    pub(super) adobe: Option<u8>,
}

impl Colours {
    /// The colours of a frame, as libjpeg guesses them.
    pub(super) fn of(frame: &Frame, hints: &ColourHints) -> Self {
        let ids: Vec<u8> = frame.components.iter().map(|one| one.id).collect();
        match (ids.len(), hints.adobe) {
            (1, _) => Self::Grey,
            (3, _) if hints.is_jfif => Self::YCbCr,
            (3, Some(0)) => Self::Rgb,
            (3, None) if ids == *b"RGB" => Self::Rgb,
            (3, _) => Self::YCbCr,
            (_, None | Some(0)) => Self::Cmyk,
            _ => Self::Ycck,
        }
    }

    /// Converts a row of one sample of each component a pixel to `[red, green, blue]` each.
    ///
    /// For all but [`Colours::Grey`]. Rows may be longer than the picture is wide.
    pub(super) fn convert(self, rows: &[&[u8]], pixels: &mut [[u8; 3]]) {
        let width = pixels.len();
        let mut rows = rows.iter().map(|row| &row[..width]);
        let mut row = || rows.next().unwrap_or_default();
        match self {
            Self::Grey => {}
            Self::Rgb => zip(pixels, [row(), row(), row()], |pixel| pixel),
            Self::YCbCr => zip(pixels, [row(), row(), row()], rgb),
            Self::Cmyk => zip(
                pixels,
                [row(), row(), row(), row()],
                |[inks @ .., black]| inks.map(|ink| darken(ink, black)),
            ),
            Self::Ycck => zip(
                pixels,
                [row(), row(), row(), row()],
                |[y, cb, cr, black]| rgb([y, cb, cr]).map(|rest| darken(255 - rest, black)),
            ),
        }
    }
}

#[inline(always)]
fn zip<const N: usize>(
    pixels: &mut [[u8; 3]],
    rows: [&[u8]; N],
    convert: impl Fn([u8; N]) -> [u8; 3],
) {
    // Four pixels at a time, as words that become three: bytes one by one would take longer than
    // everything else here.
    let (groups, rest) = pixels.as_chunks_mut::<4>();
    let whole = 4 * groups.len();
    let mut words = [0_u32; 64];
    for (index, groups) in groups.chunks_mut(words.len() / 4).enumerate() {
        let start = index * words.len();
        let words = &mut words[..4 * groups.len()];
        let rows = rows.map(|row| &row[start..][..words.len()]);
        for (place, word) in words.iter_mut().enumerate() {
            let [red, green, blue] = convert(rows.map(|row| row[place])).map(u32::from);
            *word = red | green << 8 | blue << 16;
        }
        for (group, words) in groups.iter_mut().zip(words.as_chunks::<4>().0) {
            let packed = [
                words[0] | words[1] << 24,
                words[1] >> 8 | words[2] << 16,
                words[2] >> 16 | words[3] << 8,
            ];
            for (to, word) in group
                .as_flattened_mut()
                .as_chunks_mut::<4>()
                .0
                .iter_mut()
                .zip(packed)
            {
                *to = word.to_le_bytes();
            }
        }
    }
    for (index, pixel) in rest.iter_mut().enumerate() {
        *pixel = convert(rows.map(|row| row[whole + index]));
    }
}

/// ITU-R BT.601, in whole numbers with 16 bits behind the point, as libjpeg rounds them.
#[inline(always)]
fn rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let [cb, cr] = [cb, cr].map(|value| i32::from(value) - 128);
    let red = (91881 * cr + HALF) >> 16;
    let green = (-22554 * cb - 46802 * cr + HALF) >> 16;
    let blue = (116130 * cb + HALF) >> 16;
    [red, green, blue].map(|part| (i32::from(y) + part).clamp(0, 255) as u8)
}

/// What is left of white under an ink and black, as Pillow converts it.
///
/// Both are written as Adobe's programs write them: 255 is no ink.
#[inline(always)]
fn darken(ink: u8, black: u8) -> u8 {
    let (ink, light) = (u32::from(255 - ink), u32::from(black));
    let product = ink * light + 128;
    light.saturating_sub((product + (product >> 8)) >> 8) as u8
}
