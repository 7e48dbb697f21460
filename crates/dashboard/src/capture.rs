//! Captures what a program prints while the dashboard covers the terminal.
//!
//! Libraries print, and so do drivers written in C. On top of the dashboard, their output would be
//! lost and would garble the screen. So on Unix, standard output and standard error are redirected
//! into a pipe, and its contents are passed on line by line.

use std::fs::File;
use std::io;

/// Receives printed lines.
pub type Said = Box<dyn Fn(&str) + Send>;

/// The terminal behind standard output, and the redirected streams.
pub(crate) struct Terminal {
    pub output: File,
    captured: Option<system::Captured>,
}

impl Terminal {
    /// Takes the terminal. Without a receiver for lines, output is not redirected.
    pub(crate) fn take(said: Option<Said>) -> io::Result<Self> {
        let output = system::output()?;
        let captured = match said {
            Some(said) => system::Captured::begin(said)?,
            None => None,
        };
        Ok(Self { output, captured })
    }

    /// Returns whether printed output is kept off the terminal.
    pub(crate) fn is_covered(&self) -> bool {
        self.captured.is_some()
    }
}

#[cfg(unix)]
mod system {
    use std::fs::File;
    use std::io::{self, BufRead as _, BufReader, Write as _};
    use std::os::fd::OwnedFd;

    use rustix::stdio::{dup2_stderr, dup2_stdout, stderr, stdout};

    use super::Said;

    pub(super) fn output() -> io::Result<File> {
        Ok(File::from(rustix::io::dup(stdout())?))
    }

    /// The original standard output and standard error, which are restored on drop.
    pub(super) struct Captured {
        output: OwnedFd,
        error: OwnedFd,
    }

    impl Captured {
        pub(super) fn begin(said: Said) -> io::Result<Option<Self>> {
            let captured = Self {
                output: rustix::io::dup(stdout())?,
                error: rustix::io::dup(stderr())?,
            };
            let (reader, writer) = rustix::pipe::pipe()?;
            // The thread ends when the pipe is closed. The receiver of lines must not print.
            std::thread::Builder::new()
                .name("printed".to_owned())
                .spawn(move || hand_on(File::from(reader), &said))?;
            // Output that is still buffered belongs to the terminal.
            io::stdout().flush()?;
            dup2_stdout(&writer)?;
            dup2_stderr(&writer)?;
            Ok(Some(captured))
        }
    }

    impl Drop for Captured {
        fn drop(&mut self) {
            // Output that is still buffered belongs to the pipe. Errors cannot be reported to
            // anyone on the way out.
            let _ = io::stdout().flush();
            let _ = dup2_stdout(&self.output);
            let _ = dup2_stderr(&self.error);
        }
    }

    fn hand_on(reader: File, said: &Said) {
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .is_ok_and(|bytes| bytes > 0)
        {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end();
            if !text.is_empty() {
                said(text);
            }
            line.clear();
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs::{File, OpenOptions};
    use std::io;

    use super::Said;

    pub(super) fn output() -> io::Result<File> {
        OpenOptions::new().write(true).open("CONOUT$")
    }

    /// Output is never captured here.
    pub(super) enum Captured {}

    impl Captured {
        pub(super) fn begin(_: Said) -> io::Result<Option<Self>> {
            Ok(None)
        }
    }
}
