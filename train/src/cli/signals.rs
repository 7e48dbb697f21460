//! Ctrl-C and its kin.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use infer::console;
use train::Stop;

/// What a signal does, from the start of the program on: at first it ends the program, and while a
/// run trains, the first one asks the run to stop and the next one ends the program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    training: Arc<AtomicBool>,
    stop: Stop,
}

impl Signals {
    /// Takes over Ctrl-C, and termination by the system.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let signals = Self::default();
        let handler = signals.clone();
        ctrlc::set_handler(move || handler.received()).context("cannot take over Ctrl-C")?;
        Ok(signals)
    }

    /// From now on there is something to save.
    pub(crate) fn training_starts(&self) -> Stop {
        self.training.store(true, Ordering::SeqCst);
        self.stop.clone()
    }

    /// Ends the program where nothing is left to save, or the user insists.
    fn received(&self) {
        if self.training.load(Ordering::SeqCst) && !self.stop.requested() {
            self.stop.request();
            return;
        }
        dashboard::restore();
        super::burn_screen::restore_terminal();
        std::process::exit(i32::from(console::INTERRUPTED));
    }
}
