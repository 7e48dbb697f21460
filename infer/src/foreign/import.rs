//! A model of a file of weights.

use std::collections::BTreeMap;
use std::path::Path;

use data::Preprocessing;
use model::NetworkConfig;
use weights::{Precision, StateDict, WeightsFile, to_safetensors};

use super::conventions::{Conventions, conventions, source_of};
use super::error::{Differences, ForeignError};
use super::export::DESCRIPTION_KEY;
use super::naming::{Naming, strip};
use super::published::Published;
use super::recognise::{View, name, recognise};
use super::translate::{Problem, translate};
use crate::benchmark::NamedNetwork;
use crate::description::{Accuracy, Description};
use crate::saved::{DESCRIPTION_FILE, SavedModel, WEIGHTS_FILE, check};

/// How a file of weights is to be understood.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The network that it holds, with the channels and classes of the file; recognised from names
    /// and shapes if none.
    pub model: Option<NamedNetwork>,
    /// Length in pixels of a picture's shorter side before the crop, if not the usual: 232 for files
    /// with the names of torchvision's newer weights, else 256 for a crop of 224.
    pub resize: Option<usize>,
}

/// A file of weights, understood.
#[derive(Clone, Debug)]
pub struct Import {
    /// The model. Its description holds what the file says about itself, or else what is usual for
    /// networks of such a shape.
    pub saved: SavedModel,
    /// How the file names its tensors, in words.
    pub layout: &'static str,
    /// Whether neither the file nor its name says how pictures are normalised: what is usual for such
    /// a network is taken then.
    pub is_normalisation_assumed: bool,
}

impl Import {
    /// A sentence on how pictures are normalised, where that is assumed.
    pub fn assumption(&self) -> Option<String> {
        let preprocessing = &self.saved.description.preprocessing;
        let numbers = |values: &[f32]| {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            values.join(" ")
        };
        self.is_normalisation_assumed.then(|| {
            format!(
                "the weights do not say how pictures are normalised: mean {} and standard deviation {}, \
                 {}, are assumed",
                numbers(preprocessing.mean()),
                numbers(preprocessing.std()),
                source_of(preprocessing)
            )
        })
    }
}

/// Makes a model of a file of weights: of `torch.save` or safetensors, in the names of torchvision,
/// timm, Hugging Face's transformers or this project. A run's folder, and the weights in one, are
/// taken with their description.
///
/// # Errors
///
/// If the file cannot be read, holds none of the networks that are known or not the one that was
/// named, or if pictures cannot be brought to it. Every tensor of the file and of the network is
/// accounted for.
pub fn import(path: &Path, options: &ImportOptions) -> Result<Import, ForeignError> {
    if options.model.is_none()
        && let Some(folder) = run_of(path)
    {
        let mut saved = SavedModel::open(folder)?;
        resize(&mut saved.description, options.resize)?;
        return Ok(Import {
            saved,
            layout: Naming::Own.words(),
            is_normalisation_assumed: false,
        });
    }
    let in_folder = path.join(WEIGHTS_FILE);
    let path = match path.is_dir() {
        true => &in_folder,
        false => path,
    };
    let WeightsFile {
        mut state_dict,
        metadata,
        ..
    } = WeightsFile::read(path)?;
    strip(&mut state_dict);
    let unrecognised = |reason: String| ForeignError::Unrecognised {
        path: path.to_owned(),
        reason,
    };
    let naming = Naming::detect(&state_dict)
        .ok_or_else(|| unrecognised("it has no first convolution by any known name".to_owned()))?;
    let described = described(&metadata).filter(|_| options.model.is_none());
    let is_normalisation_assumed = described.is_none() && Published::of_file(path).is_none();
    let description = match described {
        Some(mut description) => {
            resize(&mut description, options.resize)?;
            description
        }
        None => {
            let view = View {
                state_dict: &state_dict,
                naming: &naming,
            };
            let (model, network) = match &options.model {
                Some(named) => {
                    let [channels, classes] = view.ends().map_err(unrecognised)?;
                    let network = named.config.clone().with_classes(classes);
                    (named.name.clone(), network.with_input_channels(channels))
                }
                None => {
                    let network = recognise(&view).map_err(unrecognised)?;
                    (name(&network), network)
                }
            };
            let resize = || Some(Published::of_file(path)?.resize());
            describe(path, model, network, options.resize.or_else(resize))?
        }
    };
    let origin = path.display().to_string();
    let weights = record(state_dict, &naming, &description, &origin)?;
    Ok(Import {
        saved: SavedModel::from_parts(description, weights, origin),
        layout: naming.words(),
        is_normalisation_assumed,
    })
}

