//! `train convert`: converts weights between formats.

use std::fs;
use std::path::Path;

use command_line::voice::{self, talk, warn};
use saved_models::foreign::{ForeignError, Import, export, exported, import};
use saved_models::{DESCRIPTION_FILE, SavedModelError, WEIGHTS_FILE};
use weights::Precision;

use crate::cli::arguments::ConvertArguments;
use crate::cli::destination::{Destination, is_special};

const SAFETENSORS: &str = "safetensors";
/// Endings of weights files that cannot be written.
const OTHER_FORMATS: [&str; 5] = ["pth", "pt", "bin", "ckpt", "json"];

pub(crate) fn run(arguments: &ConvertArguments) -> anyhow::Result<()> {
    let ConvertArguments {
        input,
        output,
        model,
        half,
        overwrite,
        weights_flags,
    } = arguments;
    let precision = match half {
        true => Precision::Half,
        false => Precision::Single,
    };
    // Checked before reading, which may take a while.
    let extension = output.extension().and_then(|extension| extension.to_str());
    let destination = Destination::of(output);
    let is_file = extension == Some(SAFETENSORS) || is_special(output) || output.is_file();
    if extension.is_some_and(|extension| OTHER_FORMATS.contains(&extension)) {
        return Err(ForeignError::OutputFormat {
            path: output.clone(),
        }
        .into());
    }
    if !overwrite && is_taken(output, is_file) {
        return Err(ForeignError::Exists {
            path: output.clone(),
        }
        .into());
    }
    if is_file {
        destination.check_binary("a file of weights")?;
    }
    let Import {
        saved,
        layout,
        notes,
        ..
    } = import(input, &weights_flags.options(model.clone()))?;
    for note in &notes {
        warn(note);
    }
    let names = match (is_file, &destination) {
        (true, Destination::StandardOutput) => {
            destination.write(&exported(&saved, precision)?)?;
            "in PyTorch's names"
        }
        (true, Destination::File(path)) => {
            export(&saved, path, precision)?;
            "in PyTorch's names"
        }
        (false, _) => {
            fs::create_dir_all(output).map_err(|source| SavedModelError::Write {
                path: output.clone(),
                source,
            })?;
            saved.clone().with_precision(precision)?.write(output)?;
            "as a run"
        }
    };
    let input = input.display();
    let model = &saved.description.model;
    match destination {
        Destination::StandardOutput => talk(&format!(
            "{input} ({model}, {layout}) is on standard output now, {names}"
        )),
        Destination::File(path) => voice::print_line(&format!(
            "{input} ({model}, {layout}) is {} now, {names}",
            path.display()
        ))?,
    }
    Ok(())
}

/// Returns whether writing would destroy data. Devices, pipes and dangling links hold none.
fn is_taken(output: &Path, is_file: bool) -> bool {
    let is_there = || fs::metadata(output).is_ok_and(|found| found.is_file() || found.is_dir());
    if is_file {
        return is_there();
    }
    if !output.is_dir() {
        return output.symlink_metadata().is_ok();
    }
    [WEIGHTS_FILE, DESCRIPTION_FILE]
        .iter()
        .any(|name| output.join(name).symlink_metadata().is_ok())
}
