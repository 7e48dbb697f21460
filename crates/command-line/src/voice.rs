//! Output of both programs. Only this module writes to standard output and standard error.
//!
//! Results go to standard output. The first failed write is remembered, and [`finish`] returns it
//! at the end, so that no program that lost a result ends with success. Everything else goes to
//! standard error, where failures are ignored.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use files::{brief, printable, printable_json, printable_lines};
use thiserror::Error;

/// Maximum length of a line on standard error that is not an error, in characters.
const LONGEST_LINE: usize = 1000;

static QUIET: AtomicBool = AtomicBool::new(false);
static LOST: Mutex<Option<OutputError>> = Mutex::new(None);

/// A result cannot be written to standard output.
#[derive(Debug, Error)]
#[error("cannot write to standard output: {source}")]
pub struct OutputError {
    source: io::Error,
}

impl OutputError {
    /// Returns whether the reader closed the pipe, as `head` does when it has read enough.
    pub fn is_closed_pipe(&self) -> bool {
        self.source.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Silences [`talk`] from now on.
pub fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Prints an informational line on standard error.
pub fn talk(line: &str) {
    if !QUIET.load(Ordering::Relaxed) {
        warn(line);
    }
}

/// Prints an important line on standard error, even if quiet.
pub fn warn(line: &str) {
    let _ = writeln!(io::stderr(), "{}", brief(line, LONGEST_LINE));
}

/// Prints lines on standard error after making them printable, such as an error with its hint.
pub fn complain(lines: &str) {
    let _ = writeln!(io::stderr(), "{}", printable_lines(lines));
}

/// Prints a result of one or more lines.
///
/// # Errors
///
/// If standard output cannot be written.
pub fn print(text: &str) -> Result<(), OutputError> {
    write(|output| writeln!(output, "{}", printable_lines(text)))
}

/// Prints a result as one line, with line breaks escaped.
///
/// # Errors
///
/// If standard output cannot be written.
pub fn print_line(line: &str) -> Result<(), OutputError> {
    write(|output| writeln!(output, "{}", printable(line)))
}

/// Prints a result that is a JSON document.
///
/// # Errors
///
/// If standard output cannot be written.
pub fn print_json(json: &str) -> Result<(), OutputError> {
    write(|output| writeln!(output, "{}", printable_json(json)))
}

/// Writes a result as a file, byte for byte.
///
/// # Errors
///
/// If standard output cannot be written.
pub fn print_file(bytes: &[u8]) -> Result<(), OutputError> {
    write(|output| output.write_all(bytes))
}

/// Writes results through a library, such as clap.
///
/// # Errors
///
/// If standard output cannot be written.
pub fn print_with(print: impl FnOnce() -> io::Result<()>) -> Result<(), OutputError> {
    write(|_| print())
}

/// Returns standard output as a writer for lines of JSON.
pub fn json_lines() -> impl Write + Send {
    JsonLines
}

/// Flushes standard output, and returns the first failed write, if any. A reader that closed the
/// pipe is not a failure.
///
/// # Errors
///
/// The first failed write.
pub fn finish() -> Result<(), OutputError> {
    // The important part of its result is remembered.
    let _ = write(|_| Ok(()));
    let mut lost = LOST.lock().unwrap_or_else(PoisonError::into_inner);
    lost.take().map_or(Ok(()), Err)
}

/// Writes and flushes.
fn write(write: impl FnOnce(&mut io::Stdout) -> io::Result<()>) -> Result<(), OutputError> {
    let mut output = io::stdout();
    let result = write(&mut output).and_then(|()| output.flush());
    result.map_err(|source| {
        let error = OutputError { source };
        if !error.is_closed_pipe() {
            let kind = error.source.kind();
            let source = match error.source.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => kind.into(),
            };
            let mut lost = LOST.lock().unwrap_or_else(PoisonError::into_inner);
            lost.get_or_insert(OutputError { source });
        }
        error
    })
}

/// See [`json_lines`].
struct JsonLines;

impl Write for JsonLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let lines = String::from_utf8_lossy(bytes);
        match write(|output| output.write_all(printable_json(&lines).as_bytes())) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => Err(error.source),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // after each write
    }
}
