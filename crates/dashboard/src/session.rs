//! Takes the terminal, and restores it whatever happens.

use std::io::{self, IsTerminal as _, Write};
use std::panic;
use std::sync::{Mutex, MutexGuard, Once, PoisonError, TryLockError};
use std::time::Duration;

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableMouseCapture, EnableMouseCapture};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::Frame;
use ratatui::backend::CrosstermBackend;
use thiserror::Error;

use crate::capture::{Said, Terminal};

/// The reason why there is no dashboard.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DashboardError {
    /// Input or output is a file or a pipe.
    #[error("the dashboard needs a terminal")]
    NoTerminal,
    /// This program already shows one.
    #[error("another dashboard already uses this terminal")]
    Taken,
    /// The terminal does not answer, or is gone.
    #[error("cannot use the terminal")]
    Terminal(#[source] io::Error),
    /// The system cannot start a thread for reading.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

/// The terminal while the dashboard owns it. Locked during writes, so that nothing is drawn on a
/// terminal that was restored.
static TAKEN: Mutex<Option<Terminal>> = Mutex::new(None);
/// Message of the last panic that did not reach the terminal.
static PANIC: Mutex<Option<String>> = Mutex::new(None);
static HOOK: Once = Once::new();

/// Number and duration of the waits for a writer.
const TRIES: usize = 50;
const TRY: Duration = Duration::from_millis(10);

fn taken() -> MutexGuard<'static, Option<Terminal>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Restores the terminal if a dashboard owns it, for example on the way out after a signal. The
/// dashboard then ends by itself. May be called from any thread, any number of times, but not
/// inside a signal handler, which must not take locks.
pub fn restore() {
    for _ in 0..TRIES {
        let mut taken = match TAKEN.try_lock() {
            Ok(taken) => taken,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                std::thread::sleep(TRY);
                continue;
            }
        };
        if let Some(mut terminal) = taken.take() {
            leave(&mut terminal.output);
        }
        return;
    }
    // The terminal does not accept output, so nothing more is written. Errors cannot be reported to
    // anyone on the way out.
    let _ = disable_raw_mode();
}

/// Returns the message of the last panic that the dashboard kept off the terminal, and clears it.
pub fn last_panic() -> Option<String> {
    PANIC.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn leave(output: &mut impl Write) {
    // Errors cannot be reported to anyone on the way out.
    let _ = execute!(output, DisableMouseCapture, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// Ownership of the terminal.
pub(crate) struct Session {
    terminal: ratatui::Terminal<CrosstermBackend<Output>>,
}

impl Session {
    pub(crate) fn enter(said: Option<Said>) -> Result<Self, DashboardError> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(DashboardError::NoTerminal);
        }
        let mut taken = taken();
        if taken.is_some() {
            return Err(DashboardError::Taken);
        }
        HOOK.call_once(keep_panics_off_the_screen);
        let mut own = Terminal::take(said).map_err(DashboardError::Terminal)?;
        enable_raw_mode().map_err(DashboardError::Terminal)?;
        let entered = execute!(own.output, EnterAlternateScreen, EnableMouseCapture, Hide);
        let terminal = entered.and_then(|()| {
            ratatui::Terminal::new(CrosstermBackend::new(Output {
                pending: Vec::new(),
            }))
        });
        match terminal {
            Ok(terminal) => {
                *taken = Some(own);
                Ok(Self { terminal })
            }
            Err(error) => {
                leave(&mut own.output);
                Err(DashboardError::Terminal(error))
            }
        }
    }

    /// Returns whether the terminal has not been restored yet.
    pub(crate) fn is_ours(&self) -> bool {
        taken().is_some()
    }

    pub(crate) fn draw(&mut self, draw: impl FnOnce(&mut Frame)) -> Result<(), DashboardError> {
        let drawn = self.terminal.draw(draw);
        drawn.map(|_| ()).map_err(DashboardError::Terminal)
    }

    /// Makes the next screen redraw everything, over whatever is on the terminal.
    pub(crate) fn clear(&mut self) -> Result<(), DashboardError> {
        // Unlike `clear`, this does not query the terminal's cursor position.
        let resized = self.terminal.size().and_then(|size| {
            let area = ratatui::layout::Rect::from((ratatui::layout::Position::ORIGIN, size));
            self.terminal.resize(area)
        });
        resized.map_err(DashboardError::Terminal)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        restore();
    }
}

/// Prints panics like all other output, or after the terminal was restored.
fn keep_panics_off_the_screen() {
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let is_covered = TAKEN
            .try_lock()
            .is_ok_and(|taken| taken.as_ref().is_some_and(Terminal::is_covered));
        if is_covered {
            *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(info.to_string());
        } else {
            restore();
        }
        previous(info);
    }));
}

/// Buffers output until a screen is complete.
struct Output {
    pending: Vec<u8>,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut taken = taken();
        let result = match &mut *taken {
            Some(terminal) => terminal.output.write_all(&self.pending),
            None => Ok(()),
        };
        self.pending.clear();
        result
    }
}

/// Waits for input, for at most the given time.
///
/// # Errors
///
/// If the terminal is gone. When asked for input in that state, crossterm would query the system in
/// an endless loop.
#[cfg(unix)]
pub(crate) fn wait_for_input(time: Duration) -> Result<(), DashboardError> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let stdin = rustix::stdio::stdin();
    let mut files = [PollFd::new(&stdin, PollFlags::IN)];
    let time = Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    };
    match poll(&mut files, Some(&time)) {
        // A signal, such as the one for a changed size.
        Err(rustix::io::Errno::INTR) => return Ok(()),
        result => result.map_err(|error| DashboardError::Terminal(error.into()))?,
    };
    let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
    if files[0].revents().intersects(gone) {
        return Err(DashboardError::Terminal(io::ErrorKind::BrokenPipe.into()));
    }
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn wait_for_input(time: Duration) -> Result<(), DashboardError> {
    crossterm::event::poll(time)
        .map(|_| ())
        .map_err(DashboardError::Terminal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restored_terminal_is_not_drawn_on() {
        restore();
        restore();
        let mut output = Output {
            pending: Vec::new(),
        };
        output.write_all(b"\x1b[2J").unwrap();
        output.flush().unwrap();
        assert!(output.pending.is_empty());
    }
}
