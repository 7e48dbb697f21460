//! Flags of `train study`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use data::Source;
use device::DeviceRequest;
use train::TrainConfig;

use crate::cli::arguments::settings::{source, within};

/// Show why residual networks have shortcuts
///
/// Writes tables, and charts in SVG.
#[derive(Debug, Subcommand)]
pub(crate) enum StudyCommand {
    Degradation(Box<DegradationArguments>),
    Gradients(Box<GradientArguments>),
}

const DEGRADATION_EXAMPLES: &str = "\
Examples:
  train study degradation
  train study degradation --depths 20,32,44,56 --epochs 40
  train study degradation --data sample --depths 8,20 --epochs 2     in a minute or two, without CIFAR-10";

/// Train plain and residual networks of several depths with one recipe, and compare their errors
///
/// All training images are used, with random crops and flips, and errors are those of the last epoch.
/// Without shortcuts, the deeper network has the higher error, on the training images too. The same command
/// resumes a study that was stopped.
#[derive(Debug, Args)]
#[command(after_long_help = DEGRADATION_EXAMPLES)]
pub(crate) struct DegradationArguments {
    /// Layers of the networks, 6n+2
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [20, 56])]
    pub depths: Vec<usize>,

    #[arg(long, value_name = "N", value_parser = within::<usize>("epochs"), default_value_t = 10)]
    pub epochs: usize,

    #[arg(long, value_name = "X", value_parser = within::<f64>("lr"), default_value_t = 0.1)]
    pub lr: f64,

    /// Folder for the table, the chart and the runs
    #[arg(long, value_name = "DIR", default_value = "studies/degradation")]
    pub output: PathBuf,

    #[command(flatten)]
    pub common: CommonArguments,
}

const GRADIENT_EXAMPLES: &str = "\
Examples:
  train study gradients
  train study gradients --depths 20,110 --data sample";

/// Plot the size of the gradient at each layer of plain and residual networks
///
/// The networks are untrained.
#[derive(Debug, Args)]
#[command(after_long_help = GRADIENT_EXAMPLES)]
pub(crate) struct GradientArguments {
    /// Layers of the networks, 6n+2
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [20, 56])]
    pub depths: Vec<usize>,

    /// Number of batches to measure
    #[arg(long, value_name = "N", default_value = "8")]
    pub batches: NonZeroUsize,

    /// Folder for the table and the chart
    #[arg(long, value_name = "DIR", default_value = "studies/gradients")]
    pub output: PathBuf,

    #[command(flatten)]
    pub common: CommonArguments,
}

/// Flags of all studies.
#[derive(Debug, Args)]
pub(crate) struct CommonArguments {
    #[arg(long, value_name = "DATA", value_parser = source, default_value = "cifar10")]
    data: Source,

    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    #[arg(long, value_name = "N", value_parser = within::<NonZeroUsize>("batch_size"), default_value = "128")]
    batch_size: NonZeroUsize,

    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    #[arg(long, value_name = "N", value_parser = within::<usize>("threads"))]
    threads: Option<usize>,

    #[arg(long, value_name = "D", default_value = "auto")]
    device: DeviceRequest,
}

impl CommonArguments {
    /// Returns a recipe with these settings.
    pub(crate) fn over(&self, recipe: TrainConfig) -> TrainConfig {
        recipe
            .with_data(self.data.clone())
            .with_data_dir(self.data_dir.clone())
            .with_batch_size(self.batch_size)
            .with_seed(self.seed)
            .with_threads(self.threads)
            .with_device(self.device)
    }
}
