//! The model of a run's folder, and the changes that flags make to it.

use std::path::Path;

use super::conventions;
use super::error::ForeignError;
use super::hub;
use super::import::Import;
use super::naming::Naming;
use super::options::ImportOptions;
use super::recognize::name;
use crate::described::{DESCRIPTION_FILE, WEIGHTS_FILE};
use crate::description::{Accuracy, Description};
use crate::difference::Differences;
use crate::saved::SavedModel;

/// Returns the run's folder for a path: the folder itself, or the parent of a record with its
/// description.
pub(super) fn run_of(path: &Path) -> Option<&Path> {
    if path.is_dir() {
        let is_other = !path.join(DESCRIPTION_FILE).is_file()
            && (hub::weights_in(path).is_some() || !hub::other_files(path).is_empty());
        return (!is_other).then_some(path);
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let is_record = path.file_name().is_some_and(|name| name == WEIGHTS_FILE);
    (is_record && folder.join(DESCRIPTION_FILE).is_file()).then_some(folder)
}

/// Imports the model of a run, which is fully described.
pub(super) fn run(folder: &Path, options: &ImportOptions) -> Result<Import, ForeignError> {
    let mut saved = SavedModel::open(folder)?;
    let notes = change(&mut saved.description, options)?;
    if !options.changes.is_empty() {
        let network = &saved.description.network;
        let differences = saved.differing_shapes(network)?;
        if !differences.is_empty() {
            return Err(ForeignError::Mismatch {
                origin: folder.join(WEIGHTS_FILE).display().to_string(),
                model: name(network),
                classes: network.classes(),
                differences: Differences(differences),
            });
        }
    }
    Ok(Import {
        saved,
        layout: Naming::own("").words(),
        notes: notes.into_iter().collect(),
        is_backbone: false,
    })
}

/// Changes a description as the options say; returns a sentence on what no longer holds, if
/// anything.
pub(super) fn change(
    description: &mut Description,
    options: &ImportOptions,
) -> Result<Option<String>, ForeignError> {
    let before = description.clone();
    let model = description.model.clone();
    let network = options.changes.apply(description.network.clone());
    description.network = network.map_err(|source| ForeignError::Changes {
        model: model.clone(),
        source,
    })?;
    if description.network != before.network {
        description.model = name(&description.network);
    }
    let preprocessing = conventions::with_options(&description.preprocessing, options);
    description.preprocessing =
        preprocessing.map_err(|source| ForeignError::Preprocessing { model, source })?;
    let is_as_scored =
        description.network == before.network && description.preprocessing == before.preprocessing;
    description.activation = options.activation.unwrap_or(description.activation);
    if is_as_scored {
        return Ok(None);
    }
    description.accuracy = Accuracy::default();
    description.scoring = None;
    let had_accuracy = before.accuracy != Accuracy::default();
    Ok(had_accuracy.then(|| {
        "its accuracy is left out, because it was measured without these flags".to_owned()
    }))
}
