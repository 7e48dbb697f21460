//! Buffers that reuse memory.
//!
//! Fresh memory is expensive: the system clears every page on first access, which takes longer than
//! most passes over it. Training requests the same sizes again and again.

mod bytes;
mod memory;
mod pool;

use std::fmt;
use std::ops::{Deref, DerefMut};

use memory::Memory;
use pool::Pool;

static POOL: Pool = Pool::new();

/// Values aligned to 64 bytes. Other buffers reuse the memory when it is dropped.
pub struct Buffer {
    // `Some` until drop.
    memory: Option<Memory>,
    length: usize,
    pool: &'static Pool,
}

impl Buffer {
    /// Creates a buffer with unspecified contents; the caller must write all of it. Builds with
    /// debug assertions fill it with NaN to reveal values that are not written.
    pub fn new(length: usize) -> Self {
        Self::of(&POOL, length)
    }

    fn of(pool: &'static Pool, length: usize) -> Self {
        let memory = pool.take(size_of::<f32>().saturating_mul(length));
        let mut buffer = Self {
            memory: Some(memory),
            length,
            pool,
        };
        if cfg!(debug_assertions) {
            buffer.fill(f32::NAN);
        }
        buffer
    }
}

impl From<&[f32]> for Buffer {
    fn from(values: &[f32]) -> Self {
        let mut buffer = Self::new(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        let mut buffer = Self::of(self.pool, self.length);
        buffer.copy_from_slice(self);
        buffer
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.pool.give(memory);
        }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        let memory = self.memory.as_ref().map_or(&[][..], Memory::values);
        &memory[..self.length]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        let memory = (self.memory.as_mut()).map_or(&mut [][..], Memory::values_mut);
        &mut memory[..self.length]
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Buffer")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
