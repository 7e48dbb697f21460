//! Buffers as the data of Burn's tensors.

use std::mem::MaybeUninit;

use burn_std::{AllocationController, AllocationProperty, Bytes};

use super::Buffer;

impl Buffer {
    /// Converts the buffer to the data of a tensor without a copy. Other buffers reuse its memory
    /// when the tensor is dropped.
    pub fn into_bytes(self) -> Bytes {
        let length = size_of_val(&*self);
        // SAFETY: all values of a buffer have been written, and so have their bytes.
        unsafe { Bytes::from_controller(Box::new(Controller(self)), length) }
    }
}

struct Controller(Buffer);

impl AllocationController for Controller {
    fn alloc_align(&self) -> usize {
        // The alignment of a `Vec` of these values, so that a copy can become one; the actual
        // alignment is larger.
        align_of::<f32>()
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    unsafe fn memory_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        let length = size_of_val(&*self.0);
        // SAFETY: the bytes of the buffer's values, to which the caller writes only initialized
        // bytes; all of them are valid values.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), length) }
    }

    fn memory(&self) -> &[MaybeUninit<u8>] {
        // SAFETY: the bytes of the buffer's values.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), size_of_val(&*self.0)) }
    }

    fn duplicate(&self) -> Option<Box<dyn AllocationController>> {
        Some(Box::new(Self(self.0.clone())))
    }
}
