//! The command line.

pub(crate) mod eval;
pub(crate) mod follow;
pub(crate) mod help;
pub(crate) mod quantize;
pub(crate) mod settings;
pub(crate) mod study;
pub(crate) mod subject;
pub(crate) mod survey;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand};
use command_line::flags::WeightsFlags;
use saved_models::InputShape;
use saved_models::NamedNetwork;
use train::{ConfigError, OptimizerKind, TrainConfig};

use crate::cli::arguments::eval::EvalArguments;
use crate::cli::arguments::follow::{
    ExportArguments, ReportArguments, RunsArguments, WatchArguments,
};
use crate::cli::arguments::help::{CompletionsArguments, ManArguments};
use crate::cli::arguments::quantize::QuantizeArguments;
use crate::cli::arguments::settings::{Settings, optimizer, within};
use crate::cli::arguments::study::StudyCommand;
use crate::cli::arguments::survey::DataArguments;
use crate::cli::display::ui::Ui;

const EXAMPLES: &str = "\
Examples:
  train                                       the built-in sample, in a minute or two
  train --data folder:photos --epochs 20      your own images, one folder for each class
  train --data folder:photos --labels labels.csv   images in one folder, a table of names and labels
  train --data cifar10 --data-dir ~/data --model resnet20 --batch-size 128 --epochs 60
  train --data folder:photos --pretrained resnet50 --freeze   from ImageNet's weights, a new head
  train --recipe cifar10-resnet20 --seed 2    settings that were found to be good
  train --config mine.toml --lr 0.05          settings from a file, one of them changed
  train --resume runs/mine --epochs 40        continue an earlier run
  train watch                                 the newest run on this terminal, while it trains elsewhere
  train runs                                  a table of all runs
  train report                                a page about the newest run, to read and to send
  train data folder:photos --sheet photos.png   what a data set holds
  train summary resnet50                      what a network consists of and costs
  train eval runs/mine                        what a model is worth, class by class
  train convert runs/mine mine.safetensors    weights for PyTorch, or from it
  train quantize runs/mine                    integers of 8 bits, for faster predictions on a CPU
  train study degradation                     why shortcuts: deep networks with and without
  train --bench --model resnet50 --batch-size 8   how fast a training step is here
  train --list-devices                        what this program can compute on";

/// Train a residual network
///
/// Settings come from --config or --recipe; without them, the sample uses its recipe, and other data the defaults
/// below, with flips and crops for folder:PATH. Flags override them, and all settings are saved in the run's folder.
/// Ctrl-C saves everything and ends the run after the current step.
#[derive(Debug, Parser)]
#[command(version, after_long_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,

    #[arg(long, value_name = "NAME", conflicts_with = "resume", value_parser = recipe,
        help = "Settings that work well, such as cifar10-resnet20",
        long_help = format!(
            "Settings that work well, which flags change: {}",
            train::recipe_names().join(", ")
        )
    )]
    pub recipe: Option<String>,

    /// TOML file with settings, such as a run's config.toml
    ///
    /// Keys are the flags' names with _ for -. Augmentation is under [augmentation], and loading under
    /// [loader].
    #[arg(long, value_name = "FILE", conflicts_with_all = ["resume", "recipe"])]
    pub config: Option<PathBuf>,

    /// Resume a run from its last checkpoint
    ///
    /// The run is named by its folder, or by its name in --runs-dir.
    /// If its images were moved, --data, --data-dir and --labels give their new location.
    #[arg(long, value_name = "RUN")]
    pub resume: Option<PathBuf>,

    #[command(flatten)]
    pub settings: Settings,

    /// Print the time of each operation at the end
    #[arg(long, conflicts_with_all = ["list_devices", "json"])]
    pub profile: bool,

    /// How to show the run: dashboard, lines, or burn (burn-train's own dashboard)
    /// [default: dashboard on a terminal, lines elsewhere]
    #[arg(long, value_name = "SCREEN", hide_possible_values = true, conflicts_with_all = ["json", "quiet"])]
    pub ui: Option<Ui>,

    /// Print JSON instead of text: a line for every event of the run, or one object with --bench
    #[arg(long)]
    pub json: bool,

    /// Print only results, warnings and errors
    #[arg(short, long)]
    pub quiet: bool,

    /// List the compiled-in backends and the devices found, and exit
    #[arg(long)]
    pub list_devices: bool,

    #[command(flatten)]
    pub benchmark: Benchmark,
}

/// Name of a recipe, checked here for a better message.
pub(super) fn recipe(text: &str) -> Result<String, ConfigError> {
    TrainConfig::recipe(text).map(|_| text.to_owned())
}

