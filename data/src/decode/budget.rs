//! Memory budget for decoding images, shared by all threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Maximum number of bytes for decoding at a time, over all threads of the process, unless a single
/// image needs more.
const TOTAL: u64 = 1 << 30;

/// Budget of the process.
pub(super) static PROCESS: Budget = Budget::new(TOTAL);

/// A number of bytes shared by threads: each thread waits until there is room for what it needs.
///
/// One thread may always proceed, whatever it needs, so that no image is too large for the budget
/// and threads that need more cannot deadlock.
#[derive(Debug)]
pub(super) struct Budget {
    total: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Number of bytes of all permits.
    used: u64,
    /// Number of permits whose threads are not waiting for more.
    active: usize,
}

/// Bytes of a budget, returned when dropped.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    pub(super) const fn new(total: u64) -> Self {
        Self {
            total,
            state: Mutex::new(State { used: 0, active: 0 }),
            changed: Condvar::new(),
        }
    }

    /// Waits for room for `bytes`.
    ///
    /// A thread must not request a second permit while it holds one.
    pub(super) fn acquire(&self, bytes: u64) -> Permit<'_> {
        self.wait_for(self.lock(), bytes);
        Permit {
            budget: self,
            bytes,
        }
    }

    fn wait_for(&self, state: MutexGuard<'_, State>, bytes: u64) {
        let mut state = self
            .changed
            .wait_while(state, |state| {
                state.active > 0 && state.used.saturating_add(bytes) > self.total
            })
            .unwrap_or_else(PoisonError::into_inner);
        state.used = state.used.saturating_add(bytes);
        state.active += 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// Waits for room for additional `bytes`.
    pub(super) fn grow(&mut self, bytes: u64) {
        let mut state = self.budget.lock();
        // Another thread may proceed while this one waits.
        state.active -= 1;
        self.budget.changed.notify_all();
        self.budget.wait_for(state, bytes);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.budget.lock();
        state.used = state.used.saturating_sub(self.bytes);
        state.active -= 1;
        drop(state);
        self.budget.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    #[test]
    fn threads_stay_within_budget() {
        let budget = Budget::new(100);
        let (used, most) = (AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for bytes in [30, 60, 10, 50, 100] {
                        let permit = budget.acquire(bytes);
                        let now = used.fetch_add(bytes, Ordering::SeqCst) + bytes;
                        most.fetch_max(now, Ordering::SeqCst);
                        thread::yield_now();
                        used.fetch_sub(bytes, Ordering::SeqCst);
                        drop(permit);
                    }
                });
            }
        });
        let most = most.into_inner();
        assert!((60..=100).contains(&most), "{most}");
        assert_eq!(budget.lock().used, 0);
    }

    #[test]
    fn growing_threads_do_not_deadlock() {
        let budget = Budget::new(100);
        let growing = AtomicU64::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let mut permit = budget.acquire(50);
                        // More than the whole budget, requested by two threads at once.
                        permit.grow(75);
                        let others = growing.fetch_add(1, Ordering::SeqCst);
                        assert_eq!(others, 0, "one proceeds alone beyond the budget");
                        growing.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        let state = budget.lock();
        assert_eq!((state.used, state.active), (0, 0));
    }
}
