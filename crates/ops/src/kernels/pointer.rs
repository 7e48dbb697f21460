//! Pointers into slices, for kernels to read and write.
//!
//! With debug assertions, the pointers know the bounds of their slice and check every access.
//! Without them, they are plain pointers, because checks in the innermost loops would halve the
//! speed.

use std::marker::PhantomData;

/// A pointer for reading values.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a, T = f32> {
    pointer: *const T,
    bounds: Bounds,
    slice: PhantomData<&'a [T]>,
}

/// A pointer for writing values, and for reading them. Several tasks may use copies of it but must
/// not write the same values.
#[derive(Clone, Copy)]
pub(crate) struct Destination<'a, T = f32> {
    pointer: *mut T,
    bounds: Bounds,
    slice: PhantomData<&'a mut [T]>,
}

const _: () = assert!(
    cfg!(debug_assertions)
        || size_of::<(Source, Destination)>() == size_of::<(*const f32, *mut f32)>()
);

// SAFETY: equivalent to a `&[T]`, or a part of a `Destination`.
unsafe impl<T: Sync> Send for Source<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Source<'_, T> {}
// SAFETY: equivalent to a `&mut [T]`, whose users promise not to write the same values.
unsafe impl<T: Send> Send for Destination<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Destination<'_, T> {}

impl<T> Source<'_, T> {
    /// Advances by the given number of values. May leave the slice as long as nothing is read
    /// there.
    #[inline(always)]
    pub(crate) fn add(self, values: usize) -> Self {
        Self {
            pointer: self.pointer.wrapping_add(values),
            ..self
        }
    }

    /// Returns the pointer for reading the given number of values.
    ///
    /// # Panics
    ///
    /// Panics with debug assertions if the values are not within the slice.
    #[inline(always)]
    pub(crate) fn for_reading(self, values: usize) -> *const T {
        self.bounds.check(self.pointer, values);
        self.pointer
    }

    /// Reads one value.
    ///
    /// # Safety
    ///
    /// The value must be within the slice, and no one may write it concurrently.
    #[inline(always)]
    pub(crate) unsafe fn read(self) -> T
    where
        T: Copy,
    {
        // SAFETY: guaranteed by the caller.
        unsafe { self.for_reading(1).read() }
    }
}

impl<'a, T> Destination<'a, T> {
    /// Advances by the given number of values. May leave the slice as long as nothing is read or
    /// written there.
    #[inline(always)]
    pub(crate) fn add(self, values: usize) -> Self {
        Self {
            pointer: self.pointer.wrapping_add(values),
            ..self
        }
    }

    /// Returns the pointer for writing the given number of values.
    ///
    /// # Panics
    ///
    /// Panics with debug assertions if the values are not within the slice.
    #[inline(always)]
    pub(crate) fn for_writing(self, values: usize) -> *mut T {
        self.bounds.check(self.pointer, values);
        self.pointer
    }

    /// Returns the given number of values as a slice.
    ///
    /// # Safety
    ///
    /// The values must be within the slice, and no one else may read or write them.
    #[inline(always)]
    pub(crate) unsafe fn slice(self, values: usize) -> &'a mut [T] {
        // SAFETY: guaranteed by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.for_writing(values), values) }
    }
}

impl<'a, T> From<&'a [T]> for Source<'a, T> {
    #[inline(always)]
    fn from(slice: &'a [T]) -> Self {
        Self {
            pointer: slice.as_ptr(),
            bounds: Bounds::new(slice.as_ptr(), slice.len()),
            slice: PhantomData,
        }
    }
}

impl<'a, T> From<Destination<'a, T>> for Source<'a, T> {
    #[inline(always)]
    fn from(destination: Destination<'a, T>) -> Self {
        Self {
            pointer: destination.pointer,
            bounds: destination.bounds,
            slice: PhantomData,
        }
    }
}

impl<'a, T> From<&'a mut [T]> for Destination<'a, T> {
    #[inline(always)]
    fn from(slice: &'a mut [T]) -> Self {
        Self {
            pointer: slice.as_mut_ptr(),
            bounds: Bounds::new(slice.as_ptr(), slice.len()),
            slice: PhantomData,
        }
    }
}

/// Address and length of a slice.
#[cfg(debug_assertions)]
#[derive(Clone, Copy)]
struct Bounds {
    address: usize,
    /// Length in values.
    length: usize,
}

#[cfg(debug_assertions)]
impl Bounds {
    #[inline(always)]
    fn new<T>(slice: *const T, length: usize) -> Self {
        Self {
            address: slice.addr(),
            length,
        }
    }

    /// Panics if an access leaves the slice. An access to no values is always valid, wherever the
    /// pointer is.
    #[inline(always)]
    fn check<T>(self, pointer: *const T, values: usize) {
        let offset = pointer.addr().wrapping_sub(self.address) / size_of::<T>();
        if values > self.length.saturating_sub(offset) {
            self.panic(pointer, values);
        }
    }

    #[cold]
    #[inline(never)]
    fn panic<T>(self, pointer: *const T, values: usize) -> ! {
        let bytes = pointer.addr().wrapping_sub(self.address) as isize;
        let offset = bytes / size_of::<T>() as isize;
        let length = self.length;
        panic!("{values} values at offset {offset} of a slice of length {length}");
    }
}

#[cfg(not(debug_assertions))]
#[derive(Clone, Copy)]
struct Bounds;

#[cfg(not(debug_assertions))]
impl Bounds {
    #[inline(always)]
    fn new<T>(_: *const T, _: usize) -> Self {
        Self
    }

    #[inline(always)]
    fn check<T>(self, _: *const T, _: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_cover_the_slice() {
        let mut values = [1.0, 2.0, 3.0];
        let to = Destination::from(&mut values[..]);
        for index in 0..3 {
            // SAFETY: within the values, to which there are no other pointers.
            unsafe {
                let value = Source::from(to).add(index).read();
                to.add(index).for_writing(1).write(value + 1.0);
            }
        }
        assert_eq!(values, [2.0, 3.0, 4.0]);
    }

    #[test]
    fn zero_values_can_be_read_at_any_offset() {
        Source::from(&[1.0][..]).add(7).for_reading(0);
    }

    // Ignored rather than compiled out, to show where tests run without checks.
    #[test]
    #[cfg_attr(not(debug_assertions), ignore = "no checks")]
    #[should_panic(expected = "2 values at offset 2 of a slice of length 3")]
    fn reading_past_the_end_panics() {
        Source::from(&[0.0; 3][..]).add(2).for_reading(2);
    }

    #[test]
    #[cfg_attr(not(debug_assertions), ignore = "no checks")]
    #[should_panic(expected = "1 values at offset -1 of a slice of length 3")]
    fn reading_before_the_start_panics() {
        Source::from(&[0.0; 3][..]).add(usize::MAX).for_reading(1);
    }

    #[test]
    #[cfg_attr(not(debug_assertions), ignore = "no checks")]
    #[should_panic(expected = "1 values at offset 4 of a slice of length 3")]
    fn writing_past_the_end_panics() {
        Destination::from(&mut [0.0; 3][..]).add(4).for_writing(1);
    }
}
