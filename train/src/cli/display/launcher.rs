//! Two processes for a run with a dashboard, so that it can detach from the terminal.
//!
//! The process that the shell starts is the launcher. It starts the same program once more with the same arguments,
//! which trains and has the dashboard. Both are in one process group, so the terminal and the shell's job control
//! treat them as one. The launcher passes on signals that only it gets, and ends with the trainer's exit code, or
//! with 0 once the trainer has left the terminal for a session of its own.

#[cfg(not(unix))]
use std::process::ExitCode;

/// Holds the launcher's process id for the trainer.
#[cfg(unix)]
const LAUNCHER: &str = "RESNET_LAUNCHER";

#[cfg(unix)]
pub(crate) use system::{Trainer, launch};

/// Runs the program once more and waits for it, if possible; returns `None` if this process must train.
#[cfg(not(unix))]
pub(crate) fn launch() -> anyhow::Result<Option<ExitCode>> {
    Ok(None)
}

#[cfg(unix)]
mod system {
    use std::env;
    use std::fs::File;
    use std::io::{self, Write as _};
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    use std::path::Path;
    use std::process::{Child, Command, ExitCode, ExitStatus};
    use std::time::Duration;

    use anyhow::Context as _;
    use command_line::console;
    use crossterm::cursor::Show;
    use crossterm::event::DisableMouseCapture;
    use crossterm::execute;
    use crossterm::terminal::LeaveAlternateScreen;
    use rustix::process::{Pid, Signal, getpid, getppid, getsid, kill_process, setsid};
    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
    use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGUSR1};
    use signal_hook::iterator::Signals;

    use super::LAUNCHER;
    use crate::cli::display::signals::is_ignored;
    use command_line::started::with_commands;
    use command_line::voice::warn;

    /// Signal between launcher and trainer: "stop" to the trainer, "detached" to the launcher.
    const WORD: Signal = Signal::USR1;

    /// Interval between checks whether the launcher still runs.
    const LOOK: Duration = Duration::from_millis(500);

    /// Offset from a signal's number to the exit code of a program that it ended, as in shells.
    const ENDED_BY_SIGNAL: i32 = 128;

    /// Runs the program once more and waits for it, if possible; returns `None` if this process must train, because it
    /// is the trainer or because the system starts no other process.
    pub(crate) fn launch() -> anyhow::Result<Option<ExitCode>> {
        if Trainer::here().is_some() {
            return Ok(None);
        }
        // Before the trainer starts, so that no signal is missed.
        let mut signals =
            Signals::new([SIGCHLD, SIGUSR1, SIGINT, SIGTERM]).context("cannot handle Ctrl-C")?;
        if !is_ignored(SIGHUP) {
            signals
                .add_signal(SIGHUP)
                .context("cannot handle signals")?;
        }
        let modes = tcgetattr(rustix::stdio::stdin()).ok();
        let Ok(mut trainer) = start() else {
            return Ok(None);
        };
        let id = Pid::from_child(&trainer);
        let mut is_told_to_stop = false;
        for signal in signals.forever() {
            match signal {
                SIGCHLD => {
                    if let Some(status) = trainer.try_wait().context("cannot wait")? {
                        return Ok(Some(ended(status, is_told_to_stop, modes.as_ref())));
                    }
                }
                SIGUSR1 if has_left(id) => return Ok(Some(ExitCode::SUCCESS)),
                SIGUSR1 => {}
                // It may just have ended.
                _ => is_told_to_stop |= kill_process(id, WORD).is_ok(),
            }
        }
        Ok(None)
    }

    fn start() -> io::Result<Child> {
        let mut words = env::args_os();
        let mut command = Command::new(env::current_exe()?);
        if let Some(name) = words.next() {
            command.arg0(name);
        }
        let id = getpid().as_raw_nonzero().to_string();
        command.args(words).env(LAUNCHER, id).spawn()
    }

    /// Returns whether the trainer has its own session.
    fn has_left(trainer: Pid) -> bool {
        let [own, other] = [getsid(None), getsid(Some(trainer))];
        own.is_ok_and(|own| other.is_ok_and(|other| own != other))
    }

    fn ended(status: ExitStatus, is_told_to_stop: bool, modes: Option<&Termios>) -> ExitCode {
        if let Some(code) = status.code() {
            return ExitCode::from(u8::try_from(code).unwrap_or(1));
        }
        // The trainer may not have restored the terminal.
        if let Some(modes) = modes {
            // If this fails, the terminal is gone.
            let _ = execute!(
                io::stdout(),
                DisableMouseCapture,
                LeaveAlternateScreen,
                Show
            );
            let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, modes);
        }
        let signal = status.signal().unwrap_or(0);
        if signal == WORD.as_raw() && is_told_to_stop {
            // The signal arrived before the trainer handled it, when there was nothing to save.
            return ExitCode::from(console::INTERRUPTED);
        }
        let what = format!("error: signal {signal} ended the process that trains");
        let hint = "hint: `train watch` shows how to resume the run; signal 9 may mean that memory ran out";
        warn(&format!("{what}\n{}", with_commands(hint)));
        ExitCode::from(u8::try_from(ENDED_BY_SIGNAL + signal).unwrap_or(1))
    }

    /// The process that trains, as a child of the launcher.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Trainer {
        launcher: Pid,
    }

    impl Trainer {
        /// Returns this process if a launcher started it.
        pub(crate) fn here() -> Option<Self> {
            let launcher = env::var(LAUNCHER).ok()?.parse().ok()?;
            let launcher = Pid::from_raw(launcher)?;
            // The variable may be inherited from another run that started this program.
            (getppid() == Some(launcher)).then_some(Self { launcher })
        }

        /// Calls `gone` once, on its own thread, if the launcher ends before `is_over`.
        pub(crate) fn watch_launcher(
            self,
            is_over: impl Fn() -> bool + Send + 'static,
            gone: impl FnOnce() + Send + 'static,
        ) -> io::Result<()> {
            let look = move || {
                while !is_over() {
                    // The launcher also ends when the trainer leaves the terminal.
                    if getppid() != Some(self.launcher) && !is_over() {
                        return gone();
                    }
                    std::thread::sleep(LOOK);
                }
            };
            let thread = std::thread::Builder::new().name("launcher".to_owned());
            thread.spawn(look).map(|_| ())
        }

        /// Leaves the terminal: later output is appended to the file `output`, and the shell continues because the
        /// launcher ends. `goodbye` prints the last lines on the terminal.
        ///
        /// # Errors
        ///
        /// If the file cannot be opened, or the system does not allow a new session; the process then keeps the
        /// terminal.
        pub(crate) fn leave(self, output: &Path, goodbye: impl FnOnce()) -> io::Result<()> {
            let output = files::append_file(output)?;
            let input = File::open("/dev/null")?;
            io::stdout().flush()?;
            setsid()?;
            goodbye();
            rustix::stdio::dup2_stdin(&input)?;
            rustix::stdio::dup2_stdout(&output)?;
            rustix::stdio::dup2_stderr(&output)?;
            // If the launcher has ended already, the shell has the terminal.
            let _ = kill_process(self.launcher, WORD);
            Ok(())
        }
    }
}
