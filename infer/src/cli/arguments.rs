//! Command-line arguments.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser};
use command_line::flags::WeightsFlags;
use device::DeviceRequest;
use infer::Precision;
use saved_models::InputShape;
use saved_models::NamedNetwork;
use saved_models::foreign::Published;

use super::generate::Generate;

const EXAMPLES: &str = "\
Examples:
  infer image.png                     the best run, or the shipped model before any
  infer --run newest image.png        the newest run, whatever its accuracy
  infer --run runs/mine photos/*.jpg  a run of your choice, many images
  infer --weights resnet50.pth photo.jpg          weights of PyTorch, in names known elsewhere
  infer --pretrained resnet50 photo.jpg           torchvision's weights, downloaded once
  infer --weights w.safetensors --model resnet50a photo.jpg   a network that tensor names do not identify
  infer --json --top-k 3 image.png    for other programs
  infer --bench --model resnet50      how fast a network predicts here
  infer --list-devices                what this program can compute on";

const MAX_PIXELS: NonZeroU64 = NonZeroU64::new(data::DEFAULT_MAX_PIXELS).unwrap();

const MAX_BATCH: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();

/// Predict the class of images with a trained network
#[derive(Debug, Parser)]
#[command(version, after_long_help = EXAMPLES)]
#[command(group = ArgGroup::new("named").args(["bench", "weights"]).multiple(true))]
#[command(group = ArgGroup::new("foreign").args(["weights", "pretrained"]))]
pub(crate) struct Arguments {
    #[arg(
        required_unless_present_any = ["list_devices", "bench"],
        value_name = "IMAGE",
        help = format!("Images: {}", data::IMAGE_FORMATS)
    )]
    pub images: Vec<PathBuf>,

    /// Refuse images with more pixels than this
    #[arg(long, value_name = "N", value_parser = max_pixels, default_value_t = MAX_PIXELS)]
    pub max_pixels: NonZeroU64,

    /// Model to use: best, newest, shipped, or a run [default: best]
    ///
    /// A run is named by its folder, or by its name in --runs-dir.
    ///
    /// best: the highest validation accuracy of the runs on the newest run's data, where sample counts
    /// as a part of fashion-mnist. The shipped model competes if it was trained on such data,
    /// and is used if no run has a model. A newest run without a validation accuracy is used as
    /// it is. newest: the run whose model was written last. shipped: the model of this program. Runs with
    /// a damaged model are skipped. A run that is called best, newest or shipped is named by its folder,
    /// as in `--run runs/best`.
    #[arg(long, value_name = "RUN")]
    pub run: Option<PathBuf>,

    /// Use weights from PyTorch, safetensors or Hugging Face
    ///
    /// A file written by torch.save, a safetensors file, or a folder from the Hugging Face hub.
    ///
    /// The tensors may have the names of torchvision, timm, Hugging Face's transformers, mmpretrain,
    /// weiaicunzai, common CIFAR networks or this project, behind any prefix; the network is recognized
    /// from names and shapes. Further assumptions are printed; --model and the flags under
    /// "Reading weights" override them.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["run", "list_devices"])]
    pub weights: Option<PathBuf>,

    /// ImageNet weights, such as resnet50, downloaded once
    ///
    /// They are torchvision's and are kept in the user's cache folder: resnet18, resnet34, resnet50, resnet101, resnet152, wide_resnet50_2 and others; -v1 after the name selects the older
    /// version
    #[arg(long, value_name = "NAME", conflicts_with_all = ["run", "model", "list_devices"])]
    pub pretrained: Option<Published>,

    /// Network in --weights [default: recognized]
    ///
    /// With --bench alone: an untrained network to measure instead of a run's.
    #[arg(long, value_name = "NAME", requires = "named", conflicts_with_all = ["run", "list_devices"])]
    pub model: Option<NamedNetwork>,

    /// Predict each image as it is, without conversion
    ///
    /// For a model of small gray images, such as the shipped one, images are otherwise converted to look
    /// like its training images if the conversion is certain: light and dark are inverted, a plain margin
    /// is cropped, and the content is scaled and centered. Conversions are printed; images that cannot be
    /// converted get a warning.
    #[arg(long, conflicts_with_all = ["bench", "list_devices"])]
    pub as_is: bool,

    /// Predict each image together with its mirror image, by the mean of their logits
    #[arg(long, conflicts_with_all = ["bench", "list_devices"])]
    pub flip_test: bool,

    /// Predict each image together with two copies shifted by a pixel, by the mean of their logits
    #[arg(long, conflicts_with_all = ["bench", "list_devices"])]
    pub shift_test: bool,

    /// Folder of the runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs_dir: PathBuf,

    /// Number of classes to show, most likely first
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = at_least_one)]
    pub top_k: usize,

    /// Device, such as flex, cuda or cuda:1
    ///
    /// auto, flex, ndarray, wgpu, vulkan, metal, cuda or rocm, with :INDEX for another than the first
    #[arg(long, value_name = "D", default_value = "auto")]
    pub device: DeviceRequest,

    /// CPU threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub threads: Option<usize>,

    /// List the compiled-in backends and the devices found, and exit
    #[arg(long)]
    pub list_devices: bool,

    /// Print the time of each operation at the end
    #[arg(long, conflicts_with_all = ["json", "list_devices"])]
    pub profile: bool,

    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub weights_flags: WeightsFlags,

    #[command(flatten)]
    pub benchmark: Benchmark,

    #[command(flatten)]
    pub generate: Generate,
}

/// Flags of --bench.
///
/// Flags that require `--bench` also exclude the flags it excludes: clap does not report a required
/// flag as missing if it conflicts with another.
#[derive(Debug, Args)]
#[command(next_help_heading = "Measuring")]
pub(crate) struct Benchmark {
    /// Measure the speed of predictions on random images
    #[arg(long, conflicts_with_all = ["images", "list_devices", "top_k"])]
    pub bench: bool,

    /// Shape of the images [default: the network's usual input, such as 3x224x224]
    #[arg(long, value_name = "CxHxW", requires = "bench", conflicts_with_all = ["images", "list_devices"])]
    pub input: Option<InputShape>,

    /// Batch size of a prediction [default: 1]
    #[arg(long, value_name = "N", requires = "bench", conflicts_with_all = ["images", "list_devices"], value_parser = batch)]
    pub batch: Option<NonZeroUsize>,

    /// Numbers to compute with: float32 or int8 [default: those of the model]
    #[arg(long, value_name = "TYPE", requires = "bench", conflicts_with_all = ["images", "list_devices"], value_parser = precision)]
    pub precision: Option<Precision>,

    /// Number of predictions to measure [default: for about 3 seconds, at least 5]
    #[arg(long, value_name = "N", requires = "bench", conflicts_with_all = ["images", "list_devices"])]
    pub repeats: Option<NonZeroUsize>,
}

fn precision(text: &str) -> Result<Precision, String> {
    match text {
        "float32" => Ok(Precision::Float32),
        "int8" => Ok(Precision::Int8),
        _ => Err("known: float32, int8".to_owned()),
    }
}

fn max_pixels(text: &str) -> Result<NonZeroU64, String> {
    let number = NonZeroU64::new(at_least_one(text)? as u64);
    number.ok_or_else(|| "must be at least 1".to_owned())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number >= 1 => Ok(number),
        Ok(_) => Err("must be at least 1".to_owned()),
        Err(error) => Err(format!("{error}")),
    }
}

fn batch(text: &str) -> Result<NonZeroUsize, String> {
    match at_least_one(text)?.try_into() {
        Ok(batch) if batch <= MAX_BATCH => Ok(batch),
        _ => Err(format!("must be at most {MAX_BATCH}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn clap_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn network_flags_require_weights_or_bench() {
        for (arguments, works) in [
            (["--model", "resnet18", "--bench"].as_slice(), true),
            (
                &["--model", "resnet18", "--weights", "a.pth", "a.png"],
                true,
            ),
            (
                &["--model", "resnet18", "--weights", "a.pth", "--bench"],
                true,
            ),
            (&["--model", "resnet18", "a.png"], false),
            (&["--resize", "232", "a.png"], false),
            (&["--pool", "max", "a.png"], false),
            (&["--weights", "a.pth", "--pool", "max", "a.png"], true),
            (&["--weights", "a.pth", "--pool", "mean", "a.png"], false),
            (&["--run", "mine", "--pool", "max", "a.png"], false),
            (&["--weights", "a.pth", "--run", "mine", "a.png"], false),
            (&["--weights", "a.pth"], false),
            (
                &["--pretrained", "resnet50", "--resize", "256", "a.png"],
                true,
            ),
            (&["--pretrained", "resnet20", "a.png"], false),
            (
                &["--pretrained", "resnet50", "--weights", "a.pth", "a.png"],
                false,
            ),
        ] {
            let command = [&["infer"], arguments].concat();
            let parsed = Arguments::try_parse_from(&command);
            assert_eq!(parsed.is_ok(), works, "{arguments:?}");
        }
    }
}
