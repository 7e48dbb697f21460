//! Which model answers.

use infer::SavedModel;

use super::arguments::Arguments;

/// The run that was named, else the newest one, else the shipped model; and where it came from.
pub(crate) fn open_model(arguments: &Arguments) -> anyhow::Result<(SavedModel, String)> {
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
