//! Threads that wait for short pieces of work and spin before they sleep.
//!
//! A network at batch size one runs hundreds of kernels per second, most of them shorter than the
//! time that an operating system takes to wake a thread. The caller therefore takes part in its own
//! work, and its helpers poll for the next piece for a moment before they sleep.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering, fence};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// Time that a helper polls for work before it sleeps.
const PATIENCE: Duration = Duration::from_micros(200);
/// Number of polls before yielding to other threads, which may need this core.
const BUSY_LOOKS: u32 = 2000;

/// The helpers of the first caller to claim them; there is one team per process.
static TEAM: Team = Team {
    owner: Mutex::new(0),
    entrance: AtomicUsize::new(0),
    round: AtomicUsize::new(0),
    work: AtomicPtr::new(ptr::null_mut()),
    sleepers: AtomicUsize::new(0),
    bed: Mutex::new(()),
    bell: Condvar::new(),
};

struct Team {
    /// Number of helpers; locked by the thread that owns the current work.
    owner: Mutex<usize>,
    /// Whether there is work, and the number of helpers inside.
    entrance: AtomicUsize,
    /// Number of pieces of work so far, so that a helper enters each one once.
    round: AtomicUsize,
    work: AtomicPtr<Work<'static>>,
    sleepers: AtomicUsize,
    bed: Mutex<()>,
    bell: Condvar,
}

/// Bit of `entrance` that signals work.
const OPEN: usize = 1 << (usize::BITS - 1);

/// Tasks of one caller, on its stack.
struct Work<'a> {
    task: &'a (dyn Fn(usize) + Sync),
    count: usize,
    next: AtomicUsize,
    /// Number of helpers that may take part, and number that came.
    seats: usize,
    came: AtomicUsize,
    failed: AtomicBool,
    failure: Mutex<Option<Box<dyn Any + Send>>>,
}

/// Runs `task` for every index below `count` on `threads` threads, including the caller. Returns
/// `false` without doing anything if another thread's work occupies the team.
///
/// # Panics
///
/// Panics if a task panics, after all tasks that have started are done.
pub(super) fn run(threads: usize, count: usize, task: &(dyn Fn(usize) + Sync)) -> bool {
    let Some(mut helpers) = TEAM.own() else {
        return false;
    };
    let seats = (threads - 1).min(count - 1);
    while *helpers < seats {
        let name = format!("kernel-{}", *helpers + 1);
        // Without this helper, the others do its share.
        if thread::Builder::new().name(name).spawn(help).is_err() {
            break;
        }
        *helpers += 1;
    }
    let work = Work {
        task,
        count,
        next: AtomicUsize::new(0),
        seats,
        came: AtomicUsize::new(0),
        failed: AtomicBool::new(false),
        failure: Mutex::new(None),
    };
    TEAM.open(&work);
    work.take_part();
    TEAM.close();
    drop(helpers);
    let failure = work.failure.into_inner();
    if let Some(failure) = failure.unwrap_or_else(PoisonError::into_inner) {
        resume_unwind(failure);
    }
    true
}

