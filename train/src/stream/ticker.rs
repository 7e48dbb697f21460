//! A thread that does something at an interval.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// A thread that ends with this.
#[derive(Debug)]
pub(crate) struct Ticker {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Calls what `begin`, which runs on the thread, returns.
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
            // If it panicked, it said so.
            let _ = thread.join();
        }
    }
}
