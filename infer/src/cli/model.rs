//! Which model answers.

use infer::SavedModel;
use infer::foreign::{Import, import};
use infer::{terminal, voice};

use super::arguments::Arguments;

/// The weights that were named, or the run, else the newest one, else the shipped model; and where it came from.
pub(crate) fn open_model(arguments: &Arguments) -> anyhow::Result<(SavedModel, String)> {
    let downloaded = arguments.pretrained.map(terminal::fetch).transpose()?;
    if let Some(file) = arguments.weights.as_ref().or(downloaded.as_ref()) {
        let options = arguments.weights_flags.options(arguments.model.clone());
        let Import {
            saved,
            layout,
            notes,
            ..
        } = import(file, &options)?;
        // How fast a network is does not depend on them.
        if !arguments.benchmark.bench {
            for note in notes {
                voice::warn(&note);
            }
        }
        return Ok((saved, format!("{}, {layout}", file.display())));
    }
    let folder = match &arguments.run {
        Some(run) => Some(infer::find_run(run, &arguments.runs_dir)?),
        None => infer::newest_run(&arguments.runs_dir)?,
    };
    Ok(match folder {
        Some(folder) => (SavedModel::open(&folder)?, folder.display().to_string()),
        None => (
            SavedModel::shipped()?,
            "shipped with this program, because there is no run yet; train one with `cargo run -p train`".to_owned(),
        ),
    })
}
