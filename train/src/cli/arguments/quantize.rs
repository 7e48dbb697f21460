//! Flags of `train quantize`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use crate::cli::arguments::subject::SubjectFlags;

const EXAMPLES: &str = "\
Examples:
  train quantize                               the newest run, as its folder with -int8 at the end
  train quantize runs/mine --output runs/small
  train quantize runs/mine --images 2000       more images to measure ranges on
  train quantize --weights resnet50.pth --data folder:imagenet --output runs/resnet50-int8
  infer --run runs/mine-int8 photo.jpg         predicts with it";

/// Round a model to 8-bit integers
///
/// Predictions on a CPU become faster, and files a quarter as large. Every CPU gives the same answers.
///
/// Ranges of values are measured on training images. The rule for them with the most similar predictions is used, and
/// biases make up for the rounding of weights. Prints what the test images say before and after.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct QuantizeArguments {
    #[command(flatten)]
    pub subject: SubjectFlags,

    /// Number of training images to measure ranges on
    #[arg(long, value_name = "N", default_value = "512")]
    pub images: NonZeroUsize,

    /// Folder to write, like a run's [default: the run's folder, or the file's name, with -int8]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Replace the model in --output if there is one
    #[arg(long)]
    pub overwrite: bool,

    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}
