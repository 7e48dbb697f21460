//! The terminal: how it is taken, and how it is given back whatever happens.

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

/// Why there is no screen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DashboardError {
    /// Input or output is a file or a pipe.
    #[error("the dashboard needs a terminal")]
    NoTerminal,
    /// This program shows one already.
    #[error("there is a dashboard on this terminal already")]
    Taken,
    /// The terminal does not answer, or is gone.
    #[error("the terminal cannot be used")]
    Terminal(#[source] io::Error),
    /// The system gives no thread to read with.
    #[error("no thread can be started")]
    Thread(#[source] io::Error),
}

/// The terminal while it is ours. Held while something is written to it, so that nothing is drawn on a
/// terminal that was given back.
static TAKEN: Mutex<Option<Terminal>> = Mutex::new(None);
/// What the last panic said that did not reach the terminal.
static PANIC: Mutex<Option<String>> = Mutex::new(None);
static HOOK: Once = Once::new();

/// How often, and how long each time, to wait for who writes.
const TRIES: usize = 50;
const TRY: Duration = Duration::from_millis(10);

fn taken() -> MutexGuard<'static, Option<Terminal>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives the terminal back, if a dashboard has it: on the way out after a signal, for example. The
/// dashboard then ends by itself. From any thread, as often as you like; not from within a signal's
/// handler, which may not take locks.
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
    // The terminal takes no output, so it gets no more. On the way out, there is nobody left to tell.
    let _ = disable_raw_mode();
}

/// What a panic said while a screen kept it off the terminal, the last one; it is told once.
pub fn last_panic() -> Option<String> {
    PANIC.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn leave(output: &mut impl Write) {
    // On the way out, there is nobody left to tell.
    let _ = execute!(output, DisableMouseCapture, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// The terminal, as long as it is ours.
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

    /// Whether nobody has given it back.
    pub(crate) fn is_ours(&self) -> bool {
        taken().is_some()
    }

    pub(crate) fn draw(&mut self, draw: impl FnOnce(&mut Frame)) -> Result<(), DashboardError> {
        let drawn = self.terminal.draw(draw);
        drawn.map(|_| ()).map_err(DashboardError::Terminal)
    }

    /// Has the next screen drawn wholly, over whatever is there.
    pub(crate) fn clear(&mut self) -> Result<(), DashboardError> {
        // Unlike `clear`, this does not ask the terminal where its cursor is.
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

/// A panic is printed where all else is that is printed, or else after the terminal was given back.
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

/// Keeps what is drawn until a screen is whole.
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

/// Waits until there may be input, for so long at most.
///
/// # Errors
///
/// If the terminal is gone. Asked for input then, crossterm would ask the system without end.
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
        // A signal, as when the size changes.
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
    fn what_was_given_back_is_not_drawn_on() {
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
