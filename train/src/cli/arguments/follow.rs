//! Flags of the commands that read runs: `watch`, `runs`, `report` and `export`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, ValueEnum};
use report::runs::{Column, Filter};

const WATCH_EXAMPLES: &str = "\
Examples:
  train watch                        the newest run
  train watch mine                   the run in runs/mine, while it trains or afterwards
  train watch --compare mine other   two runs in the same charts";

/// Show a run on the terminal, save a checkpoint of it or stop it
///
/// The run may be training in another process, or have ended. `?` lists the keys. Without a full-screen terminal,
/// prints a
/// line for each epoch.
#[derive(Debug, Args)]
#[command(after_long_help = WATCH_EXAMPLES)]
pub(crate) struct WatchArguments {
    /// A run's folder, or its name in --runs-dir [default: the newest]
    #[arg(value_name = "RUN")]
    pub run: Option<PathBuf>,

    /// More runs to show in the same charts
    #[arg(long, value_name = "RUN", num_args = 1..)]
    pub compare: Vec<PathBuf>,

    #[command(flatten)]
    pub place: RunsDir,
}

const RUNS_EXAMPLES: &str = "\
Examples:
  train runs                                      the newest first
  train runs --sort accuracy --filter data=cifar10
  train runs --filter state=crashed --filter 'model=resnet*'
  train runs --json";

/// List runs: state, data, model, device, epochs, accuracy, time
///
/// On a narrow terminal, less important columns are shortened or left out, but never the one that runs are
/// sorted by.
#[derive(Debug, Args)]
#[command(after_long_help = RUNS_EXAMPLES)]
pub(crate) struct RunsArguments {
    #[arg(long, value_name = "COLUMN", default_value = "started", help = format!(
        "Sort by {}", Column::ALL.map(Column::name).join(", ")
    ))]
    pub sort: Column,

    /// Reverse the order
    #[arg(long)]
    pub reverse: bool,

    #[arg(long, value_name = "KEY=VALUE", help = format!(
        "Only runs that match: KEY is one of {}. In VALUE, * and ? stand for any characters; of several values for \
         one KEY, one must match",
        Filter::keys()
    ))]
    pub filter: Vec<Filter>,

    /// Print one JSON array instead of a table
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub place: RunsDir,
}

const REPORT_EXAMPLES: &str = "\
Examples:
  train report                                 of the newest run, into its folder
  train report mine                            runs/mine/report.html
  train report mine other --output both.html   two runs side by side
  train report mine --output mine.md           Markdown, for a repository or an issue
  train report mine -o - --format markdown     the same, on standard output";

/// Write a report about a run, or about several side by side
///
/// A self-contained HTML file, or Markdown: curves, confusion matrix, mistakes, settings, timing. Its paths are
/// relative, so
/// that it can be shared.
#[derive(Debug, Args)]
#[command(after_long_help = REPORT_EXAMPLES)]
pub(crate) struct ReportArguments {
    /// Runs' folders, or their names in --runs-dir [default: the newest]
    #[arg(value_name = "RUN")]
    pub runs: Vec<PathBuf>,

    /// File to write, or - for standard output [default: report.html]
    ///
    /// FILE ends in .html or .md, and is replaced if it exists. By default it is in the folder of the run, or in the
    /// current
    /// folder for several runs.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// html or markdown [default: by the ending of --output, or html]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub format: Option<Format>,

    #[command(flatten)]
    pub place: RunsDir,
}

const EXPORT_EXAMPLES: &str = "\
Examples:
  train export mine --tensorboard logs   then: tensorboard --logdir logs
  train export mine --csv tables         tables/mine/steps.csv and others
  train export mine --csv - --table epochs   one table on standard output";

/// Write the metrics of a run for TensorBoard or spreadsheets
#[derive(Debug, Args)]
#[command(after_long_help = EXPORT_EXAMPLES)]
#[command(group = ArgGroup::new("format").args(["tensorboard", "csv"]).required(true).multiple(true))]
pub(crate) struct ExportArguments {
    /// A run's folder, or its name in --runs-dir [default: the newest]
    #[arg(value_name = "RUN")]
    pub run: Option<PathBuf>,

    /// Write event files for TensorBoard, into a folder of the run's name in this one
    #[arg(long, value_name = "DIR")]
    pub tensorboard: Option<PathBuf>,

    /// Write tables for spreadsheets, into a folder of the run's name in this one
    ///
    /// They are steps.csv, epochs.csv, speeds.csv, systems.csv, test.csv, and classes.csv with the test metrics of each
    /// class. With - as the folder, the table that --table names, or epochs, goes to standard output.
    #[arg(long, value_name = "DIR")]
    pub csv: Option<PathBuf>,

    #[arg(long, value_name = "NAME", requires = "csv", value_parser = PossibleValuesParser::new(report::csv::TABLES),
        hide_possible_values = true,
        help = format!("Write only this table: {}", report::csv::TABLES.join(", "))
    )]
    pub table: Option<String>,

    #[command(flatten)]
    pub place: RunsDir,
}

/// Format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Html,
    #[value(alias = "md")]
    Markdown,
}

/// Location of runs.
#[derive(Debug, Args)]
pub(crate) struct RunsDir {
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs_dir: PathBuf,
}
