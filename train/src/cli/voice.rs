//! What the program says.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

static QUIET: AtomicBool = AtomicBool::new(false);

/// From now on, only results, warnings and errors are said.
pub(crate) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Something that is good to know, on standard error.
pub(crate) fn talk(line: &str) {
    if !QUIET.load(Ordering::Relaxed) {
        warn(line);
    }
}

/// Something that must be known, on standard error. A reader that has gone away must not end the run, so
/// errors are let go.
pub(crate) fn warn(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// A result, on standard output; errors are let go here, too.
pub(crate) fn print_line(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
