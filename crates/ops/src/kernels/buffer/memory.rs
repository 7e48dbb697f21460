//! A block of memory from the system.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// Size of a cache line and of the widest vector.
pub(super) const ALIGNMENT: usize = 64;
/// Alignment that the allocator provides anyway. With a larger one, it would write the zeros itself
/// instead of requesting zero pages from the system, and so touch all pages at once.
const ALLOCATED_ALIGNMENT: usize = 16;

/// Memory aligned to [`ALIGNMENT`]. It contains zeros or the values last written, so it is always
/// initialized.
pub(super) struct Memory {
    allocation: NonNull<u8>,
    start: NonNull<f32>,
    capacity: usize,
}

// SAFETY: it owns its memory, as a `Vec<f32>` does.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// Allocates the given number of zero bytes, a multiple of [`ALIGNMENT`].
    pub(super) fn allocate(capacity: usize) -> Self {
        assert!(capacity > 0 && capacity.is_multiple_of(ALIGNMENT));
        let layout = Self::layout(capacity);
        // SAFETY: the layout has a nonzero size.
        let Some(allocation) = NonNull::new(unsafe { alloc_zeroed(layout) }) else {
            handle_alloc_error(layout);
        };
        let offset = allocation.addr().get().wrapping_neg() % ALIGNMENT;
        // SAFETY: the allocation has the layout's alignment, so the offset is at most the
        // difference between the layout's size and the capacity.
        let start = unsafe { allocation.add(offset) }.cast();
        Self {
            allocation,
            start,
            capacity,
        }
    }

    fn layout(capacity: usize) -> Layout {
        let size = capacity.checked_add(ALIGNMENT - ALLOCATED_ALIGNMENT);
        let layout = size.and_then(|size| Layout::from_size_align(size, ALLOCATED_ALIGNMENT).ok());
        assert!(layout.is_some(), "more than any memory: {capacity} bytes");
        layout.unwrap_or(Layout::new::<u8>())
    }

    /// Returns the capacity in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn values(&self) -> &[f32] {
        let length = self.capacity / size_of::<f32>();
        // SAFETY: all bytes are within the allocation and aligned, and have been written since it
        // was made, at least by the allocator.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), length) }
    }

    pub(super) fn values_mut(&mut self) -> &mut [f32] {
        let length = self.capacity / size_of::<f32>();
        // SAFETY: as above, and no one else has access.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), length) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout.
        unsafe { dealloc(self.allocation.as_ptr(), Self::layout(self.capacity)) }
    }
}
