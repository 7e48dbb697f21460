//! Pointers into slices, by which kernels read and write.
//!
//! With debug assertions they know the bounds of their slice, and every access is checked against
//! them. Without, they are pointers and nothing else, as checks in the innermost loops would cost
//! half the speed.

use std::marker::PhantomData;

/// Where values are read.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pointer: *const f32,
    bounds: Bounds,
    slice: PhantomData<&'a [f32]>,
}

/// Where values are written, and perhaps read. Copies of it may be at work in several tasks, which
/// must not write the same values.
#[derive(Clone, Copy)]
pub(crate) struct Destination<'a> {
    pointer: *mut f32,
    bounds: Bounds,
    slice: PhantomData<&'a mut [f32]>,
}

const _: () = assert!(
    cfg!(debug_assertions)
        || size_of::<(Source, Destination)>() == size_of::<(*const f32, *mut f32)>()
);

// SAFETY: a `&[f32]`, or a part of a `Destination`.
unsafe impl Send for Source<'_> {}
// SAFETY: as above.
unsafe impl Sync for Source<'_> {}
// SAFETY: a `&mut [f32]`, and those who write by it promise not to write the same values.
unsafe impl Send for Destination<'_> {}
// SAFETY: as above.
unsafe impl Sync for Destination<'_> {}

impl Source<'_> {
    /// So many values further, which may be outside the slice as long as nothing is read there.
    #[inline(always)]
    pub(crate) fn add(self, values: usize) -> Self {
        Self {
            pointer: self.pointer.wrapping_add(values),
            ..self
        }
    }

    /// The pointer, to read so many values.
    ///
    /// # Panics
    ///
    /// With debug assertions, if they are not within the slice.
    #[inline(always)]
    pub(crate) fn for_reading(self, values: usize) -> *const f32 {
        self.bounds.check(self.pointer, values);
        self.pointer
    }

    /// One value.
    ///
    /// # Safety
    ///
    /// It must be within the slice, and nobody may write it meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn read(self) -> f32 {
        // SAFETY: says the caller.
        unsafe { self.for_reading(1).read() }
    }
}

impl<'a> Destination<'a> {
    /// So many values further, which may be outside the slice as long as nothing is read or
    /// written there.
    #[inline(always)]
    pub(crate) fn add(self, values: usize) -> Self {
        Self {
            pointer: self.pointer.wrapping_add(values),
            ..self
        }
    }

    /// The pointer, to write so many values.
    ///
    /// # Panics
    ///
    /// With debug assertions, if they are not within the slice.
    #[inline(always)]
    pub(crate) fn for_writing(self, values: usize) -> *mut f32 {
        self.bounds.check(self.pointer, values);
        self.pointer
    }

    /// So many values as a slice.
    ///
    /// # Safety
    ///
    /// They must be within the slice, and nobody else may read or write them.
    #[inline(always)]
    pub(crate) unsafe fn slice(self, values: usize) -> &'a mut [f32] {
        // SAFETY: says the caller.
        unsafe { std::slice::from_raw_parts_mut(self.for_writing(values), values) }
    }
}

impl<'a> From<&'a [f32]> for Source<'a> {
    #[inline(always)]
    fn from(slice: &'a [f32]) -> Self {
        Self {
            pointer: slice.as_ptr(),
            bounds: Bounds::new(slice.as_ptr(), slice.len()),
            slice: PhantomData,
        }
    }
}

impl<'a> From<Destination<'a>> for Source<'a> {
    #[inline(always)]
    fn from(destination: Destination<'a>) -> Self {
        Self {
            pointer: destination.pointer,
            bounds: destination.bounds,
            slice: PhantomData,
        }
    }
}

impl<'a> From<&'a mut [f32]> for Destination<'a> {
    #[inline(always)]
    fn from(slice: &'a mut [f32]) -> Self {
        Self {
            pointer: slice.as_mut_ptr(),
            bounds: Bounds::new(slice.as_ptr(), slice.len()),
            slice: PhantomData,
        }
    }
}

/// Where a slice lies.
#[cfg(debug_assertions)]
#[derive(Clone, Copy)]
struct Bounds {
    address: usize,
    /// Values.
    length: usize,
}

#[cfg(debug_assertions)]
impl Bounds {
    #[inline(always)]
    fn new(slice: *const f32, length: usize) -> Self {
        Self {
            address: slice.addr(),
            length,
        }
    }

    /// No values are never outside, wherever the pointer is.
    #[inline(always)]
    fn check(self, pointer: *const f32, values: usize) {
        let offset = pointer.addr().wrapping_sub(self.address) / size_of::<f32>();
        if values > self.length.saturating_sub(offset) {
            self.panic(pointer, values);
        }
    }

    #[cold]
    #[inline(never)]
    fn panic(self, pointer: *const f32, values: usize) -> ! {
        let bytes = pointer.addr().wrapping_sub(self.address) as isize;
        let offset = bytes / size_of::<f32>() as isize;
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
    fn new(_: *const f32, _: usize) -> Self {
        Self
    }

    #[inline(always)]
    fn check(self, _: *const f32, _: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_within_the_slice_can_be_read_and_written() {
        let mut values = [1.0, 2.0, 3.0];
        let to = Destination::from(&mut values[..]);
        for index in 0..3 {
            // SAFETY: within the values, of which there are no other pointers.
            unsafe {
                let value = Source::from(to).add(index).read();
                to.add(index).for_writing(1).write(value + 1.0);
            }
        }
        assert_eq!(values, [2.0, 3.0, 4.0]);
    }

    #[test]
    fn no_values_can_be_read_anywhere() {
        Source::from(&[1.0][..]).add(7).for_reading(0);
    }

    // Ignored and not left out, so that it shows where tests compute without checks.
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
