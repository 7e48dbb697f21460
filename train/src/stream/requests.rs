//! Requests of other processes to the run.

use std::path::PathBuf;
use std::time::Duration;

use events::{Level, Request};

use super::Teller;
use super::ticker::Ticker;
use crate::stop::Stop;

/// Interval at which the run's folder is checked.
const EVERY: Duration = Duration::from_millis(250);

/// Passes requests in the run's folder on to `stop`. If the system cannot start a thread, the run ignores requests.
pub(super) fn watch(folder: PathBuf, stop: Stop, teller: Teller) -> Option<Ticker> {
    let take = move || {
        for request in Request::take(&folder) {
            teller.say(Level::Info, said(request));
            obey(&stop, request);
        }
    };
    let ticker = Ticker::start("requests", EVERY, || take);
    if let Err(error) = &ticker {
        log::warn!("the run cannot receive requests of other processes: {error}");
    }
    ticker.ok()
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
