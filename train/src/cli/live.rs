//! The dashboard of a run in this program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use dashboard::{Command, End, Mode, Options, Source};
use train::{RunFolder, Stop};

use super::look;
use super::signals;
use super::voice::warn;

/// Shows a run until this is dropped or the user wants to be without it.
pub(crate) struct Live {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    /// `closed` is called once, when the terminal is given back; with `true` if training goes on.
    pub(crate) fn start(
        folder: &RunFolder,
        stop: Stop,
        closed: impl FnOnce(bool) + Send + 'static,
    ) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let source = Source {
            name: look::name(folder.path()),
            folder: folder.path().to_owned(),
        };
        let thread = std::thread::Builder::new()
            .name("dashboard".to_owned())
            .spawn(move || {
                let options = Options {
                    mode: Mode::Live,
                    theme: look::theme(),
                };
                let end = dashboard::run(
                    vec![source],
                    options,
                    &mut |command| obey(&stop, command),
                    &|| over.load(Ordering::Relaxed),
                    // The log's file, and the messages that the screen shows.
                    Some(Box::new(|line| log::warn!("{line}"))),
                );
                if let Ok(End::Detached) = &end {
                    signals::detach();
                }
                // Without a screen, a run goes on with lines.
                if let Err(error) = &end {
                    log::warn!("the dashboard closed: {error}");
                }
                closed(!matches!(end, Ok(End::Finished)));
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
            // If it panicked, it said so.
            let _ = thread.join();
        }
        if std::thread::panicking()
            && let Some(panic) = dashboard::last_panic()
        {
            warn(&panic);
        }
    }
}

fn obey(stop: &Stop, command: Command) {
    match command {
        Command::Checkpoint => stop.request_checkpoint(),
        Command::StopAfterEpoch => stop.request_after_epoch(),
        Command::StopNow => stop.request(),
        Command::Detach | Command::Quit => {}
    }
}
