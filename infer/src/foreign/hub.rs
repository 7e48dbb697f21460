//! Where weights lie in a folder, and what a folder of Hugging Face's hub says of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};

use data::Preprocessing;
use model::{BottleneckStride, NetworkChanges, NetworkConfig};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::ForeignError;
use crate::description::Activation;
use crate::saved::{DESCRIPTION_FILE, WEIGHTS_FILE};

const CONFIG_FILE: &str = "config.json";
const PROCESSOR_FILE: &str = "preprocessor_config.json";
const INDEX_END: &str = ".index.json";
/// Names of weights in a folder, in the order in which they are looked for.
const WEIGHTS_FILES: [&str; 4] = [
    WEIGHTS_FILE,
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];
const MAX_SHARDS: usize = 1000;

/// Files with the weights of one network, and what lies next to them.
#[derive(Debug)]
pub(super) struct Location {
    /// What was named, or the file in the folder that was named.
    pub path: PathBuf,
    /// The files to read.
    pub files: Vec<PathBuf>,
    /// A folder of the hub with its configuration.
    pub config: Option<Config>,
    pub processor: Option<Processor>,
}

impl Location {
    /// A file, the shards of an index, or what a folder holds.
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
                document(&folder.join(CONFIG_FILE))?,
                document(&folder.join(PROCESSOR_FILE))?,
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

/// The weights that a folder holds, if they have a usual name.
pub(super) fn weights_in(folder: &Path) -> Option<PathBuf> {
    WEIGHTS_FILES
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.symlink_metadata().is_ok())
}

/// The number of shards if a file is one of them by its name, such as
/// `model-00001-of-00003.safetensors`.
fn shards_by_name(name: &str) -> Option<usize> {
    let (stem, _) = name.rsplit_once('.')?;
    let (rest, shards) = stem.rsplit_once("-of-")?;
    let (_, number) = rest.rsplit_once('-')?;
    let is_number =
        |digits: &str| digits.len() == 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(number) && is_number(shards)).then(|| shards.parse().ok())?
}

/// The files that an index names, next to it.
fn shards(path: &Path) -> Result<Vec<PathBuf>, ForeignError> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let index: Option<Index> = document(path)?;
    let damaged = |reason: &str| ForeignError::Document {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let Some(index) = index else {
        return Err(ForeignError::Document {
            path: path.to_owned(),
            reason: "it is not there".to_owned(),
        });
    };
    let names: BTreeSet<String> = index.weight_map.into_values().collect();
    if names.is_empty() || names.len() > MAX_SHARDS {
        return Err(damaged("it names no files, or too many"));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    names
        .into_iter()
        .map(|name| {
            // An index may come from anywhere, and names files of its own folder.
            let mut parts = Path::new(&name).components();
            match (parts.next(), parts.next()) {
                (Some(Component::Normal(_)), None) => Ok(folder.join(&name)),
                _ => Err(damaged("it names a file outside of its folder")),
            }
        })
        .collect()
}

/// A JSON document; none if there is no such file.
fn document<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ForeignError> {
    let failed = |reason: String| ForeignError::Document {
        path: path.to_owned(),
        reason,
    };
    match files::read_file(path, files::MAX_DOCUMENT_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error.to_string())),
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| failed(error.to_string())),
    }
}

/// What of a `config.json` matters here: transformers' `ResNetConfig`, and timm's.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    id2label: Option<BTreeMap<String, String>>,
    label_names: Option<Vec<String>>,
    problem_type: Option<String>,
    hidden_act: Option<String>,
    downsample_in_first_stage: bool,
    downsample_in_bottleneck: bool,
    model_type: Option<String>,
    pretrained_cfg: Option<TimmConfig>,
}

/// How timm prepares images.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TimmConfig {
    mean: Option<Vec<f32>>,
    std: Option<Vec<f32>>,
    input_size: Option<[usize; 3]>,
    crop_pct: Option<f64>,
}

impl Config {
    /// Whether it describes a network of transformers, whose details are then known.
    pub(super) fn is_resnet(&self) -> bool {
        self.model_type.as_deref() == Some("resnet")
    }

    /// What of the network names and shapes do not tell.
    ///
    /// # Errors
    ///
    /// In words, what cannot be built here.
    pub(super) fn changes(&self) -> Result<NetworkChanges, String> {
        if !self.is_resnet() {
            return Ok(NetworkChanges::default());
        }
        if self.downsample_in_first_stage {
            return Err("its first stage has a stride, which no network has here".to_owned());
        }
        match self.hidden_act.as_deref() {
            None | Some("relu") => {}
            Some(other) => {
                return Err(format!(
                    "its activation is {}, where ReLU is known",
                    weights::shown(other)
                ));
            }
        }
        let stride = self.downsample_in_bottleneck;
        Ok(NetworkChanges {
            bottleneck_stride: stride.then_some(BottleneckStride::First),
            ..NetworkChanges::default()
        })
    }

    /// The names of all classes, if they are there.
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

