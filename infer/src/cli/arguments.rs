//! The command line.

use std::path::PathBuf;

use clap::Parser;
use device::DeviceRequest;

const EXAMPLES: &str = "\
Examples:
  infer image.png                     the newest run, or the shipped model before any
  infer --run runs/mine photos/*.jpg  a run of your choice, many pictures
  infer --json --top-k 3 image.png    for other programs
  infer --list-devices                what this program can compute on";

/// Predict the class of pictures with a trained network
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Pictures: PNG, JPEG, WebP or BMP
    #[arg(required_unless_present = "list_devices", value_name = "IMAGE")]
    pub images: Vec<PathBuf>,

    /// Run to use: its folder, or its name in --runs-dir [default: the newest]
    #[arg(long, value_name = "RUN")]
    pub run: Option<PathBuf>,

    /// Folder that holds the runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs_dir: PathBuf,

    /// Classes to show, the likeliest first
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = at_least_one)]
    pub top_k: usize,

    /// auto, flex, ndarray, wgpu, vulkan, metal, cuda or rocm, with :INDEX for another than the first
    #[arg(long, value_name = "D", default_value = "auto")]
    pub device: DeviceRequest,

    /// CPU threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub threads: Option<usize>,

    /// Print what is compiled in and what was found, then end
    #[arg(long)]
    pub list_devices: bool,

    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number >= 1 => Ok(number),
        Ok(_) => Err("must be at least 1".to_owned()),
        Err(error) => Err(format!("{error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
