//! A thread that calls a function at an interval.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Handle of a thread that ends when the handle is dropped.
#[derive(Debug)]
pub(crate) struct Ticker {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts a thread that runs `begin` and calls the function it returns at every interval.
    pub(super) fn start<T: FnMut()>(
        name: &str,
        interval: Duration,
        begin: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<Self> {
        let (end, ended) = channel();
        let thread = Builder::new().name(name.to_owned()).spawn(move || {
            let mut tick = begin();
            while ended.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                tick();
            }
        })?;
        Ok(Self {
            end: Some(end),
            thread: Some(thread),
        })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // A panic has already been reported.
            let _ = thread.join();
        }
    }
}
