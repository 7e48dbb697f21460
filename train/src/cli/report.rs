//! `train report`: a page about runs.

use std::path::Path;

use anyhow::Context as _;
use events::{Follower, History};
use files::printable;
use indicatif::{ProgressBar, ProgressStyle};
use infer::voice;
use report::NamedRun;

use super::destination::Destination;
use super::find::find_all;
use super::follow_arguments::ReportArguments;
use super::look;

/// What a page is called.
const PAGE: &str = "report.html";

pub(crate) fn run(arguments: &ReportArguments) -> anyhow::Result<()> {
    let folders = find_all(&arguments.runs, &arguments.place.runs_dir)?;
    let destination = match (&arguments.output, &folders[..]) {
        (Some(output), _) => Destination::of(output),
        (None, [folder]) => Destination::File(folder.join(PAGE)),
        (None, _) => Destination::File(PAGE.into()),
    };
    destination.check()?;
    let mut runs = Vec::new();
    for folder in folders {
        let history = read(&folder)?;
        let absolute = std::path::absolute(&folder)?;
        runs.push((look::name(&folder), absolute, history));
    }
    let named: Vec<NamedRun> = runs
        .iter()
        .map(|(name, absolute, history)| NamedRun {
            name,
            folder: absolute,
            history,
            is_running: events::is_locked(absolute),
        })
        .collect();
    destination.write(report::page(&named).as_bytes())?;
    if let Destination::File(path) = &destination {
        voice::print(&path.display().to_string())?;
    }
    Ok(())
}

/// Everything that happened in a run; a long one takes a while, and a bar says so.
pub(super) fn read(folder: &Path) -> anyhow::Result<History> {
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {percent:>3} %")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    let bar = ProgressBar::new(100).with_style(style);
    bar.set_message(format!("reading {}", printable(&look::name(folder))));
    let mut follower = Follower::open(folder);
    follower
        .poll_with(&mut |share| bar.set_position((100.0 * share) as u64))
        .with_context(|| format!("cannot read {}", folder.join(events::FILE).display()))?;
    bar.finish_and_clear();
    Ok(follower.into_history())
}