    pub(super) fn activation(&self) -> Option<Activation> {
        match self.problem_type.as_deref()? {
            "multi_label_classification" => Some(Activation::Sigmoid),
            "single_label_classification" => Some(Activation::Softmax),
            _ => None,
        }
    }

    /// How timm prepares images, in the terms of transformers.
    fn processor(&self) -> Option<Processor> {
        let timm = self.pretrained_cfg.as_ref()?;
        let [_, height, _] = timm.input_size?;
        Some(Processor {
            size: Some(Size::Edge(height)),
            crop_pct: Some(timm.crop_pct.unwrap_or(0.875)),
            image_mean: timm.mean.clone(),
            image_std: timm.std.clone(),
            ..Processor::default()
        })
    }
}

/// What of a `preprocessor_config.json` matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Processor {
    image_processor_type: Option<String>,
    feature_extractor_type: Option<String>,
    size: Option<Size>,
    crop_size: Option<Size>,
    crop_pct: Option<f64>,
    do_center_crop: Option<bool>,
    do_normalize: Option<bool>,
    do_rescale: Option<bool>,
    rescale_factor: Option<f64>,
    image_mean: Option<Vec<f32>>,
    image_std: Option<Vec<f32>>,
    resample: Option<u8>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum Size {
    Edge(usize),
    Shortest { shortest_edge: usize },
    Sides { height: usize, width: usize },
}

/// Pillow's number for bilinear resampling.
const BILINEAR: u8 = 2;
/// From this size on, ConvNeXt's processor crops nothing.
const LARGE: usize = 384;
/// ConvNeXt's usual share of an image that is left.
const CROP_SHARE: f64 = 0.875;
const RESCALE: f64 = 1.0 / 255.0;

/// Preprocessing as a folder says it, and in words where it is not exactly that.
pub(super) struct Prepared {
    pub preprocessing: Preprocessing,
    pub notes: Vec<String>,
}

/// What a folder says of images for a network; `usual` is taken for what it does not say.
pub(super) fn prepared(
    config: Option<&Config>,
    processor: Option<&Processor>,
    network: &NetworkConfig,
    usual: &Preprocessing,
) -> Option<Result<Prepared, data::PreprocessingError>> {
    let of_timm = config.and_then(Config::processor);
    let processor = processor.or(of_timm.as_ref())?;
    Some(processor.prepared(network.input_channels(), usual))
}

impl Processor {
    fn prepared(
        &self,
        channels: usize,
        usual: &Preprocessing,
    ) -> Result<Prepared, data::PreprocessingError> {
        let mut notes = Vec::new();
        let (resize, [height, width]) = self.sizes(usual, &mut notes);
        if self.resample.is_some_and(|resample| resample != BILINEAR) {
            notes.push(
                "images are resized bilinearly, where the folder says another filter".to_owned(),
            );
        }
        // Brightness is 0 to 1 here.
        let factor = match self.do_rescale {
            Some(false) => 1.0,
            _ => self.rescale_factor.unwrap_or(RESCALE),
        };
        let scale = (factor / RESCALE) as f32;
        let fit = |values: Vec<f32>| match values[..] {
            [value] => vec![value / scale; channels],
            _ => values.iter().map(|value| value / scale).collect(),
        };
        let (mean, std) = match self.do_normalize {
            Some(false) => (vec![0.0], vec![1.0]),
            _ => (
                self.image_mean.clone().unwrap_or(usual.mean().to_vec()),
                self.image_std.clone().unwrap_or(usual.std().to_vec()),
            ),
        };
        Ok(Prepared {
            preprocessing: Preprocessing::new(
                [channels, height, width],
                resize,
                fit(mean),
                fit(std),
            )?,
            notes,
        })
    }

