//! `train convert`: weights from one format to another.

use std::fs;
use std::path::Path;

use infer::foreign::{ForeignError, Import, export, import};
use infer::{DESCRIPTION_FILE, SavedModelError, WEIGHTS_FILE};
use weights::Precision;

use super::arguments::ConvertArguments;
use super::voice::{print_line, warn};

const SAFETENSORS: &str = "safetensors";
/// What files of weights are called that nothing here can write.
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
    // Before anything is read, as that may take a while.
    let extension = output.extension().and_then(|extension| extension.to_str());
    let is_file = extension == Some(SAFETENSORS);
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
    let Import {
        saved,
        layout,
        notes,
        ..
    } = import(input, &weights_flags.options(model.clone()))?;
    for note in &notes {
        warn(note);
    }
    let names = match is_file {
        true => {
            export(&saved, output, precision)?;
            "in PyTorch's names"
        }
        false => {
            fs::create_dir_all(output).map_err(|source| SavedModelError::Write {
                path: output.clone(),
                source,
            })?;
            saved.clone().with_precision(precision)?.write(output)?;
            "as a run"
        }
    };
    print_line(&format!(
        "{} ({}, {layout}) is {} now, {names}",
        input.display(),
        saved.description.model,
        output.display()
    ));
    Ok(())
}

/// Whether something would be lost.
fn is_taken(output: &Path, is_file: bool) -> bool {
    if is_file || !output.is_dir() {
        return output.symlink_metadata().is_ok();
    }
    [WEIGHTS_FILE, DESCRIPTION_FILE]
        .iter()
        .any(|name| output.join(name).symlink_metadata().is_ok())
}
