//! Passes over `[pixels, channels]` that treat every channel in its own way.
//!
//! A pixel of few channels is shorter than the vectors that a loop must have in hand to keep the
//! memory busy. So as many pixels as fill whole vectors make a row, and what a pass knows of each
//! channel is repeated along it. Rows are taken a few columns of vectors at a time, so that what
//! belongs to these columns stays in registers all the way down.

use std::cell::Cell;
use std::ops::Range;

use super::parallel;
use super::pointer::{Destination, Source};
use super::simd::{Kernel, SimdLevel, Simd};

/// Values that are gone through before the next columns: few enough that the pages they are on
/// stay known to the CPU, many enough that what is held for the columns is seldom exchanged.
const TILE: usize = 32 * 1024;
/// From this length on, rows are taken one by one where what is held is only read. Down the columns,
/// what is read would often lie where something was just written but for a multiple of 4096 bytes,
/// and the CPU would wait for that as if it were the same.
const LONG: usize = 256;
/// More tasks than most CPUs have threads. Their number depends on the data only, because sums
/// must not depend on the number of threads.
const MOST_CHUNKS: usize = 64;
/// A row longer than this costs more in its repeated coefficients than it saves.
const MOST_VECTORS: usize = 32;
/// Enough independent sums to hide how long an addition takes.
const VECTORS_IN_HAND: usize = 4;

/// How a slice of whole pixels is cut into rows, and these into tasks.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    length: usize,
    channels: usize,
    width: usize,
}

impl Rows {
    /// # Panics
    ///
    /// Without channels, or if `length` is not whole pixels.
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

    /// For passes to which all values are the same.
    pub(crate) fn flat(level: SimdLevel, length: usize) -> Self {
        Self::new(level, length, 1)
    }

    /// Values of all rows.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    pub(crate) fn pixels(&self) -> usize {
        self.length / self.channels
    }

    /// Values of a row.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// One value for each channel, repeated along a row.
    pub(crate) fn repeat(&self, values: &[f32]) -> Vec<f32> {
        assert_eq!(values.len(), self.channels);
        values.repeat(self.width / self.channels)
    }

    /// One total for each channel, from one for each value of a row.
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

    /// The values of a chunk: whole rows, and in the last one also the pixels that fill no row.
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

    /// Takes `step` over all values, in parallel.
    ///
    /// # Safety
    ///
    /// What `step` reads and writes must be there for all values and all columns of a row, and the
    /// values of one chunk must not be read or written from another.
    pub(crate) unsafe fn run<T: Step + Send + Sync>(&self, level: SimdLevel, step: T) {
        parallel::for_each(self.chunks(), |index| {
            // SAFETY: chunks do not overlap and are within the length; the rest is the caller's.
            unsafe { self.run_chunk(level, step, self.chunk(index)) };
        });
    }

    /// Takes `step` over the values of a chunk.
    ///
    /// # Safety
    ///
    /// As for [`run`](Self::run).
    pub(crate) unsafe fn run_chunk<T: Step>(&self, level: SimdLevel, step: T, values: Range<usize>) {
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

/// What a pass does with every vector of its data. All methods must be `#[inline(always)]`.
///
/// # Safety
///
/// Methods may only be called by a [`Kernel`], with indices within the data.
pub(crate) trait Step: Copy {
    /// What stays in registers for the columns of one vector.
    type Held<S: Simd>: Copy;
    /// Whether what is held is also given back.
    const SUMS: bool = false;

    unsafe fn hold<S: Simd, A: Access>(self, access: A, column: usize) -> Self::Held<S>;
    unsafe fn step<S: Simd, A: Access>(self, access: A, held: &mut Self::Held<S>, index: usize);
    /// Gives back what was held, for sums.
    #[inline(always)]
    unsafe fn release<S: Simd, A: Access>(self, _: A, _: Self::Held<S>, _column: usize) {}
}

/// Reading and writing of whole vectors, or of their first lanes only.
///
/// # Safety
///
/// The indices must be within the data, and the CPU have the instructions of `S`.
pub(crate) trait Access: Copy {
    fn count<S: Simd>(self) -> usize;
    unsafe fn load<S: Simd>(self, from: Source<'_>, index: usize) -> S::Vector;
    unsafe fn store<S: Simd>(self, to: Destination<'_>, index: usize, vector: S::Vector);
}

#[derive(Clone, Copy)]
pub(crate) struct Whole;

/// The first lanes, this many.
#[derive(Clone, Copy)]
pub(crate) struct First(pub(crate) usize);

impl Access for Whole {
    #[inline(always)]
    fn count<S: Simd>(self) -> usize {
        S::LANES
    }

    #[inline(always)]
    unsafe fn load<S: Simd>(self, from: Source<'_>, index: usize) -> S::Vector {
        // SAFETY: within the data, says the caller.
        unsafe { S::load(from.add(index)) }
    }

    #[inline(always)]
    unsafe fn store<S: Simd>(self, to: Destination<'_>, index: usize, vector: S::Vector) {
        // SAFETY: within the data, says the caller.
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
        // SAFETY: within the data, says the caller.
        unsafe { S::load_first(from.add(index), self.0) }
    }

    #[inline(always)]
    unsafe fn store<S: Simd>(self, to: Destination<'_>, index: usize, vector: S::Vector) {
        // SAFETY: within the data, says the caller.
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
            // The last pixels are one short row.
            let (rows, columns) = if left < self.width {
                (1, left)
            } else {
                (rows_of_tile.min(left / self.width), self.width)
            };
            // SAFETY: these rows are within the values, for which the caller answers.
            unsafe { tile::<S, T>(self.step, start, rows, columns) };
            start += rows * columns;
        }
    }
}

#[inline(always)]
unsafe fn tile<S: Simd, T: Step>(step: T, start: usize, rows: usize, columns: usize) {
    let whole = columns / S::LANES;
    let mut vector = 0;
    // SAFETY: all columns are below their number, all rows within the tile.
    unsafe {
        while vector < whole {
            let column = vector * S::LANES;
            // No lone vector where it can be avoided: its additions would wait for each other.
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

/// Goes down `VECTORS` vectors of every row and returns their number.
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

/// Totals of the columns of a row, in `f64`, of one task.
#[derive(Clone, Copy)]
pub(crate) struct Totals<'a>(&'a [Cell<f64>]);

impl<'a> Totals<'a> {
    pub(crate) fn new(totals: &'a mut [f64]) -> Self {
        Self(Cell::from_mut(totals).as_slice_of_cells())
    }

    /// # Safety
    ///
    /// The CPU must have the instructions of `S`.
    ///
    /// # Panics
    ///
    /// If the columns are not within the totals.
    #[inline(always)]
    pub(crate) unsafe fn add<S: Simd, A: Access>(
        self,
        access: A,
        column: usize,
        vector: S::Vector,
    ) {
        const { assert!(S::LANES <= 16) };
        let mut lanes = [0.0f32; 16];
        // SAFETY: no vector is longer than these lanes.
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
