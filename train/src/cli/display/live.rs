//! The dashboard of a run that this program trains.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use command_line::started::command_line;
use command_line::voice::warn;
use dashboard::{Command, End, Mode, Options, Source};
use train::{RunFolder, Stop};

#[cfg(unix)]
use crate::cli::display::launcher::Trainer;
use crate::cli::display::look;
use crate::cli::display::signals;

/// State after the dashboard closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// The run is over.
    Over,
    /// Training continues and keeps the terminal.
    GoesOn,
    /// Training continues in the background; the shell has the terminal.
    Detached,
}

/// Dashboard that shows a run until it is dropped or the user closes it.
pub(crate) struct Live {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    /// Opens the dashboard; `closed` is called once, when the terminal is restored.
    pub(crate) fn start(
        folder: &RunFolder,
        stop: Stop,
        closed: impl FnOnce(Closed) + Send + 'static,
    ) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let source = Source {
            name: look::name(folder.path()),
            folder: folder.path().to_owned(),
            resume: None,
        };
        let folder = folder.clone();
        let thread = std::thread::Builder::new()
            .name("dashboard".to_owned())
            .spawn(move || {
                let options = Options::default()
                    .with_mode(Mode::Live)
                    .with_theme(look::theme())
                    .with_detaches(can_detach());
                let end = dashboard::run(
                    vec![source],
                    options,
                    &mut |_, command| {
                        obey(&stop, command);
                        Ok(())
                    },
                    &|| over.load(Ordering::Relaxed),
                    // The log's file, and the messages that the screen shows.
                    Some(Box::new(|line| log::warn!("{line}"))),
                );
                // Without a dashboard, the run prints lines.
                if let Err(error) = &end {
                    log::warn!("the dashboard closed: {error}");
                }
                closed(match end {
                    Ok(End::Finished) => Closed::Over,
                    Ok(End::Detached) => detach(&folder),
                    _ => Closed::GoesOn,
                });
            });
        if let Err(error) = &thread {
            log::warn!("there is no dashboard: {error}");
        }
        Self {
            is_over,
            thread: thread.ok(),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic has already been reported.
            let _ = thread.join();
        }
        if std::thread::panicking()
            && let Some(panic) = dashboard::last_panic()
        {
            warn(&panic);
        }
    }
}

/// Returns whether this process can leave the terminal.
#[cfg(unix)]
fn can_detach() -> bool {
    Trainer::here().is_some()
}

#[cfg(not(unix))]
fn can_detach() -> bool {
    false
}

/// Leaves the terminal, if possible.
#[cfg(unix)]
fn detach(folder: &RunFolder) -> Closed {
    let output = folder.output_file();
    let Some(trainer) = Trainer::here() else {
        return Closed::GoesOn;
    };
    let goodbye = || {
        let process = std::process::id();
        warn(&format!(
            "training continues in the background as process {process}; output: {}",
            output.display()
        ));
        warn(&format!(
            "`{}` shows it, saves a checkpoint or stops it; `kill {process}` saves and stops it",
            command_line(&["watch"], folder.path())
        ));
    };
    // From now on, neither a closed terminal nor the end of the launcher stops training.
    signals::set_detached(true);
    match trainer.leave(&output, goodbye) {
        Ok(()) => Closed::Detached,
        Err(error) => {
            signals::set_detached(false);
            warn(&format!("training stays in the foreground: {error}"));
            Closed::GoesOn
        }
    }
}

#[cfg(not(unix))]
fn detach(_: &RunFolder) -> Closed {
    signals::set_detached(true);
    Closed::GoesOn
}

fn obey(stop: &Stop, command: Command) {
    match command {
        Command::Checkpoint => stop.request_checkpoint(),
        Command::StopAfterEpoch => stop.request_after_epoch(),
        Command::StopNow => stop.request(),
        Command::Detach | Command::Quit => {}
    }
}
