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
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};
use thiserror::Error;

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

/// Whether the terminal is ours. Held while something is written to it, so that nothing is drawn on a
/// terminal that was given back.
static TAKEN: Mutex<bool> = Mutex::new(false);
static HOOK: Once = Once::new();

/// How often, and how long each time, to wait for who writes.
const TRIES: usize = 50;
const TRY: Duration = Duration::from_millis(10);

fn taken() -> MutexGuard<'static, bool> {
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
        if std::mem::take(&mut *taken) {
            leave();
        }
        return;
    }
    // The terminal takes no output, so it gets no more. On the way out, there is nobody left to tell.
    let _ = disable_raw_mode();
}

fn leave() {
    // On the way out, there is nobody left to tell.
    let _ = execute!(
        io::stdout(),
        DisableMouseCapture,
        LeaveAlternateScreen,
        Show
    );
    let _ = disable_raw_mode();
}

/// The terminal, as long as it is ours.
pub(crate) struct Session {
    terminal: Terminal<CrosstermBackend<Output>>,
}

impl Session {
    pub(crate) fn enter() -> Result<Self, DashboardError> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(DashboardError::NoTerminal);
        }
        let mut taken = taken();
        if *taken {
            return Err(DashboardError::Taken);
        }
        HOOK.call_once(restore_before_panics_are_printed);
        enable_raw_mode().map_err(DashboardError::Terminal)?;
        let entered = execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, Hide);
        let terminal = entered.and_then(|()| {
            Terminal::new(CrosstermBackend::new(Output {
                pending: Vec::new(),
            }))
        });
        match terminal {
            Ok(terminal) => {
                *taken = true;
                Ok(Self { terminal })
            }
            Err(error) => {
                leave();
                Err(DashboardError::Terminal(error))
            }
        }
    }

    /// Whether nobody has given it back.
    pub(crate) fn is_ours(&self) -> bool {
        *taken()
    }

    pub(crate) fn draw(&mut self, draw: impl FnOnce(&mut Frame)) -> Result<(), DashboardError> {
        let drawn = self.terminal.draw(draw);
        drawn.map(|_| ()).map_err(DashboardError::Terminal)
    }

    /// Has the next screen drawn wholly, over whatever is there.
    pub(crate) fn clear(&mut self) -> Result<(), DashboardError> {
        self.terminal.clear().map_err(DashboardError::Terminal)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        restore();
    }
}

fn restore_before_panics_are_printed() {
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        restore();
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
        let taken = taken();
        let result = match *taken {
            true => {
                let mut stdout = io::stdout().lock();
                stdout
                    .write_all(&self.pending)
                    .and_then(|()| stdout.flush())
            }
            false => Ok(()),
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
