//! The `train` program: arguments in, a run out.

#![expect(clippy::print_stderr, reason = "this is the outermost layer")]

mod cli;

use std::process::ExitCode;

use clap::Parser as _;
use dashboard::DashboardError;
use infer::benchmark::ProgramStart;
use infer::console;
use train::{ConfigError, TrainError};

use crate::cli::arguments::Arguments;
use crate::cli::broken::BrokenOff;
use crate::cli::program::{self, WrongFlag};

/// What to do where a screen cannot be shown.
fn no_screen(error: &DashboardError) -> Option<String> {
    matches!(error, DashboardError::NoTerminal)
        .then(|| "`train runs` prints a table, `train report RUN` writes a page".to_owned())
}

fn main() -> ExitCode {
    let start = ProgramStart::here();
    match program::run(Arguments::parse(), &start) {
        Ok(code) => code,
        Err(error) => {
            let hint = error
                .downcast_ref::<TrainError>()
                .and_then(TrainError::hint)
                .or_else(|| {
                    error
                        .downcast_ref::<ConfigError>()
                        .and_then(ConfigError::hint)
                })
                .or_else(|| error.downcast_ref::<WrongFlag>().and_then(WrongFlag::hint))
                .or_else(|| error.downcast_ref::<DashboardError>().and_then(no_screen))
                .or_else(|| error.downcast_ref().map(BrokenOff::hint))
                .or_else(|| console::hint(&error));
            eprintln!("{}", console::message(&error, hint.as_deref()));
            match error.downcast_ref::<WrongFlag>() {
                Some(_) => ExitCode::from(console::WRONG_USAGE),
                None => console::exit_code(&error),
            }
        }
    }
}
