//! `train export`: metrics of a run for other programs.

use anyhow::Context as _;
use clap::error::ErrorKind;
use command_line::voice;

use crate::cli::arguments::follow::ExportArguments;
use crate::cli::arguments::help::command;
use crate::cli::commands::report::read;
use crate::cli::destination::Destination;
use crate::cli::display::look;
use crate::cli::find::{find, newest};

/// Table written to standard output if none is given.
const FIRST_TABLE: &str = "epochs";

pub(crate) fn run(arguments: &ExportArguments) -> anyhow::Result<()> {
    let runs_dir = &arguments.place.runs_dir;
    let folder = match &arguments.run {
        Some(run) => find(run, runs_dir)?,
        None => newest(runs_dir)?,
    };
    let history = read(&folder)?;
    // Gives `.` a name, too.
    let name = look::name(&std::path::absolute(&folder)?);
    if let Some(target) = &arguments.tensorboard {
        if target.as_os_str() == "-" {
            let message = "files for TensorBoard are written into a folder, not to standard output";
            command().error(ErrorKind::InvalidValue, message).exit()
        }
        let written = report::tensorboard::write(target, &name, &history)?;
        voice::print_line(&written.display().to_string())?;
    }
    let Some(target) = &arguments.csv else {
        return Ok(());
    };
    let table = arguments.table.as_deref();
    if target.as_os_str() == "-" {
        let table = table.unwrap_or(FIRST_TABLE);
        let mut text = Vec::new();
        report::csv::write_table(table, &history, &mut text).context("cannot write the table")?;
        return Destination::StandardOutput.write(&text);
    }
    for written in report::csv::write(target, &name, table, &history)? {
        voice::print_line(&written.display().to_string())?;
    }
    Ok(())
}
