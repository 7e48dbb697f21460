//! A piece of memory from the system.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// A line of the cache, and the widest vector.
pub(super) const ALIGNMENT: usize = 64;
/// What the allocator aligns to anyway. More, and it would not ask the system for pages of zeros
/// but write the zeros itself, and so touch all pages at once.
const ALLOCATED_ALIGNMENT: usize = 16;

/// Memory that starts at a multiple of [`ALIGNMENT`], with zeros or what was last written there:
/// in any case values.
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
    /// So many bytes of zeros, a multiple of [`ALIGNMENT`].
    pub(super) fn allocate(capacity: usize) -> Self {
        assert!(capacity > 0 && capacity.is_multiple_of(ALIGNMENT));
        let layout = Self::layout(capacity);
        // SAFETY: the layout has a size.
        let Some(allocation) = NonNull::new(unsafe { alloc_zeroed(layout) }) else {
            handle_alloc_error(layout);
        };
        let offset = allocation.addr().get().wrapping_neg() % ALIGNMENT;
        // SAFETY: as the allocation is at a multiple of its alignment, the offset is at most what
        // the layout has more than the capacity.
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

    /// In bytes.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn values(&self) -> &[f32] {
        let length = self.capacity / size_of::<f32>();
        // SAFETY: all bytes are within the allocation, aligned, and have been written since it
        // was made, by the allocator at least.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), length) }
    }

    pub(super) fn values_mut(&mut self) -> &mut [f32] {
        let length = self.capacity / size_of::<f32>();
        // SAFETY: as above, and nobody else has it.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), length) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout.
        unsafe { dealloc(self.allocation.as_ptr(), Self::layout(self.capacity)) }
    }
}
