//! What a tensor of ours is called in other programs' files.

use model::{ResNetConfig, ShortcutKind, StemKind};
use weights::StateDict;

/// What wrappers put before all names of a network: `DataParallel`, Lightning and others, and
/// `torch.compile`.
const PREFIXES: [&str; 5] = ["module.", "backbone.", "model.", "resnet.", "_orig_mod."];
/// The counter beside the tensors of a network whose weights were averaged.
const AVERAGE_COUNTER: &str = "n_averaged";
/// What the last linear layer is called.
const HEADS: [&str; 3] = ["fc", "linear", "classifier"];
const HUGGING_FACE_STEM: &str = "embedder.embedder.convolution.weight";
const DOWNSAMPLE: &str = "downsample";

/// A way to name the tensors of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// This project's records.
    Own,
    /// torchvision's and what follows it: `layer1.0.conv1.weight`.
    Torch(TorchNames),
    /// `ResNetForImageClassification` of Hugging Face's transformers:
    /// `resnet.encoder.stages.0.layers.0.layer.0.convolution.weight`.
    HuggingFace {
        /// `resnet.`, or nothing in a network without a head.
        prefix: &'static str,
    },
}

/// Where followers of torchvision differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TorchNames {
    /// Whether `conv1` is a list of three convolutions, as in timm.
    deep: bool,
    /// What a block's shortcut is called.
    shortcut: &'static str,
    /// The projection's place in it: 1 behind an average pool, as in timm.
    projection: usize,
    head: &'static str,
}

/// Removes what all names start with and has no meaning.
pub(super) fn strip(state_dict: &mut StateDict) {
    let counter = state_dict
        .get(AVERAGE_COUNTER)
        .is_some_and(|entry| entry.shape().iter().product::<usize>() == 1);
    if counter {
        state_dict.remove(AVERAGE_COUNTER);
    }
    while PREFIXES
        .iter()
        .any(|prefix| state_dict.strip_prefix(prefix))
    {}
}

impl Naming {
    /// The naming of a file, without wrappers' prefixes; none if it is of no known layout.
    pub(super) fn detect(state_dict: &StateDict) -> Option<Self> {
        let has = |name: &str| state_dict.get(name).is_some();
        if has("stem.convolution.conv.weight") || has("block1.convolution1.weight") {
            return Some(Self::Own);
        }
        for prefix in ["resnet.", ""] {
            if has(&format!("{prefix}{HUGGING_FACE_STEM}")) {
                return Some(Self::HuggingFace { prefix });
            }
        }
        let deep = has("conv1.0.weight");
        if !deep && !has("conv1.weight") {
            return None;
        }
        let any = |part: &str, end: &str| {
            let mut names = state_dict.iter().map(|(name, _)| name);
            names.any(|name| name.contains(part) && name.ends_with(end))
        };
        let shortcut = match any(".shortcut.", ".weight") {
            true => "shortcut",
            false => DOWNSAMPLE,
        };
        let behind_pool = any(&format!(".{shortcut}."), ".1.weight")
            && !any(&format!(".{shortcut}."), ".0.weight");
        let head = HEADS
            .into_iter()
            .find(|head| has(&format!("{head}.weight")));
        Some(Self::Torch(TorchNames {
            deep,
            shortcut,
            projection: usize::from(behind_pool),
            head: head.unwrap_or(HEADS[0]),
        }))
    }

    /// torchvision's names, and timm's for what torchvision has not.
    pub(super) fn torchvision(config: &ResNetConfig) -> Self {
        Self::Torch(TorchNames {
            deep: config.stem == StemKind::Deep,
            shortcut: DOWNSAMPLE,
            projection: usize::from(config.shortcut == ShortcutKind::AveragePoolProjection),
            head: HEADS[0],
        })
    }

