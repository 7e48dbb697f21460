//! Flags of `train data`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser as _};
use clap::{ArgGroup, Args};
use data::Source;

use crate::cli::arguments::recipe;
use crate::cli::arguments::settings::{source, within};
use crate::cli::destination::is_special;

const EXAMPLES: &str = "\
Examples:
  train data sample
  train data folder:photos --sheet photos.png
  train data folder:photos --labels labels.csv
  train data cifar10 --data-dir ~/data --sheet cifar10.png --examples 20
  train data cifar10 --sheet changed.png --augmented --pad-crop 4 --flip
  train data folder:photos --sheet changed.png --augmented --config mine.toml
  train data mnist --sheet changed.png --augmented --recipe mnist
  train data mnist --json";

/// Show what a data set holds
///
/// Classes, brightness, duplicates, and images that cannot be read.
///
/// Missing published data sets are downloaded. Opens every image, but keeps none of a folder in
/// memory. Counts files in class folders that are not images.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
#[command(group = ArgGroup::new("changes").args(["config", "recipe", "pad_crop", "flip"]).multiple(true))]
pub(crate) struct DataArguments {
    #[arg(value_name = "DATA", value_parser = source)]
    pub data: Source,

    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,

    #[arg(long, value_name = "N", value_parser = within::<usize>("image_size"))]
    pub image_size: Option<usize>,

    #[arg(long, value_name = "N", value_parser = within::<NonZeroU64>("max_pixels"))]
    pub max_pixels: Option<NonZeroU64>,

    /// Seed of the test split of a folder without one, and of augmentation [default: 1, or that of --config or
    /// --recipe]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Draw training images as a PNG, with a row for each class
    ///
    /// FILE ends in .png, or is - for standard output. Rows are in the order of the table, at most 100. Unreadable
    /// images are left out.
    #[arg(long, value_name = "FILE", value_parser = PathBufValueParser::new().try_map(png))]
    pub sheet: Option<PathBuf>,

    /// Images in a row of the sheet, at most 100
    #[arg(long, value_name = "N", default_value = "10", requires = "sheet")]
    pub examples: NonZeroUsize,

    /// Draw images as augmented in the first epoch
    #[arg(long, requires_all = ["sheet", "changes"])]
    pub augmented: bool,

    /// TOML file with settings, of which [augmentation], `seed` and `normalize` are used
    #[arg(
        long,
        value_name = "FILE",
        requires = "augmented",
        conflicts_with = "recipe"
    )]
    pub config: Option<PathBuf>,

    /// Recipe whose augmentation is used
    #[arg(long, value_name = "NAME", requires = "augmented", value_parser = recipe)]
    pub recipe: Option<String>,

    #[arg(long, value_name = "N", value_parser = within::<usize>("pad_crop"), requires = "augmented")]
    pub pad_crop: Option<usize>,

    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", requires = "augmented")]
    pub flip: Option<bool>,

    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

fn png(path: PathBuf) -> Result<PathBuf, &'static str> {
    let is_png = |ending: &std::ffi::OsStr| ending.eq_ignore_ascii_case("png");
    match path.extension().is_some_and(is_png) || is_special(&path) {
        true => Ok(path),
        false => Err("a sheet is written as PNG: its name must end in .png"),
    }
}
