//! `train runs`: a table of runs.

use std::io::{self, IsTerminal as _};

use command_line::started::with_commands;
use command_line::voice::{self, talk};
use files::printable;
use report::runs::{find, listing, listing_within, matches_all, sort};

use crate::cli::arguments::follow::RunsArguments;

pub(crate) fn run(arguments: &RunsArguments) -> anyhow::Result<()> {
    let runs_dir = &arguments.place.runs_dir;
    let mut runs = match find(runs_dir) {
        // A missing folder is like one without runs.
        Err(error) if error.source.kind() == io::ErrorKind::NotFound => Vec::new(),
        found => found?,
    };
    let all = runs.len();
    runs.retain(|run| matches_all(&arguments.filter, run));
    let column = arguments.sort;
    sort(
        &mut runs,
        column,
        column.is_descending() != arguments.reverse,
    );
    if arguments.json {
        voice::print_json(&serde_json::to_string_pretty(&runs)?)?;
        return Ok(());
    }
    if runs.is_empty() {
        talk(&match all {
            0 => format!(
                "there are no runs in {} yet: start one with {}, or name another folder with \
                 --runs-dir",
                printable(&runs_dir.display().to_string()),
                with_commands("`train`")
            ),
            all => format!(
                "none of {all} runs in {} matches the filters",
                runs_dir.display()
            ),
        });
        return Ok(());
    }
    let table = match terminal_width() {
        Some(width) => listing_within(&runs, column, width),
        None => listing(&runs),
    };
    Ok(voice::print(table.trim_end())?)
}

/// Returns the width of the terminal in columns if standard output is one.
fn terminal_width() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    let (width, _) = crossterm::terminal::size().ok()?;
    (width > 0).then_some(usize::from(width))
}
