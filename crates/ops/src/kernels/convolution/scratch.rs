//! Scratch memory that each thread keeps for its bands.

use std::cell::RefCell;

use super::shape::Walk;

thread_local! {
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Lends `length` values of this thread's scratch memory, with unspecified contents.
pub(super) fn with_scratch<R>(length: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.len() < length {
            // Cleared first, so that nothing is copied.
            scratch.clear();
            scratch.resize(length, 0.0);
        }
        work(&mut scratch[..length])
    })
}

/// Copies the part of an image under `rows` positions of the window, starting at `first_row`.
/// `outside` writes pixels outside the image.
pub(in crate::kernels) fn copy_band<T: Copy>(
    walk: &Walk,
    image: &[T],
    first_row: usize,
    rows: usize,
    outside: impl Fn(&mut [T]),
    band: &mut [T],
) {
    let channels = walk.in_channels;
    let columns = walk.columns_under();
    let top = walk.origin[0] + (first_row * walk.step[0]) as isize;
    let left = walk.origin[1];
    // Columns of the band: `margin` outside on the left, then `copied` inside, then outside again.
    let margin = (-left).clamp(0, columns as isize) as usize;
    let first = left.max(0) as usize;
    let copied = walk.width.saturating_sub(first).min(columns - margin);
    for (index, row) in band
        .chunks_exact_mut(columns * channels)
        .take(walk.rows_under(rows))
        .enumerate()
    {
        let y = top + index as isize;
        if y < 0 || y >= walk.height as isize || copied == 0 {
            outside(row);
            continue;
        }
        let source = (y as usize * walk.width + first) * walk.pixel;
        let (before, rest) = row.split_at_mut(margin * channels);
        let (inside, after) = rest.split_at_mut(copied * channels);
        outside(before);
        if walk.pixel == channels {
            inside.copy_from_slice(&image[source..source + copied * channels]);
        } else {
            let pixels = image[source..].chunks(walk.pixel);
            for (inside, pixel) in inside.chunks_exact_mut(channels).zip(pixels) {
                inside.copy_from_slice(&pixel[walk.first_channel..][..channels]);
            }
        }
        outside(after);
    }
}