    /// Whose names they are.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Own => "in this project's names",
            Self::Torch(_) => "in PyTorch's names",
            Self::HuggingFace { .. } => "in Hugging Face's names",
        }
    }

    /// The name of a tensor that has the name `own` in our records; none if networks of this naming
    /// have no such tensor.
    pub(super) fn name(&self, own: &str) -> Option<String> {
        if *self == Self::Own {
            return Some(own.to_owned());
        }
        let (module, leaf) = own.rsplit_once('.')?;
        let leaf = match leaf {
            "gamma" => "weight",
            "beta" => "bias",
            same => same,
        };
        let path: Vec<&str> = module.split('.').collect();
        let module = match self {
            Self::Own => return None,
            Self::Torch(names) => names.module(&path)?,
            Self::HuggingFace { prefix } => hugging_face(prefix, &path)?,
        };
        Some(format!("{module}.{leaf}"))
    }

    /// The counter of batches that PyTorch's norms have beside the tensor with our name `own`, if
    /// that is the last tensor of a norm.
    pub(super) fn counter(&self, own: &str) -> Option<String> {
        if *self == Self::Own || !own.ends_with(".running_var") {
            return None;
        }
        let name = self.name(own)?;
        let (module, _) = name.rsplit_once('.')?;
        Some(format!("{module}.num_batches_tracked"))
    }

    /// Whether the weight of a linear layer is `[outputs, inputs]`, other than ours.
    pub(super) fn outputs_first(&self) -> bool {
        *self != Self::Own
    }

    /// Whether names say that an average pool stands before the projections.
    pub(super) fn pools_before_projection(&self) -> bool {
        matches!(self, Self::Torch(names) if names.projection == 1)
    }
}

impl TorchNames {
    fn module(&self, path: &[&str]) -> Option<String> {
        Some(match *path {
            ["stem", "convolution", "conv"] if self.deep => "conv1.6".to_owned(),
            ["stem", "convolution", "conv"] => "conv1".to_owned(),
            ["stem", "convolution", "norm"] => "bn1".to_owned(),
            // A norm and a ReLU stand behind each.
            ["stem", "deep", index, kind] if self.deep => {
                let place = match kind {
                    "conv" => 0,
                    _ => 1,
                };
                format!("conv1.{}", 3 * number(index)? + place)
            }
            ["stages", stage, "blocks", block, ref rest @ ..] => {
                let part = match *rest {
                    ["branch", index, "conv"] => format!("conv{}", number(index)? + 1),
                    ["branch", index, "norm"] => format!("bn{}", number(index)? + 1),
                    ["shortcut", "projection", "conv"] => {
                        format!("{}.{}", self.shortcut, self.projection)
                    }
                    ["shortcut", "projection", "norm"] => {
                        format!("{}.{}", self.shortcut, self.projection + 1)
                    }
                    _ => return None,
                };
                format!("layer{}.{block}.{part}", number(stage)? + 1)
            }
            ["head", "linear"] => self.head.to_owned(),
            _ => return None,
        })
    }
}

fn hugging_face(prefix: &str, path: &[&str]) -> Option<String> {
    let kind = |kind: &str| match kind {
        "conv" => "convolution",
        _ => "normalization",
    };
    Some(match *path {
        ["stem", "convolution", part] => format!("{prefix}embedder.embedder.{}", kind(part)),
        ["stages", stage, "blocks", block, ref rest @ ..] => {
            let part = match *rest {
                ["branch", index, part] => format!("layer.{index}.{}", kind(part)),
                ["shortcut", "projection", part] => format!("shortcut.{}", kind(part)),
                _ => return None,
            };
            format!("{prefix}encoder.stages.{stage}.layers.{block}.{part}")
        }
        ["head", "linear"] => "classifier.1".to_owned(),
        _ => return None,
    })
}

