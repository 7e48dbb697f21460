//! Export to a file for other programs.

use std::collections::BTreeMap;
use std::path::Path;

use model::NetworkConfig;
use weights::{ContentError, Precision, StateDict, WeightsFile, to_safetensors, write_safetensors};

use super::error::ForeignError;

use super::naming::Naming;
use super::rebuild::renamed;
use crate::saved::SavedModel;

/// Metadata key of the description in exported files, so that a round trip loses nothing.
pub(super) const DESCRIPTION_KEY: &str = "resnet.description";

/// Writes a model as safetensors under torchvision's names, or timm's where torchvision has none:
/// `load_state_dict` accepts what `safetensors.torch.load_file` reads, even with `strict=True`.
/// [`import`](super::import()) restores the same model, bit for bit at full precision. The file is
/// written completely or not at all; an existing file is replaced.
///
/// # Errors
///
/// If the weights are damaged, the network orders its layers in a way that torchvision does not, or
/// the file cannot be written.
pub fn export(saved: &SavedModel, path: &Path, precision: Precision) -> Result<(), ForeignError> {
    let (state_dict, metadata) = content(saved)?;
    Ok(write_safetensors(path, &state_dict, &metadata, precision)?)
}

/// Returns the bytes that [`export`] writes.
///
/// # Errors
///
/// Like [`export`], except for writing the file.
pub fn exported(saved: &SavedModel, precision: Precision) -> Result<Vec<u8>, ForeignError> {
    let (state_dict, metadata) = content(saved)?;
    to_safetensors(&state_dict, &metadata, precision)
        .map_err(|source| ForeignError::content(saved.origin(), source))
}

/// Returns the tensors under their names in the file, and the file's metadata.
fn content(saved: &SavedModel) -> Result<(StateDict, BTreeMap<String, String>), ForeignError> {
    let description = &saved.description;
    let NetworkConfig::Resnet(config) = &description.network else {
        return Err(ForeignError::Unnamed {
            model: description.model.clone(),
            tensor: "convolution1.weight".to_owned(),
        });
    };
    let (bytes, origin) = (saved.floats()?, saved.origin());
    let content = |source: ContentError| ForeignError::content(origin, source);
    let file = WeightsFile::from_bytes(&bytes).map_err(content)?;
    let naming = Naming::torchvision(config);
    let state_dict = renamed(
        file.state_dict,
        &Naming::own(""),
        &naming,
        description,
        origin,
    )?;
    let text = serde_json::to_string(description).map_err(|error| {
        content(ContentError::Safetensors {
            reason: error.to_string(),
        })
    })?;
    // transformers requires the framework whose layout the tensors have.
    let metadata = BTreeMap::from([
        ("format".to_owned(), "pt".to_owned()),
        (DESCRIPTION_KEY.to_owned(), text),
    ]);
    Ok((state_dict, metadata))
}
