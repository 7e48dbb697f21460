//! `train watch`: the dashboard of a run that another program trains, or none any more.

use dashboard::{Mode, Options, Source};

use super::find::find_all;
use super::follow_arguments::WatchArguments;
use super::look;

pub(crate) fn run(arguments: &WatchArguments) -> anyhow::Result<()> {
    let runs = arguments.run.iter().chain(&arguments.compare);
    let folders = find_all(runs, &arguments.place.runs_dir)?;
    let sources = folders.into_iter().map(|folder| Source {
        name: look::name(&folder),
        folder,
    });
    let options = Options {
        mode: Mode::Watch,
        theme: look::theme(),
    };
    dashboard::run(sources.collect(), options, &mut |_| {}, &|| false, None)?;
    Ok(())
}
