//! Finds weights in a folder, and reads the configuration of Hugging Face Hub folders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use data::Preprocessing;
use model::{BottleneckStride, NetworkChanges, NetworkConfig};
use serde_json::Value;

use super::document::{Document, wrong};
use super::error::ForeignError;
use super::processor::{Prepared, Processor};
use crate::described::{DESCRIPTION_FILE, WEIGHTS_FILE};
use crate::description::Activation;

pub(super) const CONFIG_FILE: &str = "config.json";
const PROCESSOR_FILE: &str = "preprocessor_config.json";
const INDEX_END: &str = ".index.json";
/// Names of weights files, in the order in which they are tried.
const WEIGHTS_FILES: [&str; 4] = [
    WEIGHTS_FILE,
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];
const MAX_SHARDS: usize = 1000;

/// The weights files of one network, and the documents next to them.
#[derive(Debug)]
pub(super) struct Location {
    /// The given path, or the file found in the given folder.
    pub path: PathBuf,
    /// The files to read.
    pub files: Vec<PathBuf>,
    /// The configuration of a Hub folder.
    pub config: Option<Config>,
    pub processor: Option<Processor>,
}

impl Location {
    /// Finds the weights of a path: a file, the shards of an index, or a folder's contents.
    pub(super) fn find(path: &Path) -> Result<Self, ForeignError> {
        let path = match path.is_dir() {
            true => weights_in(path).unwrap_or_else(|| path.join(WEIGHTS_FILE)),
            false => path.to_owned(),
        };
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or_default();
        let files = match name.ends_with(INDEX_END) {
            true => shards(&path)?,
            false => vec![path.clone()],
        };
        if let Some(shards) = shards_by_name(name)
            && shards > 1
        {
            return Err(ForeignError::Shard { path, shards });
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let is_of_folder =
            WEIGHTS_FILES.contains(&name) && !folder.join(DESCRIPTION_FILE).is_file();
        let (config, processor) = match is_of_folder {
            true => (
                read(&folder.join(CONFIG_FILE), Config::read)?,
                read(&folder.join(PROCESSOR_FILE), Processor::of_transformers)?,
            ),
            false => (None, None),
        };
        Ok(Self {
            path,
            files,
            config,
            processor,
        })
    }
}

/// Returns the weights in a folder, if they have a usual name.
pub(super) fn weights_in(folder: &Path) -> Option<PathBuf> {
    WEIGHTS_FILES
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.symlink_metadata().is_ok())
}

/// Returns the files that may be meant in a folder without weights of a usual name: files with a
/// weights extension, or else a configuration.
pub(super) fn other_files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    let ends = [
        ".pth",
        ".pt",
        ".bin",
        ".ckpt",
        ".safetensors",
        ".tar",
        "index.json",
    ];
    let holds_weights = |name: &&String| ends.iter().any(|end| name.ends_with(end));
    let found: Vec<String> = names.iter().filter(holds_weights).cloned().collect();
    match found.is_empty() && names.iter().any(|name| name == CONFIG_FILE) {
        true => vec![CONFIG_FILE.to_owned()],
        false => found,
    }
}

/// Reads a document, if it exists, with the given function.
fn read<T>(
    path: &Path,
    of: impl FnOnce(&Path, Document) -> Result<T, ForeignError>,
) -> Result<Option<T>, ForeignError> {
    Document::read(path)?
        .map(|document| of(path, document))
        .transpose()
}

/// Returns the number of shards if a file is named like one, such as
/// `model-00001-of-00003.safetensors`.
fn shards_by_name(name: &str) -> Option<usize> {
    let (stem, _) = name.rsplit_once('.')?;
    let (rest, shards) = stem.rsplit_once("-of-")?;
    let (_, number) = rest.rsplit_once('-')?;
    let is_number =
        |digits: &str| digits.len() == 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(number) && is_number(shards)).then(|| shards.parse().ok())?
}

