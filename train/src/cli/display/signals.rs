//! Ctrl-C and its kin.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::Context as _;
use command_line::console;
use train::Stop;

/// The user detached training from the terminal.
static DETACHED: AtomicBool = AtomicBool::new(false);

/// Whether a terminal that closes does not end the program from now on.
pub(crate) fn set_detached(is_detached: bool) {
    DETACHED.store(is_detached, Ordering::SeqCst);
}

fn is_detached() -> bool {
    DETACHED.load(Ordering::SeqCst)
}

/// What a signal does, from the start of the program on: at first it ends the program, and while a
/// run trains, the first one asks the run to stop and the next one ends the program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    training: Arc<AtomicBool>,
    stop: Stop,
    /// How many came each way.
    counts: Arc<[AtomicUsize; 2]>,
}

/// How a signal came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// To this process.
    Own,
    /// To the launcher, which has passed it on.
    Launcher,
}

impl Signals {
    /// Takes over Ctrl-C, termination by the system, and the end of the terminal.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let signals = Self::default();
        listen(signals.clone()).context("cannot handle Ctrl-C")?;
        Ok(signals)
    }

    /// From now on there is something to save.
    pub(crate) fn training_starts(&self) -> Stop {
        self.training.store(true, Ordering::SeqCst);
        self.stop.clone()
    }

    /// Ends the program where nothing is left to save, or the user insists.
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
        // Without it, nobody waits for the run any more, and the shell has the terminal.
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

/// Whether whoever started the program has it ignore a signal, as `nohup` does, as far as the system tells.
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
