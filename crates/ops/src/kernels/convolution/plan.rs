//! Split of a convolution into tasks.

use std::ops::Range;

use super::shape::Walk;

/// Largest input of a band with more than one row, in bytes: a fraction of the second-level cache.
const BAND_BYTES: usize = 128 << 10;
/// Largest input of a task in bytes, with few weights and with many. Many weights come from a more
/// distant memory level, so each read should serve more pixels.
const TASK_BYTES: [usize; 2] = [512 << 10, 4 << 20];
const FEW_WEIGHTS: usize = 512 << 10;
const TASKS_PER_THREAD: usize = 4;

/// Split of a sweep into tasks. A unit is a band of rows of one image.
pub(in crate::kernels) struct Plan {
    pub band_rows: usize,
    pub bands: usize,
    pub units: usize,
    /// Number of values in a band's scratch memory.
    pub band_len: usize,
    pub unit_groups: usize,
    pub panel_groups: usize,
}

impl Plan {
    /// Plans the sweep over values of type `T`, with the given number of panels and of weights.
    pub(in crate::kernels) fn new<T>(walk: &Walk, panels: usize, weights: usize) -> Self {
        Self::with_bands::<T>(walk, panels, weights, BAND_BYTES)
    }

    /// Like [`new`](Self::new), with the largest input of a band of several rows in bytes.
    pub(in crate::kernels) fn with_bands<T>(
        walk: &Walk,
        panels: usize,
        weights: usize,
        band_bytes: usize,
    ) -> Self {
        let row_len = walk.columns_under() * walk.in_channels;
        let fitting = band_bytes / size_of::<T>() / row_len.max(1);
        let most = (fitting.saturating_sub(walk.taps[0]) / walk.step[0] + 1).clamp(1, walk.rows);
        let bands = walk.rows.div_ceil(most);
        let band_rows = walk.rows.div_ceil(bands);
        let bands = walk.rows.div_ceil(band_rows);
        let units = walk.batch * bands;
        let band_len = walk.rows_under(band_rows) * row_len;

        let tasks = TASKS_PER_THREAD * rayon::current_num_threads();
        let input_bytes = (units * band_len * size_of::<T>()).max(1);
        let weight_bytes = (weights * size_of::<T>()).max(1);
        // Every group of units reads all weights, and every group of panels reads all pixels; this
        // ratio of the two minimizes reads.
        let least = (tasks as f64 * input_bytes as f64 / weight_bytes as f64).sqrt() as usize;
        let task_bytes = TASK_BYTES[usize::from(weight_bytes > FEW_WEIGHTS)];
        let unit_groups = least
            .min(tasks)
            .max(input_bytes.div_ceil(task_bytes))
            .clamp(1, units);
        let panel_groups = tasks.div_ceil(unit_groups).clamp(1, panels);
        Self {
            band_rows,
            bands,
            units,
            band_len,
            unit_groups,
            panel_groups,
        }
    }

    /// Returns the image and the rows of a unit.
    pub(in crate::kernels) fn unit(&self, walk: &Walk, unit: usize) -> (usize, Range<usize>) {
        let first = unit % self.bands * self.band_rows;
        let last = (first + self.band_rows).min(walk.rows);
        (unit / self.bands, first..last)
    }
}

/// Returns the `index`-th of `parts` nearly equal parts of `0..count`.
pub(in crate::kernels) fn part(count: usize, parts: usize, index: usize) -> Range<usize> {
    count * index / parts..count * (index + 1) / parts
}

/// Splits `count` values into as few parts of at most `most` as possible, all of one length but the
/// first ones, which are one value longer. Returns the length, and the number of values in the
/// longer parts.
pub(in crate::kernels) fn even_parts(count: usize, most: usize) -> (usize, usize) {
    let parts = count.div_ceil(most).max(1);
    let length = count / parts;
    (length, count % parts * (length + 1))
}
