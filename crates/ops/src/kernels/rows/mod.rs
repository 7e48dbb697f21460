//! Passes over `[pixels, channels]` with coefficients per channel.
//!
//! A pixel with few channels is shorter than the vectors that a loop needs in flight to saturate
//! memory. A row therefore consists of as many pixels as fill whole vectors, and the coefficients
//! of each channel are repeated along it. Rows are processed a few columns of vectors at a time, so
//! that the data of these columns stays in registers from the first row to the last.

use std::cell::Cell;
use std::ops::Range;

use super::parallel;
use super::pointer::{Destination, Source};
use super::simd::{Kernel, Simd, SimdLevel};

/// Number of values to process before moving to the next columns: few enough to keep their pages in
/// the TLB, many enough to rarely reload the data held for the columns.
const TILE: usize = 32 * 1024;
/// From this length on, rows are processed one by one if the held data is only read. When going
/// down the columns, reads would often hit the same address modulo 4096 bytes as a recent write,
/// and the CPU would wait as if both addresses were equal.
const LONG: usize = 256;
/// More tasks than most CPUs have threads. Their number depends only on the data, because sums must
/// not depend on the number of threads.
const MOST_CHUNKS: usize = 64;
/// In a row longer than this, the repeated coefficients cost more than they save.
const MOST_VECTORS: usize = 32;
/// Enough independent sums to hide the latency of an addition.
const VECTORS_IN_HAND: usize = 4;

/// Split of a slice of whole pixels into rows, and of the rows into tasks.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    length: usize,
    channels: usize,
    width: usize,
}

impl Rows {
    /// # Panics
    ///
    /// Panics if there are no channels, or if `length` is not whole pixels.
    pub(crate) fn new(level: SimdLevel, length: usize, channels: usize) -> Self {
        assert!(channels > 0 && length.is_multiple_of(channels));
        let lanes = level.lanes();
        let vectors = channels / greatest_common_divisor(channels, lanes);
        let width = if vectors > MOST_VECTORS {
            channels
        } else if vectors < VECTORS_IN_HAND && VECTORS_IN_HAND.is_multiple_of(vectors) {
            VECTORS_IN_HAND * lanes
        } else {
            vectors * lanes
        };
        Self {
            length,
            channels,
            width,
        }
    }

    /// Creates rows for passes that treat all values alike.
    pub(crate) fn flat(level: SimdLevel, length: usize) -> Self {
        Self::new(level, length, 1)
    }

    /// Returns the number of values in all rows.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    pub(crate) fn pixels(&self) -> usize {
        self.length / self.channels
    }

    /// Returns the number of values in a row.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Repeats one value per channel along a row.
    pub(crate) fn repeat(&self, values: &[f32]) -> Vec<f32> {
        assert_eq!(values.len(), self.channels);
        values.repeat(self.width / self.channels)
    }

    /// Reduces one total per value of a row to one total per channel.
    pub(crate) fn fold(&self, totals: &[f64]) -> Vec<f64> {
        let mut folded = vec![0.0; self.channels];
        for pixel in totals.chunks_exact(self.channels) {
            for (folded, &total) in folded.iter_mut().zip(pixel) {
                *folded += total;
            }
        }
        folded
    }

    pub(crate) fn chunks(&self) -> usize {
        let rows = self.length / self.width;
        (self.length / TILE).min(rows).clamp(1, MOST_CHUNKS)
    }

    /// Returns the values of a chunk: whole rows, and in the last chunk also the pixels that do not
    /// fill a row.
    pub(crate) fn chunk(&self, index: usize) -> Range<usize> {
        let rows = self.length / self.width;
        let chunks = self.chunks();
        let start = rows * index / chunks * self.width;
        if index + 1 == chunks {
            start..self.length
        } else {
            start..rows * (index + 1) / chunks * self.width
        }
    }

    /// Runs `step` on all values, in parallel.
    ///
    /// # Safety
    ///
    /// The memory that `step` reads and writes must exist for all values and all columns of a row,
    /// and no chunk may read or write the values of another.
    pub(crate) unsafe fn run<T: Step + Send + Sync>(&self, level: SimdLevel, step: T) {
        parallel::for_each(self.chunks(), |index| {
            // SAFETY: chunks do not overlap and are within the length; the caller guarantees the
            // rest.
            unsafe { self.run_chunk(level, step, self.chunk(index)) };
        });
    }

    /// Runs `step` on the values of a chunk.
    ///
    /// # Safety
    ///
    /// Same as for [`run`](Self::run).
    pub(crate) unsafe fn run_chunk<T: Step>(
        &self,
        level: SimdLevel,
        step: T,
        values: Range<usize>,
    ) {
        assert!(values.end <= self.length);
        level.run(Pass {
            step,
            values,
            width: self.width,
        });
    }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// Operations of a pass on every vector of its data. All methods must be `#[inline(always)]`.
///
/// # Safety
///
/// Methods may only be called by a [`Kernel`], with indices within the data.
pub(crate) trait Step: Copy {
    /// Data that stays in registers for the columns of one vector.
    type Held<S: Simd>: Copy;
    /// Whether the pass also writes back the held data.
    const SUMS: bool = false;

    unsafe fn hold<S: Simd, A: Access>(self, access: A, column: usize) -> Self::Held<S>;
    unsafe fn step<S: Simd, A: Access>(self, access: A, held: &mut Self::Held<S>, index: usize);
    /// Writes back the held data, for sums.
    #[inline(always)]
    unsafe fn release<S: Simd, A: Access>(self, _: A, _: Self::Held<S>, _column: usize) {}
}

