//! Ctrl-C and other signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::Context as _;
use command_line::console;
use train::Stop;

/// Whether the user detached training from the terminal.
static DETACHED: AtomicBool = AtomicBool::new(false);

/// Returns whether training is detached, so that a closed terminal does not end the program.
pub(crate) fn set_detached(is_detached: bool) {
    DETACHED.store(is_detached, Ordering::SeqCst);
}

fn is_detached() -> bool {
    DETACHED.load(Ordering::SeqCst)
}

/// Handler of signals: before training, a signal ends the program; during training, the first one stops the run and the
/// next one ends the program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    training: Arc<AtomicBool>,
    stop: Stop,
    /// Number of signals from each source.
    counts: Arc<[AtomicUsize; 2]>,
}

/// Source of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Sent to this process.
    Own,
    /// Sent to the launcher, which passed it on.
    Launcher,
}

impl Signals {
    /// Handles Ctrl-C, termination by the system, and hang-ups of the terminal.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let signals = Self::default();
        listen(signals.clone()).context("cannot handle Ctrl-C")?;
        Ok(signals)
    }

    /// Marks the start of training: from now on, a signal saves the run.
    pub(crate) fn training_starts(&self) -> Stop {
        self.training.store(true, Ordering::SeqCst);
        self.stop.clone()
    }

    /// Ends the program if there is nothing to save, or if the user insists.
    fn received(&self, way: Way) {
        // A terminal signals to both processes at the same time, and the launcher passes its signal on.
        let most = || {
            self.counts
                .iter()
                .map(|count| count.load(Ordering::SeqCst))
                .max()
        };
        let before = most();
        self.counts[way as usize].fetch_add(1, Ordering::SeqCst);
        if most() == before {
            return;
        }
        if self.training.load(Ordering::SeqCst) && !self.stop.requested() {
            self.stop.request();
            return;
        }
        dashboard::restore();
        crate::cli::display::burn_screen::restore_terminal();
        std::process::exit(i32::from(console::INTERRUPTED));
    }
}

#[cfg(unix)]
fn listen(signals: Signals) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};

    use crate::cli::display::launcher::Trainer;

    let mut received = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    if !is_ignored(SIGHUP) {
        received.handle().add_signal(SIGHUP)?;
    }
    if let Some(trainer) = Trainer::here() {
        received.handle().add_signal(SIGUSR1)?;
        let signals = signals.clone();
        // Without the launcher, nothing waits for the run, and the shell has the terminal.
        trainer.watch_launcher(is_detached, move || signals.received(Way::Launcher))?;
    }
    let listener = move || {
        for signal in received.forever() {
            match signal {
                SIGHUP if is_detached() => {}
                SIGUSR1 => signals.received(Way::Launcher),
                _ => signals.received(Way::Own),
            }
        }
    };
    let thread = std::thread::Builder::new().name("signals".to_owned());
    thread.spawn(listener).map(|_| ())
}

/// Returns whether the program was started with a signal ignored, as by `nohup`, if the system reports it.
#[cfg(unix)]
pub(crate) fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(not(unix))]
fn listen(signals: Signals) -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(move || signals.received(Way::Own))
}
