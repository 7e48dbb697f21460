//! Translation and mirroring of an image by whole pixels.

/// A translation, and whether the image is mirrored afterwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shift {
    /// Rows upward: row 0 of the result is row `up` of the image.
    pub up: isize,
    /// Columns to the left: column 0 of the result is column `left` of the image.
    pub left: isize,
    /// Whether the result is mirrored horizontally.
    pub mirrored: bool,
}

/// Appends a translated and mirrored image, `[channels, height, width]`, to `target`.
///
/// Pixels from outside the image get the channel's value in `filling`, which has one value per
/// channel.
pub(crate) fn shift(
    image: &[u8],
    [_, height, width]: [usize; 3],
    Shift { up, left, mirrored }: Shift,
    filling: &[u8],
    target: &mut Vec<u8>,
) {
    let (rows, columns) = (overlap(height, up), overlap(width, left));
    for (plane, &filling) in image.chunks_exact(height * width).zip(filling) {
        let begin = target.len();
        target.resize(begin + rows.before * width, filling);
        let inside = &plane[rows.from * width..][..rows.length * width];
        for row in inside.chunks_exact(width) {
            let begin = target.len();
            target.resize(begin + columns.before, filling);
            target.extend_from_slice(&row[columns.from..][..columns.length]);
            target.resize(begin + width, filling);
            if mirrored {
                target[begin..].reverse();
            }
        }
        target.resize(begin + height * width, filling);
    }
}

/// The part of a side that stays in the image, and the offset before it.
struct Overlap {
    /// Number of result pixels before the part.
    before: usize,
    /// First pixel of the part in the image.
    from: usize,
    /// Length of the part.
    length: usize,
}

fn overlap(side: usize, offset: isize) -> Overlap {
    let outside = offset.unsigned_abs().min(side);
    let length = side - outside;
    match offset {
        0.. => Overlap {
            before: 0,
            from: outside,
            length,
        },
        _ => Overlap {
            before: outside,
            from: 0,
            length,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shifted(up: isize, left: isize, mirrored: bool) -> Vec<u8> {
        let mut target = Vec::new();
        let shift_by = Shift { up, left, mirrored };
        shift(&[1, 2, 3, 4, 5, 6], [1, 2, 3], shift_by, &[9], &mut target);
        target
    }

    #[test]
    fn shift_moves_pixels_and_fills_gaps() {
        assert_eq!(shifted(0, 0, false), [1, 2, 3, 4, 5, 6]);
        assert_eq!(shifted(0, 0, true), [3, 2, 1, 6, 5, 4]);
        assert_eq!(shifted(1, 0, false), [4, 5, 6, 9, 9, 9]);
        assert_eq!(shifted(-1, 1, false), [9, 9, 9, 2, 3, 9]);
        assert_eq!(shifted(-1, 1, true), [9, 9, 9, 9, 3, 2]);
        assert_eq!(shifted(0, -2, false), [9, 9, 1, 9, 9, 4]);
        assert_eq!(shifted(2, -7, true), [9; 6]);
    }

    proptest! {
        #[test]
        fn shifted_pixels_match_reference(
            channels in 1_usize..4,
            height in 1_usize..9,
            width in 1_usize..9,
            up in -10_isize..11,
            left in -10_isize..11,
            mirrored: bool,
        ) {
            let image: Vec<u8> = (0..channels * height * width).map(|value| value as u8).collect();
            let filling = [251, 252, 253];
            let mut target = vec![7];
            let by = Shift { up, left, mirrored };
            shift(&image, [channels, height, width], by, &filling[..channels], &mut target);
            prop_assert_eq!(target.len(), 1 + image.len());
            for (place, &found) in target[1..].iter().enumerate() {
                let (channel, row, column) =
                    (place / (height * width), place / width % height, place % width);
                let column = if mirrored { width - 1 - column } else { column };
                let row = row.checked_add_signed(up).filter(|&row| row < height);
                let column = column.checked_add_signed(left).filter(|&column| column < width);
                let expected = match (row, column) {
                    (Some(row), Some(column)) => image[(channel * height + row) * width + column],
                    _ => filling[channel],
                };
                prop_assert_eq!(found, expected);
            }
        }
    }
}
