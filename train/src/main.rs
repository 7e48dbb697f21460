//! The `train` program.

mod cli;

use std::process::ExitCode;

use command_line::benchmark::ProgramStart;
use command_line::console;
use dashboard::DashboardError;
use train::{ConfigError, TrainError};

use crate::cli::arguments::Arguments;
use crate::cli::arguments::help;
use crate::cli::commands::report::WrongEnding;
use crate::cli::destination::DestinationError;
use crate::cli::display::broken::BrokenOff;
use crate::cli::prepare::WrongFlag;
use crate::cli::program;

/// Returns a hint if the dashboard has no terminal to be shown on.
fn no_screen(error: &DashboardError) -> Option<String> {
    matches!(error, DashboardError::NoTerminal)
        .then(|| "`train runs` prints a table, `train report RUN` writes a page".to_owned())
}

/// Returns a hint on how to fix an error of this program or of any crate.
fn hint(error: &anyhow::Error) -> Option<String> {
    error
        .downcast_ref::<TrainError>()
        .and_then(TrainError::hint)
        .or_else(|| {
            error
                .downcast_ref::<ConfigError>()
                .and_then(ConfigError::hint)
        })
        .or_else(|| error.downcast_ref::<WrongFlag>().and_then(WrongFlag::hint))
        .or_else(|| {
            error
                .downcast_ref::<DestinationError>()
                .and_then(DestinationError::hint)
        })
        .or_else(|| error.downcast_ref::<DashboardError>().and_then(no_screen))
        .or_else(|| error.downcast_ref().map(BrokenOff::hint))
        .or_else(|| error.downcast_ref().map(WrongEnding::hint))
        .or_else(|| console::hint(error))
}

fn exit_code(error: &anyhow::Error) -> ExitCode {
    let wrong_destination = error
        .downcast_ref::<DestinationError>()
        .is_some_and(DestinationError::is_wrong_usage);
    match wrong_destination || error.is::<WrongFlag>() || error.is::<WrongEnding>() {
        true => ExitCode::from(console::WRONG_USAGE),
        false => console::exit_code(error),
    }
}

fn main() -> ExitCode {
    let start = ProgramStart::here();
    match console::parse::<Arguments>(help::command()) {
        Ok(arguments) => {
            let result = program::run(arguments, &start);
            console::conclude(result, hint, exit_code)
        }
        Err(code) => code,
    }
}
