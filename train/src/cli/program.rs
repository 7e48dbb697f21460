//! Dispatch from arguments to a command or to training.

use std::process::ExitCode;

use command_line::benchmark::ProgramStart;
use command_line::environment;
use command_line::voice::{self, be_quiet};

use crate::cli::arguments::help;
use crate::cli::arguments::{Arguments, Command};
use crate::cli::commands::{
    benchmark, convert, eval, export, quantize, report, runs, study, summary, survey, watch,
};
use crate::cli::display::launcher;
use crate::cli::display::signals::Signals;
use crate::cli::display::ui::Shown;
use crate::cli::prepare::start_threads;
use crate::cli::training::new_or_resumed;

pub(crate) fn run(arguments: Arguments, start: &ProgramStart) -> anyhow::Result<ExitCode> {
    environment::prepare()?;
    let trains =
        arguments.command.is_none() && !arguments.benchmark.bench && !arguments.list_devices;
    let silent = arguments.json || arguments.quiet;
    if trains
        && Shown::new(arguments.ui, silent) == Shown::Dashboard
        && let Some(code) = launcher::launch()?
    {
        return Ok(code);
    }
    let signals = Signals::install()?;
    if arguments.quiet {
        be_quiet();
    }
    if arguments.list_devices {
        start_threads(None)?;
        voice::print(device::table(&device::list_devices()).trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }

    if let Some(command) = &arguments.command {
        match command {
            Command::Summary(arguments) => summary::run(arguments)?,
            Command::Eval(arguments) => eval::run(arguments)?,
            Command::Quantize(arguments) => quantize::run(arguments)?,
            Command::Watch(arguments) => watch::run(arguments)?,
            Command::Study(command) => return study::run(command, &signals),
            Command::Completions(arguments) => help::print_completions(arguments)?,
            Command::Man(arguments) => help::run_man(arguments)?,
            command => {
                start_threads(None)?;
                without_device(command)?;
            }
        }
        return Ok(ExitCode::SUCCESS);
    }

    let profile = arguments.profile;
    if profile {
        ops::profile::start();
    }
    let result = if arguments.benchmark.bench {
        benchmark::run(arguments, start).map(|()| ExitCode::SUCCESS)
    } else {
        new_or_resumed(arguments, &signals)
    };
    if profile {
        voice::print(&format!("\n{}", ops::profile::stop().table().trim_end()))?;
    }
    result
}

/// Commands whose work needs threads, but no device.
fn without_device(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Data(arguments) => survey::run(arguments),
        Command::Runs(arguments) => runs::run(arguments),
        Command::Report(arguments) => report::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Convert(arguments) => convert::run(arguments),
        _ => Ok(()),
    }
}
