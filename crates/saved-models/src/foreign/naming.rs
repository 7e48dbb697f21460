//! Names of our tensors in other programs' files.

use model::{ResNetConfig, ShortcutKind, StemKind};

/// A way to name the tensors of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Naming {
    /// Precedes all names except the head's: `state_dict.net.`, or empty.
    pub prefix: String,
    pub scheme: Scheme,
    /// The full name of the last linear layer without `.weight`; `None` in a backbone.
    pub head: Option<String>,
}

/// The program that the names come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// This project's records.
    Own,
    /// torchvision and its followers: `layer1.0.conv1.weight`.
    Torch(TorchNames),
    /// `ResNetModel` of Hugging Face's transformers:
    /// `encoder.stages.0.layers.0.layer.0.convolution.weight`.
    HuggingFace,
}

/// Differences between followers of torchvision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TorchNames {
    pub stem: StemNames,
    pub stages: StageNames,
    /// Whether a block's branch is a list named `residual_function`, as in weiaicunzai's networks.
    pub listed_branch: bool,
    /// Name of a block's shortcut.
    pub shortcut: &'static str,
    /// The projection's index in the shortcut: 1 after an average pool, as in timm.
    pub projection: usize,
}

/// Names of the layers before the first stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StemNames {
    /// A convolution and its norm.
    Pair(&'static str, &'static str),
    /// A list of a convolution and its norm.
    List(&'static str),
    /// A list of three convolutions with norms and ReLUs between them, then a norm: `conv1`, `bn1`
    /// in timm.
    Deep(&'static str, &'static str),
    /// Like `Deep`, with the last norm in the list: `stem` in mmpretrain.
    DeepList(&'static str),
}

/// Names of stages: a number between two strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StageNames {
    pub before: &'static str,
    /// Number of the first stage.
    pub first: usize,
    pub after: &'static str,
}

pub(super) const HUGGING_FACE_STEM: &str = "embedder.embedder.convolution.weight";
const LISTED_BRANCH: &str = "residual_function";
pub(super) const DOWNSAMPLE: &str = "downsample";
const OWN_HEAD: &str = "head.linear";

impl Naming {
    /// Returns this project's naming, behind a prefix.
    pub(super) fn own(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            scheme: Scheme::Own,
            head: Some(format!("{prefix}{OWN_HEAD}")),
        }
    }

    /// Returns torchvision's naming, or timm's where torchvision has none.
    pub(super) fn torchvision(config: &ResNetConfig) -> Self {
        Self {
            prefix: String::new(),
            scheme: Scheme::Torch(TorchNames {
                stem: match config.stem {
                    StemKind::Deep => StemNames::Deep("conv1", "bn1"),
                    _ => StemNames::Pair("conv1", "bn1"),
                },
                stages: StageNames {
                    before: "layer",
                    first: 1,
                    after: "",
                },
                listed_branch: false,
                shortcut: DOWNSAMPLE,
                projection: usize::from(config.shortcut == ShortcutKind::AveragePoolProjection),
            }),
            head: Some("fc".to_owned()),
        }
    }

    /// Returns the source of the names, in words.
    pub(super) fn words(&self) -> &'static str {
        match &self.scheme {
            Scheme::Own => "in this project's names",
            Scheme::Torch(names) if names.listed_branch => "in weiaicunzai's names",
            Scheme::Torch(_) => "in PyTorch's names",
            Scheme::HuggingFace => "in Hugging Face's names",
        }
    }

    /// Returns the name of the tensor that our records call `own`, or `None` if networks of this
    /// naming have no such tensor.
    pub(super) fn name(&self, own: &str) -> Option<String> {
        let (module, leaf) = own.rsplit_once('.')?;
        if self.scheme == Scheme::Own {
            return Some(format!("{}{own}", self.prefix));
        }
        let leaf = match leaf {
            "gamma" => "weight",
            "beta" => "bias",
            same => same,
        };
        if module == OWN_HEAD {
            return Some(format!("{}.{leaf}", self.head.as_ref()?));
        }
        let path: Vec<&str> = module.split('.').collect();
        let module = match &self.scheme {
            Scheme::Own => return None,
            Scheme::Torch(names) => names.module(&path)?,
            Scheme::HuggingFace => hugging_face(&path)?,
        };
        Some(format!("{}{module}.{leaf}", self.prefix))
    }

    /// Returns the name of the batch counter that PyTorch's norms have next to the tensor `own`, if
    /// that is the last tensor of a norm.
    pub(super) fn counter(&self, own: &str) -> Option<String> {
        if self.scheme == Scheme::Own || !own.ends_with(".running_var") {
            return None;
        }
        let name = self.name(own)?;
        let (module, _) = name.rsplit_once('.')?;
        Some(format!("{module}.num_batches_tracked"))
    }

    /// Returns whether the weight of a linear layer is `[outputs, inputs]`, unlike ours.
    pub(super) fn outputs_first(&self) -> bool {
        self.scheme != Scheme::Own
    }

    /// Returns whether the names leave open whether an average pool precedes the projections.
    pub(super) fn leaves_pool_open(&self) -> bool {
        matches!(&self.scheme, Scheme::Torch(names) if names.projection == 0)
    }

    /// Returns whether the names imply that an average pool precedes the projections.
    pub(super) fn pools_before_projection(&self) -> bool {
        matches!(&self.scheme, Scheme::Torch(names) if names.projection == 1)
    }
}