/// All commands except training, each with a summary that fits a line of `-h`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Summary(Box<SummaryArguments>),
    Data(Box<DataArguments>),
    Eval(Box<EvalArguments>),
    Watch(Box<WatchArguments>),
    Runs(Box<RunsArguments>),
    Report(Box<ReportArguments>),
    Export(Box<ExportArguments>),
    Convert(Box<ConvertArguments>),
    Quantize(Box<QuantizeArguments>),
    #[command(subcommand)]
    Study(StudyCommand),
    Completions(CompletionsArguments),
    Man(ManArguments),
}

const CONVERT_EXAMPLES: &str = "\
Examples:
  train convert runs/mine mine.safetensors       a run for PyTorch
  train convert resnet50.pth runs/resnet50       PyTorch's weights as a run, for infer --run
  train convert old.pth new.safetensors          one of PyTorch's formats to another
  train convert runs/mine small --half           a run with weights of half the size
  train convert runs/mine - > mine.safetensors   to standard output

In PyTorch:
  network.load_state_dict(safetensors.torch.load_file(\"mine.safetensors\"))";

/// Convert weights between runs, PyTorch's files and safetensors
///
/// The tensors of a file may have the names of torchvision, timm, Hugging Face's transformers,
/// mmpretrain, weiaicunzai, common CIFAR networks or this project, behind any prefix. All tensors are
/// accounted for, and the round trip is lossless. Only a single sigmoid output is changed: it becomes
/// two softmax outputs.
#[derive(Debug, Args)]
#[command(after_long_help = CONVERT_EXAMPLES)]
#[command(group = ArgGroup::new("foreign").args(["input"]))]
pub(crate) struct ConvertArguments {
    /// A run's folder, or a file of weights
    #[arg(value_name = "IN")]
    pub input: PathBuf,

    /// NAME.safetensors, or - for standard output: a file with torchvision's names, or timm's where torchvision has
    /// none. Other names: a folder with model.safetensors and model.json, like a run's
    #[arg(value_name = "OUT")]
    pub output: PathBuf,

    /// Network in IN, with IN's channels and classes [default: as stored in IN, or recognized from names
    /// and shapes]
    #[arg(long, value_name = "NAME")]
    pub model: Option<NamedNetwork>,

    /// Write weights as float16, except vectors: half the size, nearly the same predictions
    #[arg(long)]
    pub half: bool,

    /// Replace OUT if it exists
    #[arg(long)]
    pub overwrite: bool,

    #[command(flatten)]
    pub weights_flags: WeightsFlags,
}

const SUMMARY_EXAMPLES: &str = "\
Examples:
  train summary resnet50
  train summary resnet20 --input 1x28x28 --batch-size 128
  train summary wide_resnet50_2 --optimizer adamw --json";

/// Print a network layer by layer
///
/// Prints shapes, parameters, multiply-adds and the memory of training.
#[derive(Debug, Args)]
#[command(after_long_help = SUMMARY_EXAMPLES)]
pub(crate) struct SummaryArguments {
    /// Name of the network, as for --model
    #[arg(value_name = "NAME")]
    pub model: NamedNetwork,

    /// Shape of the images [default: the network's usual input, such as 3x224x224]
    #[arg(long, value_name = "CxHxW")]
    pub input: Option<InputShape>,

    /// Number of classes [default: the network's own]
    #[arg(long, value_name = "N")]
    pub classes: Option<usize>,

    #[arg(long, value_name = "N", value_parser = within::<NonZeroUsize>("batch_size"), default_value = "32")]
    pub batch_size: NonZeroUsize,

    #[arg(long, value_name = "NAME", value_parser = optimizer, default_value = "sgd")]
    pub optimizer: OptimizerKind,

    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// Flags of --bench.
#[derive(Debug, Args)]
#[command(next_help_heading = "Measuring")]
pub(crate) struct Benchmark {
    /// Measure the speed of a training step on random images, without a run
    #[arg(long)]
    pub bench: bool,

    /// Shape of the images [default: the network's usual input, such as 3x224x224]
    #[arg(long, value_name = "CxHxW", requires = "bench")]
    pub input: Option<InputShape>,

    /// Number of classes [default: the network's own]
    #[arg(long, value_name = "N", requires = "bench")]
    pub classes: Option<usize>,

    /// Number of steps to measure [default: for about 3 seconds, at least 5]
    #[arg(long, value_name = "N", requires = "bench")]
    pub repeats: Option<NonZeroUsize>,
}

#[cfg(test)]
mod tests {
    use crate::cli::arguments::help;

    #[test]
    fn clap_definition_is_consistent() {
        help::command().debug_assert();
    }
}
