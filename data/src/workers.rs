//! Threads that live as long as their loader.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// A unit of work; it must not panic.
pub(crate) type Task = Box<dyn FnOnce() + Send>;

/// Threads that take tasks from one queue in first-in, first-out order, and sleep while it is
/// empty.
///
/// Dropping it discards the waiting tasks, and returns when the threads have ended.
pub(crate) struct Workers {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    tasks: VecDeque<Task>,
    closed: bool,
}

impl Workers {
    /// Starts up to `count` threads, or as many as the system allows; returns `None` if it allows
    /// none.
    pub(crate) fn start(count: usize) -> Option<Self> {
        let queue = Arc::new(Queue::default());
        let threads: Vec<_> = (0..count)
            .map_while(|number| {
                let queue = Arc::clone(&queue);
                thread::Builder::new()
                    .name(format!("images-{number}"))
                    .spawn(move || {
                        while let Some(task) = queue.next() {
                            task();
                        }
                    })
                    .ok()
            })
            .collect();
        (!threads.is_empty()).then_some(Self { queue, threads })
    }

    /// Appends a task to the queue.
    pub(crate) fn submit(&self, task: Task) {
        let mut state = self
            .queue
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        state.tasks.push_back(task);
        drop(state);
        self.queue.changed.notify_one();
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let mut state = self
            .queue
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        state.closed = true;
        let forgotten = std::mem::take(&mut state.tasks);
        drop(state);
        drop(forgotten);
        self.queue.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A panic was already reported to whoever waited for the result.
            let _ = thread.join();
        }
    }
}

impl Queue {
    /// Waits for the next task; returns `None` once the queue is closed.
    fn next(&self) -> Option<Task> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self
            .changed
            .wait_while(state, |state| state.tasks.is_empty() && !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        match state.closed {
            true => None,
            false => state.tasks.pop_front(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn tasks_run_and_threads_end() {
        let workers = Workers::start(3).unwrap();
        let (sender, receiver) = mpsc::channel();
        for number in 0..100 {
            let sender = sender.clone();
            workers.submit(Box::new(move || sender.send(number).unwrap()));
        }
        let mut numbers: Vec<_> = receiver.iter().take(100).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..100).collect::<Vec<_>>());
        drop(workers);
        drop(sender);
        assert!(receiver.recv().is_err(), "no thread holds a sender");
    }

    #[test]
    fn waiting_tasks_are_dropped() {
        let workers = Workers::start(1).unwrap();
        let (sender, receiver) = mpsc::channel::<()>();
        let (open, gate) = mpsc::channel::<()>();
        workers.submit(Box::new(move || {
            let _ = gate.recv();
        }));
        workers.submit(Box::new(move || drop(sender)));
        let closing = thread::spawn(move || drop(workers));
        assert!(receiver.recv().is_err(), "the only thread was at work");
        drop(open);
        closing.join().unwrap();
    }

    #[test]
    fn pool_without_threads_is_rejected() {
        assert!(Workers::start(0).is_none());
    }
}