/// Access to whole vectors, or only to their first lanes.
///
/// # Safety
///
/// The indices must be within the data, and the CPU must support the instructions of `S`.
pub(crate) trait Access: Copy {
    fn count<S: Simd>(self) -> usize;
    unsafe fn load<S: Simd>(self, from: Source<'_>, index: usize) -> S::Vector;
    unsafe fn store<S: Simd>(self, to: Destination<'_>, index: usize, vector: S::Vector);
}

#[derive(Clone, Copy)]
pub(crate) struct Whole;

/// Access to the given number of first lanes.
#[derive(Clone, Copy)]
pub(crate) struct First(pub(crate) usize);

impl Access for Whole {
    #[inline(always)]
    fn count<S: Simd>(self) -> usize {
        S::LANES
    }

    #[inline(always)]
    unsafe fn load<S: Simd>(self, from: Source<'_>, index: usize) -> S::Vector {
        // SAFETY: the caller guarantees that this is within the data.
        unsafe { S::load(from.add(index)) }
    }

    #[inline(always)]
    unsafe fn store<S: Simd>(self, to: Destination<'_>, index: usize, vector: S::Vector) {
        // SAFETY: the caller guarantees that this is within the data.
        unsafe { S::store(to.add(index), vector) }
    }
}

impl Access for First {
    #[inline(always)]
    fn count<S: Simd>(self) -> usize {
        self.0
    }

    #[inline(always)]
    unsafe fn load<S: Simd>(self, from: Source<'_>, index: usize) -> S::Vector {
        // SAFETY: the caller guarantees that this is within the data.
        unsafe { S::load_first(from.add(index), self.0) }
    }

    #[inline(always)]
    unsafe fn store<S: Simd>(self, to: Destination<'_>, index: usize, vector: S::Vector) {
        // SAFETY: the caller guarantees that this is within the data.
        unsafe { S::store_first(to.add(index), vector, self.0) }
    }
}

struct Pass<T> {
    step: T,
    values: Range<usize>,
    width: usize,
}

impl<T: Step> Kernel for Pass<T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let rows_of_tile = if T::SUMS || self.width < LONG {
            (TILE / self.width).max(1)
        } else {
            1
        };
        let mut start = self.values.start;
        while start < self.values.end {
            let left = self.values.end - start;
            // The last pixels form one short row.
            let (rows, columns) = if left < self.width {
                (1, left)
            } else {
                (rows_of_tile.min(left / self.width), self.width)
            };
            // SAFETY: the caller guarantees the values, and these rows are within them.
            unsafe { tile::<S, T>(self.step, start, rows, columns) };
            start += rows * columns;
        }
    }
}

#[inline(always)]
unsafe fn tile<S: Simd, T: Step>(step: T, start: usize, rows: usize, columns: usize) {
    let whole = columns / S::LANES;
    let mut vector = 0;
    // SAFETY: all columns are within the row, and all rows within the tile.
    unsafe {
        while vector < whole {
            let column = vector * S::LANES;
            // Avoid single vectors where possible: their additions would wait for each other.
            vector += match whole - vector {
                1 => column_of::<S, T, Whole, 1>(step, Whole, start, rows, columns, column),
                2 => column_of::<S, T, Whole, 2>(step, Whole, start, rows, columns, column),
                3 | 5 | 6 => column_of::<S, T, Whole, 3>(step, Whole, start, rows, columns, column),
                _ => column_of::<S, T, Whole, 4>(step, Whole, start, rows, columns, column),
            };
        }
        let count = columns % S::LANES;
        if count > 0 {
            let column = columns - count;
            column_of::<S, T, First, 1>(step, First(count), start, rows, columns, column);
        }
    }
}

/// Processes `VECTORS` vectors of every row and returns their number.
#[inline(always)]
unsafe fn column_of<S: Simd, T: Step, A: Access, const VECTORS: usize>(
    step: T,
    access: A,
    start: usize,
    rows: usize,
    columns: usize,
    column: usize,
) -> usize {
    // SAFETY: the columns are within the row and the rows within the data, as `tile` counts them.
    unsafe {
        let mut held = [step.hold::<S, A>(access, column); VECTORS];
        for (vector, held) in held.iter_mut().enumerate().skip(1) {
            *held = step.hold::<S, A>(access, column + vector * S::LANES);
        }
        let mut index = start + column;
        for _ in 0..rows {
            for (vector, held) in held.iter_mut().enumerate() {
                step.step::<S, A>(access, held, index + vector * S::LANES);
            }
            index += columns;
        }
        for (vector, held) in held.into_iter().enumerate() {
            step.release::<S, A>(access, held, column + vector * S::LANES);
        }
    }
    VECTORS
}

/// Totals of the columns of a row, in `f64`, for one task.
#[derive(Clone, Copy)]
pub(crate) struct Totals<'a>(&'a [Cell<f64>]);

impl<'a> Totals<'a> {
    pub(crate) fn new(totals: &'a mut [f64]) -> Self {
        Self(Cell::from_mut(totals).as_slice_of_cells())
    }

    /// # Safety
    ///
    /// The CPU must support the instructions of `S`.
    ///
    /// # Panics
    ///
    /// Panics if the columns are not within the totals.
    #[inline(always)]
    pub(crate) unsafe fn add<S: Simd, A: Access>(
        self,
        access: A,
        column: usize,
        vector: S::Vector,
    ) {
        const { assert!(S::LANES <= 16) };
        let mut lanes = [0.0f32; 16];
        // SAFETY: no vector has more lanes than this array.
        unsafe { S::store(Destination::from(&mut lanes[..]), vector) };
        let count = access.count::<S>();
        let totals = &self.0[column..column + count];
        for (total, lane) in totals.iter().zip(lanes) {
            total.set(total.get() + f64::from(lane));
        }
    }
}

#[cfg(test)]
mod tests;