impl Team {
    fn own(&self) -> Option<MutexGuard<'_, usize>> {
        match self.owner.try_lock() {
            Ok(owner) => Some(owner),
            Err(TryLockError::Poisoned(owner)) => Some(owner.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Admits helpers. Must be followed by `close` before `work` ends.
    fn open(&self, work: &Work<'_>) {
        let work = ptr::from_ref(work).cast_mut().cast();
        self.work.store(work, Ordering::Relaxed);
        self.round.fetch_add(1, Ordering::Relaxed);
        self.entrance.store(OPEN, Ordering::Release);
        // Either this thread sees a sleeper, or the sleeper sees the work.
        fence(Ordering::SeqCst);
        if self.sleepers.load(Ordering::Relaxed) > 0 {
            drop(self.bed.lock());
            self.bell.notify_all();
        }
    }

    /// Stops admitting helpers and waits for those inside.
    fn close(&self) {
        let mut inside = self.entrance.fetch_and(!OPEN, Ordering::AcqRel) & !OPEN;
        let mut looks = 0;
        while inside > 0 {
            look(&mut looks);
            inside = self.entrance.load(Ordering::Acquire);
        }
    }

    /// Enters if there is work that this helper has not seen, and returns its round.
    fn enter(&self, seen: usize) -> Option<usize> {
        let mut entrance = self.entrance.load(Ordering::Acquire);
        loop {
            if entrance & OPEN == 0 || self.round.load(Ordering::Relaxed) == seen {
                return None;
            }
            let entered = self.entrance.compare_exchange_weak(
                entrance,
                entrance + 1,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            match entered {
                // No one starts another round while a helper is inside.
                Ok(_) => return Some(self.round.load(Ordering::Relaxed)),
                Err(now) => entrance = now,
            }
        }
    }

    fn leave(&self) {
        self.entrance.fetch_sub(1, Ordering::AcqRel);
    }

    /// Waits until there is work that this helper has not seen, and enters.
    fn wait(&self, seen: usize) -> usize {
        let mut looks = 0;
        let began = Instant::now();
        loop {
            if let Some(round) = self.enter(seen) {
                return round;
            }
            look(&mut looks);
            if looks > BUSY_LOOKS && began.elapsed() > PATIENCE {
                break;
            }
        }
        let mut bed = self.bed.lock().unwrap_or_else(PoisonError::into_inner);
        self.sleepers.fetch_add(1, Ordering::Relaxed);
        let round = loop {
            fence(Ordering::SeqCst);
            if let Some(round) = self.enter(seen) {
                break round;
            }
            bed = self.bell.wait(bed).unwrap_or_else(PoisonError::into_inner);
        };
        self.sleepers.fetch_sub(1, Ordering::Relaxed);
        round
    }
}

fn look(looks: &mut u32) {
    *looks = looks.saturating_add(1);
    if *looks < BUSY_LOOKS {
        std::hint::spin_loop();
    } else {
        thread::yield_now();
    }
}

/// Main loop of a helper, which runs for the lifetime of the process.
fn help() {
    let mut seen = 0;
    loop {
        seen = TEAM.wait(seen);
        // SAFETY: the owner of the work waits in `close` until this helper has left.
        let work = unsafe { &*TEAM.work.load(Ordering::Relaxed) };
        if work.came.fetch_add(1, Ordering::Relaxed) < work.seats {
            work.take_part();
        }
        TEAM.leave();
    }
}

impl Work<'_> {
    /// Runs tasks until none is left.
    fn take_part(&self) {
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= self.count || self.failed.load(Ordering::Relaxed) {
                return;
            }
            if let Err(failure) = catch_unwind(AssertUnwindSafe(|| (self.task)(index))) {
                self.failed.store(true, Ordering::Relaxed);
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `run` until the team is free; other tests use it too.
    fn run_at_last(threads: usize, count: usize, task: &(dyn Fn(usize) + Sync)) {
        while !run(threads, count, task) {
            thread::yield_now();
        }
    }

    fn counted(threads: usize, count: usize) -> Vec<usize> {
        let counts: Vec<_> = (0..count).map(|_| AtomicUsize::new(0)).collect();
        run_at_last(threads, count, &|index| {
            counts[index].fetch_add(1, Ordering::Relaxed);
        });
        counts.into_iter().map(AtomicUsize::into_inner).collect()
    }

    #[test]
    fn every_task_runs_once() {
        for threads in [1, 2, 3, 5] {
            for count in [1, 2, 3, 100] {
                for _ in 0..200 {
                    assert_eq!(counted(threads, count), vec![1; count]);
                }
            }
        }
    }

    #[test]
    fn helpers_wake_up_again() {
        for _ in 0..5 {
            thread::sleep(3 * PATIENCE);
            let inside = AtomicUsize::new(0);
            let began = Instant::now();
            // Two tasks that wait for each other need two threads.
            run_at_last(2, 2, &|_| {
                inside.fetch_add(1, Ordering::Relaxed);
                while inside.load(Ordering::Relaxed) < 2 {
                    assert!(began.elapsed() < Duration::from_secs(60), "nobody came");
                    thread::yield_now();
                }
            });
        }
    }

    #[test]
    fn team_uses_at_most_requested_threads() {
        counted(5, 100);
        let [inside, most] = [const { AtomicUsize::new(0) }; 2];
        run_at_last(2, 50, &|_| {
            most.fetch_max(
                inside.fetch_add(1, Ordering::Relaxed) + 1,
                Ordering::Relaxed,
            );
            thread::sleep(Duration::from_micros(100));
            inside.fetch_sub(1, Ordering::Relaxed);
        });
        assert!(most.into_inner() <= 2);
    }

    #[test]
    fn task_panic_reaches_caller_and_team_survives() {
        for _ in 0..20 {
            let failure =
                catch_unwind(|| run_at_last(3, 10, &|index| assert_ne!(index, 7, "seven")));
            let message = failure.unwrap_err().downcast::<String>().unwrap();
            assert!(message.contains("seven"));
            assert_eq!(counted(3, 10), vec![1; 10]);
        }
    }

    #[test]
    fn nested_work_is_rejected() {
        let refused = AtomicUsize::new(0);
        run_at_last(2, 4, &|_| {
            let was_run = run(2, 4, &|_| ());
            refused.fetch_add(usize::from(!was_run), Ordering::Relaxed);
        });
        assert_eq!(refused.into_inner(), 4);
    }
}