    /// The shorter side before the crop, and height and width behind it.
    fn sizes(&self, usual: &Preprocessing, notes: &mut Vec<String>) -> (usize, [usize; 2]) {
        let kind =
            (self.image_processor_type.as_deref()).or(self.feature_extractor_type.as_deref());
        let is_convnext = kind.is_some_and(|kind| kind.starts_with("ConvNext"));
        let Some(size) = self.size else {
            return (usual.resize(), [usual.height(), usual.width()]);
        };
        let mut squashed = |height: usize, width: usize| {
            notes.push(format!(
                "images are cropped to {height}x{width}, where the folder squeezes them"
            ));
            (height.max(width), [height, width])
        };
        match size {
            Size::Edge(edge)
            | Size::Shortest {
                shortest_edge: edge,
            } if is_convnext || self.crop_pct.is_some() => match edge < LARGE || !is_convnext {
                true => {
                    let share = self.crop_pct.unwrap_or(CROP_SHARE);
                    ((edge as f64 / share) as usize, [edge; 2])
                }
                false => squashed(edge, edge),
            },
            Size::Edge(edge)
            | Size::Shortest {
                shortest_edge: edge,
            } => {
                let crop = match (self.do_center_crop, self.crop_size) {
                    (Some(false), _) | (None, None) => [edge; 2],
                    (_, Some(Size::Sides { height, width })) => [height, width],
                    (
                        _,
                        Some(
                            Size::Edge(crop)
                            | Size::Shortest {
                                shortest_edge: crop,
                            },
                        ),
                    ) => [crop; 2],
                    (Some(true), None) => [edge; 2],
                };
                (edge, crop)
            }
            Size::Sides { height, width } => match (self.do_center_crop, self.crop_size) {
                (
                    Some(true),
                    Some(Size::Sides {
                        height: crop_height,
                        width: crop_width,
                    }),
                ) => {
                    squashed(height, width);
                    (height.max(width), [crop_height, crop_width])
                }
                _ => squashed(height, width),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual() -> Preprocessing {
        Preprocessing::new([3, 224, 224], 256, vec![0.4; 3], vec![0.2; 3]).unwrap()
    }

    fn read(text: &str) -> Preprocessing {
        let processor: Processor = serde_json::from_str(text).unwrap();
        processor.prepared(3, &usual()).unwrap().preprocessing
    }

    #[test]
    fn processors_of_transformers() {
        // microsoft/resnet-50, in the form of its file and in today's.
        let convnext = r#"{"crop_pct": 0.875, "do_normalize": true, "do_resize": true,
            "feature_extractor_type": "ConvNextFeatureExtractor", "image_mean": [0.485, 0.456, 0.406],
            "image_std": [0.229, 0.224, 0.225], "resample": 3, "size": 224}"#;
        let found = read(convnext);
        assert_eq!((found.shape(), found.resize()), ([3, 224, 224], 256));
        assert_eq!(found.mean(), [0.485, 0.456, 0.406]);
        let found = read(
            r#"{"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 64}}"#,
        );
        assert_eq!((found.shape(), found.resize()), ([3, 64, 64], 73));
        assert_eq!(found.mean(), [0.4; 3]);
        let found = read(
            r#"{"image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 48},
            "image_mean": [0.5], "image_std": [0.5]}"#,
        );
        assert_eq!((found.shape(), found.resize()), ([3, 32, 48], 48));
        assert_eq!(found.mean(), [0.5; 3]);
        let found = read(
            r#"{"size": {"shortest_edge": 256}, "crop_size": {"height": 224, "width": 224},
            "do_center_crop": true, "do_normalize": false}"#,
        );
        assert_eq!((found.shape(), found.resize()), ([3, 224, 224], 256));
        assert_eq!((found.mean(), found.std()), (&[0.0; 3][..], &[1.0; 3][..]));
        // Brightness of 0 to 255, and of 0 to 2.
        let found =
            read(r#"{"do_rescale": false, "image_mean": [51, 51, 51], "image_std": [255]}"#);
        assert!((found.mean()[0] - 0.2).abs() < 1e-6 && (found.std()[0] - 1.0).abs() < 1e-6);
        let found = read(r#"{"rescale_factor": 0.00784313725490196, "image_mean": [1.0]}"#);
        assert!((found.mean()[0] - 0.5).abs() < 1e-6);
    }

    #[test]
    fn labels_are_all_there_or_not_taken() {
        let config: Config =
            serde_json::from_str(r#"{"id2label": {"0": "cat", "1": "dog"}}"#).unwrap();
        assert_eq!(config.class_names(2).unwrap(), ["cat", "dog"]);
        assert_eq!(config.class_names(3), None);
        let config: Config = serde_json::from_str(r#"{"label_names": ["a"]}"#).unwrap();
        assert_eq!(config.class_names(1).unwrap(), ["a"]);
        assert_eq!(config.class_names(2), None);
    }

    #[test]
    fn networks_that_are_not_here_are_named() {
        let changes = |text: &str| serde_json::from_str::<Config>(text).unwrap().changes();
        assert!(changes(r#"{"model_type": "resnet", "downsample_in_first_stage": true}"#).is_err());
        assert!(changes(r#"{"model_type": "resnet", "hidden_act": "gelu"}"#).is_err());
        let changes = changes(r#"{"model_type": "resnet", "downsample_in_bottleneck": true}"#);
        assert_eq!(
            changes.unwrap().bottleneck_stride,
            Some(BottleneckStride::First)
        );
    }

    #[test]
    fn shards_are_told_by_their_names() {
        assert_eq!(shards_by_name("model-00001-of-00003.safetensors"), Some(3));
        assert_eq!(shards_by_name("pytorch_model-00002-of-00002.bin"), Some(2));
        for name in ["model.safetensors", "best-of-3.pth", "a-1-of-2.pth", ""] {
            assert_eq!(shards_by_name(name), None, "{name}");
        }
    }

    #[test]
    fn an_index_stays_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors.index.json");
        let write = |file: &str| {
            let text = format!(r#"{{"weight_map": {{"a": "{file}", "b": "{file}"}}}}"#);
            std::fs::write(&path, text).unwrap();
            shards(&path)
        };
        assert_eq!(write("a.bin").unwrap(), [folder.path().join("a.bin")]);
        for file in ["../a.bin", "/etc/passwd", "x/a.bin", ""] {
            assert!(write(file).is_err(), "{file}");
        }
    }
}
