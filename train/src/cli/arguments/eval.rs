//! Flags of `train eval`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use command_line::flags::WeightsFlags;
use data::Source;
use device::DeviceRequest;
use saved_models::NamedNetwork;
use train::SetPart;

use crate::cli::arguments::settings::{source, within};

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
#[command(group = ArgGroup::new("which").args(["run", "weights"]))]
#[command(group = ArgGroup::new("foreign").args(["weights"]))]
pub(crate) struct EvalArguments {
    /// A run's folder, or its name in --runs-dir [default: the newest run]
    #[arg(value_name = "RUN")]
    pub run: Option<PathBuf>,

    /// Evaluate weights instead of a run
    ///
    /// A file written by torch.save, or safetensors, as for `infer --weights`. A run's own file uses the run's
    /// settings.
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,

    /// Network in --weights [default: recognized]
    #[arg(
        long,
        value_name = "NAME",
        requires = "weights",
        conflicts_with = "run"
    )]
    pub model: Option<NamedNetwork>,

    #[command(flatten)]
    pub weights_flags: WeightsFlags,

    #[arg(long, value_name = "DATA", value_parser = source)]
    pub data: Option<Source>,

    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    #[arg(long, value_name = "N", value_parser = within::<NonZeroU64>("max_pixels"))]
    pub max_pixels: Option<NonZeroU64>,

    /// Part of the data: test, validation (held out by the run) or train
    #[arg(long, value_name = "PART", value_parser = part, default_value = "test")]
    pub split: SetPart,

    /// Seed of the test split of a folder without one, and of the validation split [default: the run's own, or 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    #[arg(long, value_name = "X", value_parser = within::<f64>("validation"))]
    pub validation: Option<f64>,

    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub flip_test: Option<bool>,

    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub shift_test: Option<bool>,

    #[arg(long, value_name = "N", value_parser = within::<NonZeroUsize>("batch_size"), default_value = "64")]
    pub batch_size: NonZeroUsize,

    /// JSON file to write, or - for standard output
    ///
    /// [default: eval-DATA-SPLIT.json, with -flip or -shift before the ending with --flip-test or --shift-test, in the
    /// run's folder, with a number if a file with other data, seed or fraction exists; none for --weights]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    #[arg(long, value_name = "N", value_parser = within::<usize>("threads"))]
    pub threads: Option<usize>,

    #[arg(long, value_name = "D", default_value = "auto")]
    pub device: DeviceRequest,

    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs_dir: PathBuf,

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
