//! Start and end of the programs: arguments, error messages and exit codes.

use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

use data::{DataError, ImageError};
use device::{DeviceError, MORE_THREADS, ThreadsError};
use files::{brief, sentence, without_number, write_hint};

use crate::benchmark::BenchmarkError;
use crate::environment::EnvironmentError;
use crate::started;
use crate::usage;
use crate::voice::{self, OutputError};
use saved_models::SavedModelError;
use saved_models::foreign::{ForeignError, PublishedError};

/// Maximum length of a hint in characters. It may name files and their URLs.
const LONGEST_HINT: usize = 1000;
/// Exit code for failures.
pub const FAILED: u8 = 1;
/// Exit code for usage errors.
pub const WRONG_USAGE: u8 = 2;
/// Exit code after Ctrl-C, following the convention of shells.
pub const INTERRUPTED: u8 = 130;

/// Parses the program's arguments with `command`, whose help may differ from that of `A`. If the
/// arguments are invalid or ask for help, prints the error or the help and returns the exit code.
///
/// # Errors
///
/// The exit code that the program must end with.
pub fn parse<A: clap::FromArgMatches>(mut command: clap::Command) -> Result<A, ExitCode> {
    let matches = command.try_get_matches_from_mut(std::env::args_os());
    let arguments = matches.and_then(|matches| A::from_arg_matches(&matches));
    arguments.map_err(|error| match error.format(&mut command) {
        error if error.use_stderr() => {
            usage::complain(error);
            ExitCode::from(WRONG_USAGE)
        }
        error => {
            let has_examples = error.to_string().contains("\nExamples:\n");
            let note = started::note_on_examples().filter(|_| has_examples);
            let printed = voice::print_with(|| error.print())
                .and_then(|()| note.map_or(Ok(()), |note| voice::print(&format!("\n{note}"))));
            let result = printed.map(|()| ExitCode::SUCCESS).map_err(Into::into);
            conclude(result, |_| None, exit_code)
        }
    })
}

/// Ends a program: prints its error, or that a result could not be written, and returns its exit
/// code. A reader that stops reading early is not a failure.
pub fn conclude(
    result: anyhow::Result<ExitCode>,
    hint: impl Fn(&anyhow::Error) -> Option<String>,
    exit_code: impl Fn(&anyhow::Error) -> ExitCode,
) -> ExitCode {
    let lost = voice::finish();
    let result = match (result, lost) {
        (Ok(_), Err(lost)) => Err(lost.into()),
        (result, _) => result,
    };
    match result {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            voice::complain(&message(&error, hint(&error).as_deref()));
            exit_code(&error)
        }
    }
}

/// Returns whether the reader of standard output stopped early, as `head` does.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<OutputError>()
        .is_some_and(OutputError::is_closed_pipe)
}

/// Returns the hint of an error from any crate of this project.
pub fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        cause
            .downcast_ref::<SavedModelError>()
            .and_then(SavedModelError::hint)
            .or_else(|| {
                cause
                    .downcast_ref::<ForeignError>()
                    .and_then(ForeignError::hint)
            })
            .or_else(|| {
                cause
                    .downcast_ref::<PublishedError>()
                    .and_then(PublishedError::hint)
            })
            .or_else(|| {
                cause
                    .downcast_ref::<BenchmarkError>()
                    .and_then(BenchmarkError::hint)
            })
            .or_else(|| {
                cause
                    .downcast_ref::<ImageError>()
                    .and_then(ImageError::hint)
            })
            .or_else(|| cause.downcast_ref::<DataError>().and_then(DataError::hint))
            .or_else(|| {
                cause
                    .downcast_ref::<DeviceError>()
                    .and_then(DeviceError::hint)
            })
            .or_else(|| {
                cause
                    .downcast_ref::<ThreadsError>()
                    .and_then(ThreadsError::hint)
            })
            .or_else(|| {
                cause
                    .downcast_ref::<EnvironmentError>()
                    .map(EnvironmentError::hint)
            })
            .or_else(|| {
                let error = cause.downcast_ref::<io::Error>()?;
                match error.kind() {
                    io::ErrorKind::WouldBlock => Some(MORE_THREADS.to_owned()),
                    _ => write_hint(error).map(str::to_owned),
                }
            })
    })
}

/// Formats an error for the user: one [`sentence`], and the hint on its own line, with commands that
/// work the way the program was started.
pub fn message(error: &anyhow::Error, hint: Option<&str>) -> String {
    // Writing to a string cannot fail.
    let mut text = format!("error: {error}");
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Many errors already include their cause.
        if !text.contains(&cause) {
            let _ = write!(text, ": {cause}");
        }
    }
    let text = sentence(&without_number(&text));
    match hint {
        Some(hint) => {
            let hint = format!("hint: {}", started::with_commands(hint));
            format!("{text}\n{}", brief(&hint, LONGEST_HINT))
        }
        None => text,
    }
}

/// Returns the exit code of an error. Naming something invalid is a usage error: an unusable
/// device, an environment variable, images that do not suit the measured network, an impossible
/// size or format. All other errors are failures.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    let wrong_input = matches!(
        error.downcast_ref::<BenchmarkError>(),
        Some(BenchmarkError::Input { .. })
    );
    let wrong_call = error
        .downcast_ref::<ForeignError>()
        .is_some_and(ForeignError::is_wrong_usage);
    let wrong_environment = error.is::<EnvironmentError>();
    if wrong_input || wrong_call || wrong_environment || error.is::<DeviceError>() {
        ExitCode::from(WRONG_USAGE)
    } else {
        ExitCode::from(FAILED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;
    use std::io;

    #[test]
    fn error_causes_are_not_repeated() {
        let write = SavedModelError::Write {
            path: "runs/mine/model.json".into(),
            source: io::ErrorKind::StorageFull.into(),
        };
        let error = Err::<(), _>(write).context("cannot finish").unwrap_err();
        assert_eq!(
            message(&error, Some("free some space")),
            "error: cannot finish: cannot write runs/mine/model.json: no storage space\nhint: free some space"
        );
    }

    #[test]
    fn os_error_numbers_are_removed() {
        let error = SavedModelError::Read {
            path: "runs/mine/model.json".into(),
            source: io::Error::from_raw_os_error(13),
        };
        let text = message(&error.into(), None);
        assert!(
            text.contains("model.json") && !text.contains("os error"),
            "{text}"
        );
    }

    #[test]
    fn names_are_escaped_for_terminal() {
        let error = anyhow::anyhow!("a\u{1b}[31mred/1.png\nerror: is not an image");
        assert_eq!(
            message(&error, Some("delete a\u{1b}[31mred")),
            "error: a\\u{1b}[31mred/1.png\\nerror: is not an image\nhint: delete a\\u{1b}[31mred"
        );
    }
}
