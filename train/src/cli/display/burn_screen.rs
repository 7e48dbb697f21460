//! burn-train's dashboard, made safe to leave.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};

use burn_train::Interrupter;
use burn_train::renderer::MetricsRenderer;
use burn_train::renderer::tui::TuiMetricsRendererWrapper;
use crossterm::execute;
use crossterm::terminal::{LeaveAlternateScreen, disable_raw_mode, is_raw_mode_enabled};
use train::Stop;

/// Panic message of the dashboard's "stop immediately", in two threads.
const KILL_MESSAGE: &str = "Killing training from user input.";

/// Forwards calls to burn-train's dashboard. Its own ways to end a run become a [`Stop`], Ctrl-C
/// works as in any program, and its drawing thread, which never sleeps, gets only the time that
/// training leaves.
pub(crate) struct BurnScreen {
    inner: TuiMetricsRendererWrapper,
    interrupter: Interrupter,
    stop: Stop,
    tamed: AtomicBool,
}

impl BurnScreen {
    pub(crate) fn new(stop: Stop) -> Self {
        silence_kill();
        let interrupter = Interrupter::new();
        Self {
            inner: TuiMetricsRendererWrapper::new(interrupter.clone(), None),
            interrupter,
            stop,
            tamed: AtomicBool::new(false),
        }
    }

    /// Runs one call of the renderer.
    pub(crate) fn call<T>(
        &mut self,
        call: impl FnOnce(&mut dyn MetricsRenderer) -> T,
    ) -> Option<T> {
        if !self.tamed.load(Ordering::Relaxed) && is_raw_mode_enabled().unwrap_or(false) {
            system::keep_signals();
            system::lower_priority();
            self.tamed.store(true, Ordering::Relaxed);
        }
        let inner = &mut self.inner;
        // "Stop immediately" panics here; without this, the run would end unsaved.
        let result = panic::catch_unwind(AssertUnwindSafe(|| call(inner)));
        if result.is_err() || self.interrupter.should_stop() {
            self.stop.request();
        }
        result.ok()
    }
}

/// Leaves the dashboard's screen if the dashboard could not do so itself.
pub(crate) fn restore_terminal() {
    if is_raw_mode_enabled().unwrap_or(false) {
        // A failure at exit cannot be reported.
        let _ = disable_raw_mode();
        let _ = execute!(io::stdout(), LeaveAlternateScreen);
    }
}

/// Hides the panics of "stop immediately" from the terminal; they do not concern the user.
fn silence_kill() {
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let payload = info.payload();
        let message = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        if message != Some(KILL_MESSAGE) {
            previous(info);
        }
    }));
}

#[cfg(unix)]
mod system {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

    /// The dashboard's raw mode turns Ctrl-C into a key that it ignores.
    pub(crate) fn keep_signals() {
        let stdin = rustix::stdio::stdin();
        if let Ok(mut modes) = tcgetattr(stdin) {
            modes.local_modes |= LocalModes::ISIG;
            // If this fails, the q key still works.
            let _ = tcsetattr(stdin, OptionalActions::Now, &modes);
        }
    }

    /// The drawing thread polls events without pause and occupies a core. Linux has priorities per thread, so its
    /// priority alone can be lowered.
    #[cfg(target_os = "linux")]
    pub(crate) fn lower_priority() {
        let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
            return;
        };
        for thread in threads.flatten() {
            let name = std::fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
            let id = thread.file_name().to_str().and_then(|id| id.parse().ok());
            if name.trim() == "train-renderer"
                && let Some(id) = id.and_then(rustix::process::Pid::from_raw)
            {
                // Without it, training is only slower.
                let _ = rustix::process::setpriority_process(Some(id), 19);
            }
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn lower_priority() {}
}

#[cfg(not(unix))]
mod system {
    pub(crate) fn keep_signals() {}
    pub(crate) fn lower_priority() {}
}