/// The run's folder that a path stands for: the folder itself, or that of a record with its
/// description.
fn run_of(path: &Path) -> Option<&Path> {
    if path.is_dir() {
        return Some(path);
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let is_record = path.file_name().is_some_and(|name| name == WEIGHTS_FILE);
    (is_record && folder.join(DESCRIPTION_FILE).is_file()).then_some(folder)
}

/// What a file that we wrote says about itself; from another version it may not be readable, and is
/// then left aside like everything else that files say about themselves.
fn described(metadata: &BTreeMap<String, String>) -> Option<Description> {
    let description = serde_json::from_str(metadata.get(DESCRIPTION_KEY)?).ok()?;
    check(&description).is_ok().then_some(description)
}

fn describe(
    path: &Path,
    model: String,
    network: NetworkConfig,
    resize: Option<usize>,
) -> Result<Description, ForeignError> {
    network.validate().map_err(|source| ForeignError::Config {
        path: path.to_owned(),
        source,
    })?;
    let conventions = conventions(&network, resize);
    let Conventions {
        class_names,
        preprocessing,
        trained_on,
    } = conventions.map_err(|source| ForeignError::Preprocessing {
        model: model.clone(),
        source,
    })?;
    Ok(Description {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        model,
        network,
        class_names,
        preprocessing,
        trained_on,
        epochs: 0,
        accuracy: Accuracy::default(),
    })
}

/// Changes the resize of a description, if another one was chosen.
fn resize(description: &mut Description, resize: Option<usize>) -> Result<(), ForeignError> {
    let Some(resize) = resize else {
        return Ok(());
    };
    let usual = &description.preprocessing;
    let changed = Preprocessing::new(
        usual.shape(),
        resize,
        usual.mean().to_vec(),
        usual.std().to_vec(),
    );
    description.preprocessing = changed.map_err(|source| ForeignError::Preprocessing {
        model: description.model.clone(),
        source,
    })?;
    Ok(())
}

/// The bytes of this project's record.
fn record(
    state_dict: StateDict,
    naming: &Naming,
    description: &Description,
    origin: &str,
) -> Result<Vec<u8>, ForeignError> {
    let content = |source| ForeignError::content(origin, source);
    let own = renamed(state_dict, naming, &Naming::Own, description, origin)?;
    // As burn-store orders them, so that a record that went through other names is the same file.
    let mut tensors: Vec<_> = own.into_iter().collect();
    tensors.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut sorted = StateDict::new();
    for (name, entry) in tensors {
        sorted.insert(name, entry).map_err(content)?;
    }
    let metadata = BTreeMap::from([("format".to_owned(), "burn".to_owned())]);
    to_safetensors(&sorted, &metadata, Precision::Single).map_err(content)
}

/// The tensors of the described network under other names.
pub(super) fn renamed(
    state_dict: StateDict,
    from: &Naming,
    to: &Naming,
    description: &Description,
    origin: &str,
) -> Result<StateDict, ForeignError> {
    let Description { model, network, .. } = description;
    let tensors = model::tensors(network).map_err(|source| ForeignError::Config {
        path: origin.into(),
        source,
    })?;
    translate(state_dict, from, to, &tensors).map_err(|problem| match problem {
        Problem::Differences(differences) => ForeignError::Mismatch {
            origin: origin.to_owned(),
            model: model.clone(),
            classes: network.classes(),
            differences: Differences(differences),
        },
        Problem::Unnamed(tensor) => ForeignError::Unnamed {
            model: model.clone(),
            tensor,
        },
        Problem::Content(source) => ForeignError::content(origin, source),
    })
}
