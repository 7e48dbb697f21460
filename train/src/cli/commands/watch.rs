//! `train watch`: the dashboard of a run that another process trains, or that has ended.

use command_line::started::command_line;
use dashboard::{Command, Mode, Options, Source};
use events::Request;

use crate::cli::arguments::follow::WatchArguments;
use crate::cli::commands::follow::follow;
use crate::cli::display::look;
use crate::cli::display::ui::has_screen;
use crate::cli::find::find_all;

pub(crate) fn run(arguments: &WatchArguments) -> anyhow::Result<()> {
    let runs = arguments.run.iter().chain(&arguments.compare);
    let folders = find_all(runs, &arguments.place.runs_dir)?;
    let sources = folders.iter().map(|folder| Source {
        name: look::name(folder),
        folder: folder.clone(),
        resume: Some(command_line(&["--resume"], folder)),
    });
    let sources = sources.collect();
    if !has_screen() {
        return follow(sources);
    }
    let options = Options::default()
        .with_mode(Mode::Watch)
        .with_theme(look::theme());
    let mut ask = |run: usize, command| match (folders.get(run), request(command)) {
        (Some(folder), Some(request)) => request.send(folder).map_err(|error| match error {
            events::RequestError::Io { ref source, .. } => format!("{error}: {source}"),
            error => error.to_string(),
        }),
        _ => Ok(()),
    };
    dashboard::run(sources, options, &mut ask, &|| false, None)?;
    Ok(())
}

/// Requests to the process that trains.
fn request(command: Command) -> Option<Request> {
    match command {
        Command::Checkpoint => Some(Request::Checkpoint),
        Command::StopAfterEpoch => Some(Request::StopAfterEpoch),
        Command::StopNow => Some(Request::Stop),
        Command::Detach | Command::Quit => None,
    }
}
