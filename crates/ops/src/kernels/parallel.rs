//! Work split over threads, where every task writes its own part of a common slice.

use std::ops::Range;
use std::sync::OnceLock;

use rayon::prelude::*;

use super::pointer::Destination;
use super::shape::Shape;
use super::team;

/// Runs `task` for every index below `count`, in any order, on as many threads as rayon's pool has.
pub(crate) fn for_each(count: usize, task: impl Fn(usize) + Send + Sync) {
    let threads = rayon::current_num_threads();
    if count <= 1 || threads == 1 {
        (0..count).for_each(task);
    } else if !team::run(threads, count, &task) {
        (0..count).into_par_iter().with_max_len(1).for_each(task);
    }
}

/// Runs `task` for every line of images of this shape, with the index of the image, that of the line in
/// it, and the line's values.
///
/// # Panics
///
/// Panics if the values do not have the shape.
pub(crate) fn for_each_line<T: Copy + Send + Sync>(
    values: &mut [T],
    shape: Shape,
    task: impl Fn(usize, usize, &mut [T]) + Send + Sync,
) {
    assert_eq!(values.len(), shape.values());
    if values.is_empty() {
        return;
    }
    let values = Shared::new(values);
    for_each(shape.batch * shape.height, |line| {
        // SAFETY: each task has its own line.
        let values = unsafe { values.part(line * shape.line()..(line + 1) * shape.line()) };
        task(line / shape.height, line % shape.height, values);
    });
}

/// A slice to which several tasks write disjoint parts concurrently.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'a, T = f32> {
    start: Destination<'a, T>,
    length: usize,
}

impl<'a, T: Copy> Shared<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self {
            length: slice.len(),
            start: slice.into(),
        }
    }

    /// # Safety
    ///
    /// No other task may hold a part that overlaps this one.
    ///
    /// # Panics
    ///
    /// Panics if the range is not within the slice.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn part(&self, range: Range<usize>) -> &'a mut [T] {
        assert!(range.start <= range.end && range.end <= self.length);
        // SAFETY: within the slice, and not held by anyone else.
        unsafe { self.start.add(range.start).slice(range.len()) }
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Returns the pointer to element `index`, for kernels that write with strides.
    pub(crate) fn pointer(&self, index: usize) -> Destination<'a, T> {
        assert!(index <= self.length);
        self.start.add(index)
    }
}

/// Returns the results of `task` for every index below `count`, in order.
pub(crate) fn map<T: Send + Sync>(count: usize, task: impl Fn(usize) -> T + Send + Sync) -> Vec<T> {
    let results: Vec<_> = (0..count).map(|_| OnceLock::new()).collect();
    for_each(count, |index| {
        // No other call has this index.
        let _ = results[index].set(task(index));
    });
    results
        .into_iter()
        .filter_map(OnceLock::into_inner)
        .collect()
}
