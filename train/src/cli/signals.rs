//! Ctrl-C and its kin.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use infer::console;
use train::Stop;

/// The user said that training is to go on without the terminal.
static DETACHED: AtomicBool = AtomicBool::new(false);

/// From now on, a terminal that closes does not end the program.
pub(crate) fn detach() {
    DETACHED.store(true, Ordering::SeqCst);
}

/// What a signal does, from the start of the program on: at first it ends the program, and while a
/// run trains, the first one asks the run to stop and the next one ends the program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    training: Arc<AtomicBool>,
    stop: Stop,
}

impl Signals {
    /// Takes over Ctrl-C, termination by the system, and the end of the terminal.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let signals = Self::default();
        listen(signals.clone()).context("cannot take over Ctrl-C")?;
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

#[cfg(unix)]
fn listen(signals: Signals) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    let mut received = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    if !is_ignored(SIGHUP) {
        received.handle().add_signal(SIGHUP)?;
    }
    let listener = move || {
        for signal in received.forever() {
            if signal != SIGHUP || !DETACHED.load(Ordering::SeqCst) {
                signals.received();
            }
        }
    };
    let thread = std::thread::Builder::new().name("signals".to_owned());
    thread.spawn(listener).map(|_| ())
}

/// Whether whoever started the program has it ignore a signal, as `nohup` does, as far as the system tells.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(not(unix))]
fn listen(signals: Signals) -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(move || signals.received())
}