/// Returns the files next to an index that it names.
fn shards(path: &Path) -> Result<Vec<PathBuf>, ForeignError> {
    let Some(mut document) = Document::read(path)? else {
        return Err(wrong(path, "it is missing".to_owned()));
    };
    let map: Option<BTreeMap<String, String>> =
        document.take("weight_map", "an object with a file for each tensor")?;
    let damaged = |reason: &str| wrong(path, reason.to_owned());
    let map = map.ok_or_else(|| damaged("it has no `weight_map`"))?;
    let names: BTreeSet<String> = map.into_values().collect();
    if names.is_empty() || names.len() > MAX_SHARDS {
        return Err(damaged("it names no files, or too many"));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    names
        .into_iter()
        .map(|name| {
            // An index is untrusted and may only name files in its own folder.
            let mut parts = Path::new(&name).components();
            match (parts.next(), parts.next()) {
                (Some(Component::Normal(_)), None) => Ok(folder.join(&name)),
                _ => Err(damaged("it names a file outside of its folder")),
            }
        })
        .collect()
}

/// The relevant part of a `config.json`: transformers' `ResNetConfig`, or timm's.
#[derive(Debug)]
pub(super) struct Config {
    path: PathBuf,
    id2label: Option<BTreeMap<String, String>>,
    label_names: Option<Vec<String>>,
    problem_type: Option<String>,
    hidden_act: Option<String>,
    downsample_in_first_stage: bool,
    downsample_in_bottleneck: bool,
    model_type: Option<String>,
    /// timm's name of the network.
    architecture: Option<String>,
    /// How timm prepares images.
    timm: Option<Processor>,
}

impl Config {
    fn read(path: &Path, mut document: Document) -> Result<Self, ForeignError> {
        let timm = match document.value("pretrained_cfg") {
            Some(Value::Object(values)) => Processor::of_timm(path, Document::new(path, values))?,
            _ => None,
        };
        let mut flag = |key: &str| -> Result<bool, ForeignError> {
            Ok(document.take(key, "true or false")?.unwrap_or_default())
        };
        let downsample_in_first_stage = flag("downsample_in_first_stage")?;
        let downsample_in_bottleneck = flag("downsample_in_bottleneck")?;
        let mut text = |key: &str| document.take(key, "text");
        Ok(Self {
            path: path.to_owned(),
            problem_type: text("problem_type")?,
            hidden_act: text("hidden_act")?,
            model_type: text("model_type")?,
            architecture: text("architecture")?,
            id2label: document.take("id2label", "an object with a name for each class")?,
            label_names: document.take("label_names", "a list of names")?,
            downsample_in_first_stage,
            downsample_in_bottleneck,
            timm,
        })
    }

    /// Returns whether it describes a network of transformers, whose details are then known.
    pub(super) fn is_resnet(&self) -> bool {
        self.model_type.as_deref() == Some("resnet")
    }

    /// Fails if timm's network name implies layers without weights that are not supported here,
    /// such as blur pools.
    pub(super) fn check_architecture(&self) -> Result<(), String> {
        match &self.architecture {
            Some(name) if !is_known_architecture(name) => Err(format!(
                "its config.json names architecture {}, which is not supported; if its layers \
                 match another network, name that with --model",
                weights::shown(name)
            )),
            _ => Ok(()),
        }
    }

    /// Returns the details of the network that names and shapes do not show.
    ///
    /// # Errors
    ///
    /// Describes what cannot be built here.
    pub(super) fn changes(&self) -> Result<NetworkChanges, String> {
        if !self.is_resnet() {
            return Ok(NetworkChanges::default());
        }
        if self.downsample_in_first_stage {
            return Err("its first stage has a stride, which is not supported".to_owned());
        }
        match self.hidden_act.as_deref() {
            None | Some("relu") => {}
            Some(other) => {
                return Err(format!(
                    "its activation is {}, but only ReLU is supported",
                    weights::shown(other)
                ));
            }
        }
        let stride = self.downsample_in_bottleneck;
        Ok(NetworkChanges::default()
            .with_bottleneck_stride(stride.then_some(BottleneckStride::First)))
    }

    /// Returns the names of all classes, if the configuration has them.
    pub(super) fn class_names(&self, classes: usize) -> Option<Vec<String>> {
        let names = match (&self.id2label, &self.label_names) {
            (Some(labels), _) => {
                let names = (0..classes).map(|class| labels.get(&class.to_string()).cloned());
                names.collect::<Option<Vec<_>>>()?
            }
            (None, Some(names)) => names.clone(),
            (None, None) => return None,
        };
        (names.len() == classes).then_some(names)
    }

    /// Returns a sentence on class names that do not match the network's outputs.
    pub(super) fn wrong_class_names(&self, classes: usize) -> Option<String> {
        let (key, names) = match (&self.id2label, &self.label_names) {
            (Some(labels), _) => ("id2label", labels.len()),
            (None, Some(names)) => ("label_names", names.len()),
            (None, None) => return None,
        };
        let taken = match self.class_names(classes) {
            Some(_) if names == classes => return None,
            Some(_) => "only the first are used",
            None => "none are used",
        };
        Some(format!(
            "`{key}` in config.json names {names} classes, but the network has {classes} outputs: \
             {taken}"
        ))
    }

    pub(super) fn activation(&self) -> Option<Activation> {
        match self.problem_type.as_deref()? {
            "multi_label_classification" => Some(Activation::Sigmoid),
            "single_label_classification" => Some(Activation::Softmax),
            _ => None,
        }
    }

    /// Fails if the outputs are quantities, not probabilities.
    pub(super) fn check_outputs(&self) -> Result<(), ForeignError> {
        match self.problem_type.as_deref() {
            Some("regression") => Err(ForeignError::Regression {
                path: self.path.clone(),
            }),
            _ => Ok(()),
        }
    }
}

/// Returns whether a timm name stands for a network that can be built here: `resnet18d`,
/// `gluon_resnet50_v1c`, `tv_resnext50_32x4d`, `wide_resnet50_2`.
fn is_known_architecture(name: &str) -> bool {
    let name = name.split('.').next().unwrap_or_default();
    let name = ["tv_", "gluon_", "ig_", "ssl_", "swsl_"]
        .iter()
        .find_map(|program| name.strip_prefix(program))
        .unwrap_or(name);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_width = |text: &str| {
        let (groups, width) = text.split_once('x').unwrap_or_default();
        is_number(groups) && width.strip_suffix('d').is_some_and(is_number)
    };
    if let Some(layers) = name.strip_prefix("resnext") {
        let (layers, width) = layers.split_once('_').unwrap_or_default();
        return is_number(layers.trim_end_matches('d')) && is_width(width);
    }
    if let Some(layers) = name.strip_prefix("wide_resnet") {
        let (layers, factor) = layers.split_once('_').unwrap_or_default();
        return is_number(layers) && is_number(factor);
    }
    let Some(layers) = name.strip_prefix("resnet") else {
        return false;
    };
    let variants = ["_v1b", "_v1c", "_v1d", "b", "c", "d"];
    let variant = variants.iter().find_map(|end| layers.strip_suffix(end));
    is_number(variant.unwrap_or(layers))
}

/// Returns the preprocessing that a folder specifies for a network. `usual` supplies what the
/// folder does not specify. `is_resized` means that the image size is given elsewhere.
pub(super) fn prepared(
    location: &Location,
    network: &NetworkConfig,
    usual: &Preprocessing,
    is_resized: bool,
) -> Result<Option<Prepared>, ForeignError> {
    let of_timm = location
        .config
        .as_ref()
        .and_then(|config| config.timm.as_ref());
    location
        .processor
        .as_ref()
        .or(of_timm)
        .map(|processor| processor.prepared(network.input_channels(), usual, is_resized))
        .transpose()
}

#[cfg(test)]
mod tests;
