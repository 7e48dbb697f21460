//! `train export`: a run's figures for other programs.

use infer::voice;

use super::find::{find, newest};
use super::follow_arguments::ExportArguments;
use super::look;
use super::report::read;

pub(crate) fn run(arguments: &ExportArguments) -> anyhow::Result<()> {
    let runs_dir = &arguments.place.runs_dir;
    let folder = match &arguments.run {
        Some(run) => find(run, runs_dir)?,
        None => newest(runs_dir)?,
    };
    let history = read(&folder)?;
    // A name that `.` has, too.
    let name = look::name(&std::path::absolute(&folder)?);
    if let Some(target) = &arguments.tensorboard {
        let written = report::tensorboard::write(target, &name, &history)?;
        voice::print(&written.display().to_string())?;
    }
    if let Some(target) = &arguments.csv {
        for written in report::csv::write(target, &name, &history)? {
            voice::print(&written.display().to_string())?;
        }
    }
    Ok(())
}
