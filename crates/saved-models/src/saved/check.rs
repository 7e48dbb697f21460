//! Whether a description can be used.

use crate::description::{Accuracy, Description};

/// Maximum length of a network's name in bytes.
const MAX_NAME_BYTES: usize = 1024;

/// Checks a description, which a program writes but a person may edit.
pub(crate) fn check(description: &Description) -> Result<(), String> {
    let Description {
        network,
        class_names,
        preprocessing,
        ..
    } = description;
    network.validate().map_err(|error| error.to_string())?;
    if network.classes() < 2 {
        return Err("its network has one class, so there is nothing to predict".to_owned());
    }
    if description.model.len() > MAX_NAME_BYTES {
        return Err(format!(
            "its network's name has {} bytes, more than {MAX_NAME_BYTES}",
            description.model.len()
        ));
    }
    if class_names.len() != network.classes() {
        return Err(format!(
            "it names {} classes for a network of {}",
            class_names.len(),
            network.classes()
        ));
    }
    if preprocessing.channels() != network.input_channels() {
        return Err(format!(
            "it prepares {} channels for a network of {}",
            preprocessing.channels(),
            network.input_channels()
        ));
    }
    let Accuracy { validation, test } = description.accuracy;
    for share in [validation, test].into_iter().flatten() {
        if !(0.0..=1.0).contains(&share) {
            return Err(format!(
                "its accuracy is {share}, but must be between 0 and 1"
            ));
        }
    }
    if description
        .images
        .as_ref()
        .is_some_and(|look| !look.is_valid())
    {
        return Err("a share under `images` must be between 0 and 1".to_owned());
    }
    network
        .check_input(preprocessing.height(), preprocessing.width())
        .map_err(|error| error.to_string())
}