fn number(digits: &str) -> Option<usize> {
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use weights::{Entry, Tensor};

    fn state_dict(names: &[&str]) -> StateDict {
        let mut state_dict = StateDict::new();
        for name in names {
            let tensor = Tensor::new(vec![], vec![0.0]).unwrap();
            state_dict.insert(*name, Entry::Float(tensor)).unwrap();
        }
        state_dict
    }

    #[test]
    fn prefixes_go_in_any_order_and_counters_with_them() {
        let mut dict = state_dict(&[
            "n_averaged",
            "module.model.backbone.conv1.weight",
            "module.model.backbone.fc.weight",
        ]);
        strip(&mut dict);
        let names: Vec<_> = dict.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["conv1.weight", "fc.weight"]);

        let mut dict = state_dict(&["resnet.conv1.weight", "fc.weight"]);
        strip(&mut dict);
        assert!(dict.get("resnet.conv1.weight").is_some());
    }

    #[test]
    fn each_layout_has_its_names() {
        let torchvision = Naming::detect(&state_dict(&["conv1.weight", "fc.weight"])).unwrap();
        let timm = Naming::detect(&state_dict(&[
            "conv1.0.weight",
            "layer2.0.downsample.1.weight",
            "layer2.0.downsample.2.weight",
        ]))
        .unwrap();
        let cifar = Naming::detect(&state_dict(&[
            "conv1.weight",
            "layer2.0.shortcut.0.weight",
            "layer2.0.shortcut.1.weight",
            "linear.weight",
        ]))
        .unwrap();
        let hugging_face = Naming::detect(&state_dict(&[
            "resnet.embedder.embedder.convolution.weight",
        ]))
        .unwrap();
        for (own, names) in [
            (
                "stem.convolution.conv.weight",
                [
                    "conv1.weight",
                    "conv1.6.weight",
                    "conv1.weight",
                    "resnet.embedder.embedder.convolution.weight",
                ],
            ),
            (
                "stages.1.blocks.0.branch.0.norm.gamma",
                [
                    "layer2.0.bn1.weight",
                    "layer2.0.bn1.weight",
                    "layer2.0.bn1.weight",
                    "resnet.encoder.stages.1.layers.0.layer.0.normalization.weight",
                ],
            ),
            (
                "stages.1.blocks.0.shortcut.projection.norm.running_mean",
                [
                    "layer2.0.downsample.1.running_mean",
                    "layer2.0.downsample.2.running_mean",
                    "layer2.0.shortcut.1.running_mean",
                    "resnet.encoder.stages.1.layers.0.shortcut.normalization.running_mean",
                ],
            ),
            (
                "head.linear.bias",
                ["fc.bias", "fc.bias", "linear.bias", "classifier.1.bias"],
            ),
        ] {
            let namings = [&torchvision, &timm, &cifar, &hugging_face];
            let found = namings.map(|naming| naming.name(own).unwrap());
            assert_eq!(found, names);
        }
        let own = "stem.deep.1.norm.beta";
        assert_eq!(timm.name(own).unwrap(), "conv1.4.bias");
        assert_eq!(torchvision.name(own), None);
        assert_eq!(hugging_face.name(own), None);
        assert_eq!(
            torchvision
                .counter("stem.convolution.norm.running_var")
                .unwrap(),
            "bn1.num_batches_tracked"
        );
    }

    /// Whatever the registry has either has a name for every tensor, and no name twice, or is in an
    /// order of layers that torchvision has not.
    #[test]
    fn names_for_export_are_unique() {
        for name in [
            "resnet20",
            "resnet18",
            "resnet50",
            "resnet50d",
            "resnet18-tutorial",
        ] {
            let config = model::network(name).unwrap();
            let model::NetworkConfig::Resnet(resnet) = &config else {
                panic!("{name}");
            };
            let naming = Naming::torchvision(resnet);
            let tensors = model::tensors(&config).unwrap();
            let names: HashSet<String> = tensors
                .iter()
                .map(|tensor| naming.name(&tensor.name).unwrap())
                .collect();
            assert_eq!(names.len(), tensors.len(), "{name}");
        }
    }
}