impl TorchNames {
    fn module(&self, path: &[&str]) -> Option<String> {
        Some(match *path {
            ["stem", "convolution", kind] => {
                let is_norm = usize::from(kind != "conv");
                match (&self.stem, is_norm) {
                    (StemNames::Pair(conv, _), 0) => (*conv).to_owned(),
                    (StemNames::Pair(_, norm) | StemNames::Deep(_, norm), 1) => (*norm).to_owned(),
                    (StemNames::List(list), place) => format!("{list}.{place}"),
                    (StemNames::Deep(list, _) | StemNames::DeepList(list), place) => {
                        format!("{list}.{}", 6 + place)
                    }
                    _ => return None,
                }
            }
            // A norm and a ReLU follow each convolution.
            ["stem", "deep", index, kind] => {
                let (StemNames::Deep(list, _) | StemNames::DeepList(list)) = &self.stem else {
                    return None;
                };
                let place = usize::from(kind != "conv");
                format!("{list}.{}", 3 * number(index)? + place)
            }
            ["stages", stage, "blocks", block, ref rest @ ..] => {
                let part = match *rest {
                    ["branch", index, kind] => self.branch(number(index)?, kind),
                    ["shortcut", "projection", "conv"] => {
                        format!("{}.{}", self.shortcut, self.projection)
                    }
                    ["shortcut", "projection", "norm"] => {
                        format!("{}.{}", self.shortcut, self.projection + 1)
                    }
                    _ => return None,
                };
                format!("{}.{block}.{part}", self.stages.name(number(stage)?))
            }
            _ => return None,
        })
    }

    fn branch(&self, index: usize, kind: &str) -> String {
        match (self.listed_branch, kind) {
            // A norm and a ReLU follow each convolution.
            (true, "conv") => format!("{LISTED_BRANCH}.{}", 3 * index),
            (true, _) => format!("{LISTED_BRANCH}.{}", 3 * index + 1),
            (false, "conv") => format!("conv{}", index + 1),
            (false, _) => format!("bn{}", index + 1),
        }
    }
}

impl StageNames {
    /// Returns the module name of a stage, counted from 0.
    pub(super) fn name(&self, stage: usize) -> String {
        format!("{}{}{}", self.before, self.first + stage, self.after)
    }
}

fn hugging_face(path: &[&str]) -> Option<String> {
    let kind = |kind: &str| match kind {
        "conv" => "convolution",
        _ => "normalization",
    };
    Some(match *path {
        ["stem", "convolution", part] => format!("embedder.embedder.{}", kind(part)),
        ["stages", stage, "blocks", block, ref rest @ ..] => {
            let part = match *rest {
                ["branch", index, part] => format!("layer.{index}.{}", kind(part)),
                ["shortcut", "projection", part] => format!("shortcut.{}", kind(part)),
                _ => return None,
            };
            format!("encoder.stages.{stage}.layers.{block}.{part}")
        }
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

    /// Every network in the registry either has a unique name for every tensor, or orders its
    /// layers in a way that torchvision does not.
    #[test]
    fn names_for_export_are_unique() {
        for name in [
            "resnet20",
            "resnet18",
            "resnet50",
            "resnet50d",
            "resnet18-tutorial",
        ] {
            let config = model::NetworkConfig::named(name).unwrap();
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
