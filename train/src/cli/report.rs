//! `train report`: a page about runs.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use events::{Follower, History};
use files::write_atomically;
use indicatif::{ProgressBar, ProgressStyle};
use report::NamedRun;

use super::find::find_all;
use super::follow_arguments::ReportArguments;
use super::look;
use super::voice::print_line;

/// What a page is called.
const PAGE: &str = "report.html";

pub(crate) fn run(arguments: &ReportArguments) -> anyhow::Result<()> {
    let mut runs = Vec::new();
    for folder in find_all(&arguments.runs, &arguments.place.runs_dir)? {
        let history = read(&folder)?;
        let absolute = std::path::absolute(&folder)?;
        runs.push((look::name(&folder), folder, absolute, history));
    }
    let named: Vec<NamedRun> = runs
        .iter()
        .map(|(name, _, absolute, history)| NamedRun {
            name,
            folder: absolute,
            history,
            is_running: events::is_locked(absolute),
        })
        .collect();
    let output = match (&arguments.output, &runs[..]) {
        (Some(output), _) => output.clone(),
        (None, [(_, folder, _, _)]) => folder.join(PAGE),
        (None, _) => PathBuf::from(PAGE),
    };
    let page = report::page(&named);
    write_atomically(&output, page.as_bytes())
        .with_context(|| format!("cannot write {}", output.display()))?;
    print_line(&output.display().to_string());
    Ok(())
}

/// Everything that happened in a run; a long one takes a while, and a bar says so.
pub(super) fn read(folder: &Path) -> anyhow::Result<History> {
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {percent:>3} %")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    let bar = ProgressBar::new(100).with_style(style);
    bar.set_message(format!("reading {}", look::name(folder)));
    let mut follower = Follower::open(folder);
    follower
        .poll_with(&mut |share| bar.set_position((100.0 * share) as u64))
        .with_context(|| format!("cannot read {}", folder.join(events::FILE).display()))?;
    bar.finish_and_clear();
    Ok(follower.into_history())
}
