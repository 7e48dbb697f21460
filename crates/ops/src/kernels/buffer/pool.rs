//! Pool of free memory for reuse.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::memory::{ALIGNMENT, Memory};

/// The allocator serves smaller requests quickly by itself.
const SMALL: usize = 4096;

/// Usage statistics of a pool. Small buffers, under 4 KiB, are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Number of buffers with fresh memory from the system.
    pub allocated: usize,
    /// Number of buffers with reused memory.
    pub reused: usize,
    /// Bytes in use by buffers.
    pub live: usize,
    /// Bytes free for reuse.
    pub free: usize,
    /// Largest number of bytes in use at once.
    pub most_live: usize,
}

pub(super) struct Pool(Mutex<State>);

struct State {
    /// Free memory, longest free first.
    free: Vec<Memory>,
    counters: Counters,
}

impl Pool {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(State {
            free: Vec::new(),
            counters: Counters {
                allocated: 0,
                reused: 0,
                live: 0,
                free: 0,
                most_live: 0,
            },
        }))
    }

    /// Returns memory of at least the given number of bytes.
    pub(super) fn take(&self, bytes: usize) -> Memory {
        let capacity = bytes.max(1).checked_next_multiple_of(ALIGNMENT);
        let capacity = capacity.unwrap_or(usize::MAX / ALIGNMENT * ALIGNMENT);
        if capacity < SMALL {
            return Memory::allocate(capacity);
        }
        if let Some(memory) = self.state().reuse(capacity) {
            return memory;
        }
        // The pool is unlocked while the system allocates.
        let memory = Memory::allocate(capacity);
        let mut state = self.state();
        state.counters.allocated += 1;
        state.begin(capacity);
        memory
    }

    pub(super) fn give(&self, memory: Memory) {
        if memory.capacity() < SMALL {
            return;
        }
        let surplus = self.state().keep(memory);
        // The pool is unlocked while the system frees memory.
        drop(surplus);
    }

    #[cfg(test)]
    pub(super) fn counters(&self) -> Counters {
        self.state().counters
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the smallest memory that is large enough and not much too large. Of equal sizes, it
    /// takes the most recently used, which may still be in the cache.
    fn reuse(&mut self, capacity: usize) -> Option<Memory> {
        let most = capacity.saturating_add(capacity / 4).saturating_add(SMALL);
        let fits = |memory: &Memory| (capacity..=most).contains(&memory.capacity());
        let (index, _) = (self.free.iter().enumerate().rev())
            .filter(|(_, memory)| fits(memory))
            .min_by_key(|(_, memory)| memory.capacity())?;
        let memory = self.free.remove(index);
        self.counters.reused += 1;
        self.counters.free -= memory.capacity();
        self.begin(memory.capacity());
        Some(memory)
    }

    fn begin(&mut self, capacity: usize) {
        self.counters.live += capacity;
        self.counters.most_live = self.counters.most_live.max(self.counters.live);
    }

    /// Keeps memory that is no longer used, and returns the surplus: the pool keeps no more than
    /// was once in use.
    fn keep(&mut self, memory: Memory) -> Vec<Memory> {
        self.counters.live -= memory.capacity();
        self.counters.free += memory.capacity();
        self.free.push(memory);
        let mut surplus = 0;
        while self.counters.free > self.counters.most_live {
            self.counters.free -= self.free[surplus].capacity();
            surplus += 1;
        }
        self.free.drain(..surplus).collect()
    }
}
