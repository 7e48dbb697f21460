//! What a program prints while a screen covers the terminal.
//!
//! Libraries print, and drivers written in C do; over a screen, that would be lost and would leave marks.
//! So on Unix, standard output and standard error lead into a pipe meanwhile, and what comes out of it is
//! handed on line by line.

use std::fs::File;
use std::io;

/// Takes lines that were printed.
pub type Said = Box<dyn Fn(&str) + Send>;

/// The terminal behind standard output, and what leads elsewhere meanwhile.
pub(crate) struct Terminal {
    pub output: File,
    captured: Option<system::Captured>,
}

impl Terminal {
    /// Without anyone to hand lines to, what is printed goes where it always does.
    pub(crate) fn take(said: Option<Said>) -> io::Result<Self> {
        let output = system::output()?;
        let captured = match said {
            Some(said) => system::Captured::begin(said)?,
            None => None,
        };
        Ok(Self { output, captured })
    }

    /// Whether what is printed does not reach the terminal.
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

    /// Where standard output and standard error led before; they lead there again when this is dropped.
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
            // It ends with the last way into the pipe. Whoever hands lines on may not print.
            std::thread::Builder::new()
                .name("printed".to_owned())
                .spawn(move || hand_on(File::from(reader), &said))?;
            // What is printed but not yet written belongs to the terminal.
            io::stdout().flush()?;
            dup2_stdout(&writer)?;
            dup2_stderr(&writer)?;
            Ok(Some(captured))
        }
    }

    impl Drop for Captured {
        fn drop(&mut self) {
            // What is printed but not yet written belongs to the pipe. On the way out, there is nobody
            // left to tell of errors.
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

    /// There is none.
    pub(super) enum Captured {}

    impl Captured {
        pub(super) fn begin(_: Said) -> io::Result<Option<Self>> {
            Ok(None)
        }
    }
}
