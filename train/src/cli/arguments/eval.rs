//! Flags of `train eval`.

use std::path::PathBuf;

use clap::Args;
use device::DeviceRequest;
use train::SetPart;

use crate::cli::arguments::subject::SubjectFlags;

const EXAMPLES: &str = "\
Examples:
  train eval                                   the newest run, on its test images
  train eval runs/mine --split validation
  train eval runs/mine --data folder:more-photos
  train eval runs/mine/raw                     the weights beside the average of --ema
  train eval --weights resnet50.pth --data folder:imagenet --batch-size 16
  train eval runs/mine --json";

/// Evaluate a model on test images
///
/// Loss, top-1, top-5, calibration, and metrics of each class.
///
/// Also saves the result as JSON in the run's folder; for --weights only with --output.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct EvalArguments {
    #[command(flatten)]
    pub subject: SubjectFlags,

    /// Part of the data: test, validation (held out by the run) or train
    #[arg(long, value_name = "PART", value_parser = part, default_value = "test")]
    pub split: SetPart,

    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub flip_test: Option<bool>,

    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub shift_test: Option<bool>,

    /// JSON file to write, or - for standard output
    ///
    /// [default: eval-DATA-SPLIT.json, with -flip or -shift before the ending with --flip-test or --shift-test, in the
    /// run's folder, with a number if a file with other data, seed or fraction exists; none for --weights]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    #[arg(long, value_name = "D", default_value = "auto")]
    pub device: DeviceRequest,

    /// Print the JSON instead of text
    #[arg(long)]
    pub json: bool,
}

fn part(text: &str) -> Result<SetPart, String> {
    SetPart::ALL
        .into_iter()
        .find(|part| part.name() == text)
        .ok_or_else(|| format!("known: {}", SetPart::ALL.map(SetPart::name).join(", ")))
}
