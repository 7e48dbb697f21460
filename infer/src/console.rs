//! The voice of the programs: how errors are put and which exit code they get. Nothing is printed
//! here.

use std::fmt::Write as _;
use std::process::ExitCode;

use data::{DataError, PictureError};
use device::DeviceError;
use files::{sentence, without_number};

use crate::benchmark::BenchmarkError;
use crate::error::SavedModelError;
use crate::foreign::{ForeignError, PublishedError};

/// Exit code for what went wrong.
pub const FAILED: u8 = 1;
/// Exit code for a program that was called wrongly.
pub const WRONG_USAGE: u8 = 2;
/// Exit code after Ctrl-C, as shells count it.
pub const INTERRUPTED: u8 = 130;

/// The way out of an error of any crate of this project.
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
                    .downcast_ref::<PictureError>()
                    .and_then(PictureError::hint)
            })
            .or_else(|| cause.downcast_ref::<DataError>().and_then(DataError::hint))
            .or_else(|| {
                cause
                    .downcast_ref::<DeviceError>()
                    .and_then(DeviceError::hint)
            })
    })
}

/// An error as the user reads it: one [`sentence`], and the way out on a line of its own.
pub fn message(error: &anyhow::Error, hint: Option<&str>) -> String {
    // Writing to a string cannot fail.
    let mut text = format!("error: {error}");
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Many errors already say their cause.
        if !text.contains(&cause) {
            let _ = write!(text, ": {cause}");
        }
    }
    let text = sentence(&without_number(&text));
    match hint {
        Some(hint) => format!("{text}\n{}", sentence(&format!("hint: {hint}"))),
        None => text,
    }
}

/// What was named wrongly is wrong usage: a device that cannot be used, images that a network cannot be
/// measured with, a size or a format that cannot be. All else failed.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    let wrong_input = matches!(
        error.downcast_ref::<BenchmarkError>(),
        Some(BenchmarkError::Input { .. })
    );
    let wrong_call = error
        .downcast_ref::<ForeignError>()
        .is_some_and(ForeignError::is_wrong_usage);
    if wrong_input || wrong_call || error.is::<DeviceError>() {
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
    fn causes_are_said_once() {
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
    fn numbers_of_the_system_are_left_out() {
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
    fn names_do_not_act_on_the_terminal() {
        let error = anyhow::anyhow!("a\u{1b}[31mred/1.png\nerror: is not a picture");
        assert_eq!(
            message(&error, Some("delete a\u{1b}[31mred")),
            "error: a\\u{1b}[31mred/1.png\\nerror: is not a picture\nhint: delete a\\u{1b}[31mred"
        );
    }
}
