//! `train report`: writes a report about runs.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use anyhow::Context as _;
use command_line::voice;
use events::{Follower, History};
use files::{brief, printable};
use indicatif::{ProgressBar, ProgressStyle};
use report::NamedRun;
use thiserror::Error;

use crate::cli::arguments::follow::{Format, ReportArguments};
use crate::cli::destination::{Destination, is_special};
use crate::cli::display::look;
use crate::cli::find::find_all;

pub(crate) fn run(arguments: &ReportArguments) -> anyhow::Result<()> {
    let format = format(arguments)?;
    let folders = find_all(&arguments.runs, &arguments.place.runs_dir)?;
    let destination = match (&arguments.output, &folders[..]) {
        (Some(output), _) => Destination::of(output),
        (None, [folder]) => Destination::File(folder.join(default_name(format))),
        (None, _) => Destination::File(default_name(format).into()),
    };
    destination.check()?;
    let absolute = folders.iter().map(std::path::absolute);
    let absolute = absolute.collect::<Result<Vec<_>, _>>()?;
    let mut runs = Vec::new();
    for (name, (folder, absolute)) in names(&absolute)
        .into_iter()
        .zip(folders.into_iter().zip(absolute))
    {
        runs.push((name, absolute, read(&folder)?));
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
    let text = match format {
        Format::Html => report::page(&named),
        Format::Markdown => report::markdown(&named),
    };
    destination.write(text.as_bytes())?;
    if let Destination::File(path) = &destination {
        voice::print_line(&path.display().to_string())?;
    }
    Ok(())
}

/// The ending of the file is not a format of reports.
#[derive(Debug, Error)]
#[error(
    "the report {} ends in .{}, but must end in .html or .md",
    brief(&path.display().to_string(), 80),
    brief(ending, 20)
)]
pub(crate) struct WrongEnding {
    path: PathBuf,
    ending: String,
}

impl WrongEnding {
    pub(crate) fn hint(&self) -> String {
        "use one of these endings, or set --format html or --format markdown".to_owned()
    }
}

/// Returns the format given by the flag or the file's ending. Names without an ending, devices and pipes mean HTML.
fn format(arguments: &ReportArguments) -> Result<Format, WrongEnding> {
    if let Some(format) = arguments.format {
        return Ok(format);
    }
    let Some(path) = &arguments.output else {
        return Ok(Format::Html);
    };
    if is_special(path) {
        return Ok(Format::Html);
    }
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    match ending.to_ascii_lowercase().as_str() {
        "" | "html" | "htm" | "xhtml" => Ok(Format::Html),
        "md" | "markdown" | "mdown" | "mkd" => Ok(Format::Markdown),
        _ => Err(WrongEnding {
            path: path.clone(),
            ending: ending.into_owned(),
        }),
    }
}

fn default_name(format: Format) -> &'static str {
    match format {
        Format::Html => "report.html",
        Format::Markdown => "report.md",
    }
}

/// Returns the names of the runs: their folders' names, with parent folders where these are the same.
fn names(folders: &[PathBuf]) -> Vec<String> {
    let name = |folder: &Path, parts: usize| -> String {
        let all: Vec<_> = folder
            .components()
            .filter(|part| matches!(part, Component::Normal(_)))
            .map(|part| part.as_os_str().to_string_lossy())
            .collect();
        all[all.len().saturating_sub(parts)..].join("/")
    };
    let longest = folders.iter().map(|folder| folder.components().count());
    let longest = longest.max().unwrap_or(1);
    let all = |parts: usize| -> Vec<String> {
        folders.iter().map(|folder| name(folder, parts)).collect()
    };
    let are_different = |names: &Vec<String>| {
        let different: HashSet<&String> = names.iter().collect();
        different.len() == names.len()
    };
    let named = (1..longest).map(all).find(are_different);
    named.unwrap_or_else(|| all(1))
}

/// Reads the history of a run; a bar shows the progress of a long one.
pub(crate) fn read(folder: &Path) -> anyhow::Result<History> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_same_name_show_parent_folders() {
        let names =
            |folders: &[&str]| names(&folders.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(
            names(&["/work/runs/mine", "/work/runs/other"]),
            ["mine", "other"]
        );
        assert_eq!(
            names(&["/work/a/mine", "/work/b/mine"]),
            ["a/mine", "b/mine"]
        );
        assert_eq!(
            names(&["/a/runs/mine", "/b/runs/mine"]),
            ["a/runs/mine", "b/runs/mine"]
        );
        assert_eq!(names(&["/mine"]), ["mine"]);
        assert_eq!(names(&["/"]), [""]);
    }

    #[test]
    fn format_follows_file_ending() {
        let format = |output: &str| {
            format(&ReportArguments {
                runs: Vec::new(),
                output: Some(output.into()),
                format: None,
                place: crate::cli::arguments::follow::RunsDir {
                    runs_dir: "runs".into(),
                },
            })
        };
        for html in ["-", "a.html", "a.HTM", "/dev/stdout", "report"] {
            assert_eq!(format(html).unwrap(), Format::Html, "{html}");
        }
        assert_eq!(format("a.md").unwrap(), Format::Markdown);
        let error = format("a.pdf").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the report a.pdf ends in .pdf, but must end in .html or .md"
        );
        let long = format(&format!("{0}.{0}", "x".repeat(3000)))
            .unwrap_err()
            .to_string();
        assert!(long.len() < 300, "{long}");
    }
}
