//! What other processes ask of the run.

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use events::{Level, Request};

use super::Teller;
use crate::stop::Stop;

/// Time between two looks into the run's folder.
const EVERY: Duration = Duration::from_millis(250);

/// Takes requests from the run's folder, on a thread that ends with this.
#[derive(Debug)]
pub(crate) struct Requests {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Requests {
    /// Passes requests on to `stop`. If the system starts no thread, the run takes none.
    pub(crate) fn watch(folder: PathBuf, stop: Stop, teller: Teller) -> Self {
        let (end, ended) = channel();
        let thread = std::thread::Builder::new()
            .name("requests".to_owned())
            .spawn(move || {
                while ended.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                    for request in Request::take(&folder) {
                        teller.say(Level::Info, said(request));
                        obey(&stop, request);
                    }
                }
            });
        if let Err(error) = &thread {
            log::warn!("the run cannot receive requests of other processes: {error}");
        }
        Self {
            end: Some(end),
            thread: thread.ok(),
        }
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // If it panicked, it said so.
            let _ = thread.join();
        }
    }
}

fn obey(stop: &Stop, request: Request) {
    match request {
        Request::Checkpoint => stop.request_checkpoint(),
        Request::StopAfterEpoch => stop.request_after_epoch(),
        Request::Stop => stop.request(),
    }
}

fn said(request: Request) -> &'static str {
    match request {
        Request::Checkpoint => "requested: save a checkpoint",
        Request::StopAfterEpoch => "requested: stop after this epoch",
        Request::Stop => "requested: save and stop now",
    }
}
