//! Finds the networks in a file and how their tensors are named.

use std::collections::BTreeSet;

use super::listing::Listing;
use super::naming::{
    DOWNSAMPLE, HUGGING_FACE_STEM, Naming, Scheme, StageNames, StemNames, TorchNames,
};

/// Ends of the name of the first convolution in the first stage, after the name of its block.
const FIRST_IN_BLOCK: [(&str, bool); 2] = [
    ("conv1.weight", false),
    ("residual_function.0.weight", true),
];
/// Names of stages.
const STAGES: [StageNames; 3] = [
    StageNames {
        before: "layer",
        first: 1,
        after: "",
    },
    StageNames {
        before: "conv",
        first: 2,
        after: "_x",
    },
    StageNames {
        before: "stage",
        first: 1,
        after: "",
    },
];
/// Lists of layers that may contain a stem.
const STEM_LISTS: [&str; 3] = ["conv1", "stem", "0"];
/// Maximum number of networks per file that are considered.
const MAX_NETWORKS: usize = 32;

/// Returns the naming of every network in the file, wherever names start as a network's do,
/// shortest prefix first. Heads are set only where this project's names identify them.
pub(super) fn networks(listing: &Listing<'_>) -> Vec<Naming> {
    let mut found = Vec::new();
    let mut prefixes = BTreeSet::new();
    for tensor in listing.tensors() {
        if found.len() == MAX_NETWORKS {
            break;
        }
        let name = tensor.name.as_str();
        for end in ["stem.convolution.conv.weight", "block1.convolution1.weight"] {
            if let Some(prefix) = before(name, end)
                && prefixes.insert(prefix)
            {
                found.push(Naming::own(prefix));
            }
        }
        if let Some(prefix) = before(name, HUGGING_FACE_STEM)
            && prefixes.insert(prefix)
        {
            found.push(without_head(prefix, Scheme::HuggingFace));
        }
        for (end, listed_branch) in FIRST_IN_BLOCK {
            let Some((prefix, stages)) = before(name, end).and_then(|block| stages(listing, block))
            else {
                continue;
            };
            if prefixes.insert(prefix) {
                let names = torch_names(listing, prefix, stages, listed_branch);
                found.push(without_head(prefix, Scheme::Torch(names)));
            }
        }
    }
    found.sort_by_key(|naming| naming.prefix.len());
    found
}

fn without_head(prefix: &str, scheme: Scheme) -> Naming {
    Naming {
        prefix: prefix.to_owned(),
        scheme,
        head: None,
    }
}

/// Returns whether a module is named like a stage, such as `layer1`, `conv2_x` or `stage3`.
fn is_stage(module: &str) -> bool {
    STAGES.iter().any(|names| {
        let number = module
            .strip_prefix(names.before)
            .and_then(|rest| rest.strip_suffix(names.after));
        number.is_some_and(|digits| {
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
    })
}

/// Returns a tensor's name without the modules that wrappers such as `torch.compile` and gradient
/// checkpointing add around parts of a network: `layer1._orig_mod.0` becomes `layer1.0`.
pub(super) fn without_wrappers(name: &str) -> String {
    const WRAPPERS: [&str; 4] = [
        "_orig_mod",
        "_checkpoint_wrapped_module",
        "_fsdp_wrapped_module",
        "module",
    ];
    let mut is_in_stage = false;
    let modules = name.split('.').filter(|module| {
        // Wrappers around the whole network are part of its prefix.
        let is_wrapper = is_in_stage && WRAPPERS.contains(module);
        is_in_stage |= is_stage(module);
        !is_wrapper
    });
    modules.collect::<Vec<_>>().join(".")
}

/// Returns the text before `end`, if `end` is the whole name or follows a dot.
fn before<'n>(name: &'n str, end: &str) -> Option<&'n str> {
    let prefix = name.strip_suffix(end)?;
    (prefix.is_empty() || prefix.ends_with('.')).then_some(prefix)
}

/// Returns the prefix of a network whose first block is called `block`, for example
/// `net.layer1.0.`.
fn stages<'n>(listing: &Listing<'_>, block: &'n str) -> Option<(&'n str, StageNames)> {
    let stage = block.strip_suffix(".0.")?;
    for names in STAGES {
        if let Some(prefix) = before(stage, &names.name(0)) {
            return Some((prefix, names));
        }
    }
    // A network as a list: convolution, norm, optionally a ReLU and a pool, then the stages.
    let (prefix, number) = match stage.rsplit_once('.') {
        Some((prefix, number)) => (&stage[..=prefix.len()], number),
        None => ("", stage),
    };
    let first: usize = number
        .parse()
        .ok()
        .filter(|first| (1..=4).contains(first))?;
    let is_first = (1..first).all(|earlier| !is_block(listing, &format!("{prefix}{earlier}.0.")));
    let has_stem = ["0.weight", "0.0.weight"]
        .iter()
        .any(|stem| is_convolution(listing, &format!("{prefix}{stem}")));
    let names = StageNames {
        before: "",
        first,
        after: "",
    };
    (is_first && has_stem).then_some((prefix, names))
}

fn is_block(listing: &Listing<'_>, block: &str) -> bool {
    FIRST_IN_BLOCK
        .iter()
        .any(|(end, _)| listing.has(&format!("{block}{end}")))
}

fn is_convolution(listing: &Listing<'_>, name: &str) -> bool {
    listing.shape(name).is_some_and(|shape| shape.len() == 4)
}

fn torch_names(
    listing: &Listing<'_>,
    prefix: &str,
    stages: StageNames,
    listed_branch: bool,
) -> TorchNames {
    let in_stages = |part: &str, end: &str| {
        listing.within(prefix).any(|name| {
            let name = &name[prefix.len()..];
            name.contains(part) && name.ends_with(end)
        })
    };
    let shortcut = match in_stages(".shortcut.", ".weight") {
        true => "shortcut",
        false => DOWNSAMPLE,
    };
    let part = format!(".{shortcut}.");
    let behind_pool = in_stages(&part, ".1.weight") && !in_stages(&part, ".0.weight");
    TorchNames {
        stem: stem_names(listing, prefix),
        stages,
        listed_branch,
        shortcut,
        projection: usize::from(behind_pool),
    }
}

fn stem_names(listing: &Listing<'_>, prefix: &str) -> StemNames {
    let has = |name: &str| listing.has(&format!("{prefix}{name}"));
    let convolution = |name: &str| is_convolution(listing, &format!("{prefix}{name}"));
    for list in STEM_LISTS {
        if !convolution(&format!("{list}.0.weight")) {
            continue;
        }
        return match (
            convolution(&format!("{list}.3.weight")),
            has(&format!("{list}.7.weight")),
        ) {
            (true, true) => StemNames::DeepList(list),
            (true, false) => StemNames::Deep(list, if list == "0" { "1" } else { "bn1" }),
            (false, _) => StemNames::List(list),
        };
    }
    match has("conv1.weight") || !convolution("0.weight") {
        true => StemNames::Pair("conv1", "bn1"),
        false => StemNames::Pair("0", "1"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use weights::{Contents, Entry, Precision, StateDict, Tensor, to_safetensors};

    /// Returns the networks found in a file with tensors of these names and numbers of dimensions.
    fn found(tensors: &[(&str, usize)]) -> Vec<Naming> {
        let mut state_dict = StateDict::new();
        for &(name, dimensions) in tensors {
            let tensor = Tensor::new(vec![1; dimensions], vec![0.0]).unwrap();
            state_dict.insert(name, Entry::Float(tensor)).unwrap();
        }
        let bytes = to_safetensors(&state_dict, &BTreeMap::new(), Precision::Single).unwrap();
        let contents = [Contents::parse(&bytes).unwrap()];
        networks(&Listing::new(&contents).unwrap())
    }

    fn one(tensors: &[(&str, usize)]) -> Naming {
        let mut found = found(tensors);
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    #[test]
    fn each_layout_is_detected_by_names() {
        let torchvision = one(&[
            ("conv1.weight", 4),
            ("layer1.0.conv1.weight", 4),
            ("fc.weight", 2),
        ]);
        let timm = one(&[
            ("net.conv1.0.weight", 4),
            ("net.conv1.3.weight", 4),
            ("net.conv1.6.weight", 4),
            ("net.bn1.weight", 1),
            ("net.layer1.0.conv1.weight", 4),
            ("net.layer2.0.downsample.1.weight", 4),
            ("net.layer2.0.downsample.2.weight", 1),
            ("net.fc.weight", 2),
        ]);
        let cifar = one(&[
            ("conv1.weight", 4),
            ("layer1.0.conv1.weight", 4),
            ("layer2.0.shortcut.0.weight", 4),
            ("layer2.0.shortcut.1.weight", 1),
            ("linear.1.weight", 2),
        ]);
        let hugging_face = one(&[
            ("resnet.embedder.embedder.convolution.weight", 4),
            ("classifier.1.weight", 2),
        ]);
        let weiaicunzai = one(&[
            ("conv1.0.weight", 4),
            ("conv1.1.weight", 1),
            ("conv2_x.0.residual_function.0.weight", 4),
            ("conv3_x.0.shortcut.0.weight", 4),
            ("fc.weight", 2),
        ]);
        let mmpretrain = one(&[
            ("backbone.stem.0.weight", 4),
            ("backbone.stem.3.weight", 4),
            ("backbone.stem.6.weight", 4),
            ("backbone.stem.7.weight", 1),
            ("backbone.layer1.0.conv1.weight", 4),
            ("head.fc.weight", 2),
        ]);
        let children = one(&[
            ("features.0.weight", 4),
            ("features.1.weight", 1),
            ("features.4.0.conv1.weight", 4),
            ("features.5.0.conv1.weight", 4),
            ("classifier.weight", 2),
        ]);
        for (own, names) in [
            (
                "stem.convolution.conv.weight",
                [
                    "conv1.weight",
                    "net.conv1.6.weight",
                    "conv1.weight",
                    "resnet.embedder.embedder.convolution.weight",
                    "conv1.0.weight",
                    "backbone.stem.6.weight",
                    "features.0.weight",
                ],
            ),
            (
                "stem.convolution.norm.gamma",
                [
                    "bn1.weight",
                    "net.bn1.weight",
                    "bn1.weight",
                    "resnet.embedder.embedder.normalization.weight",
                    "conv1.1.weight",
                    "backbone.stem.7.weight",
                    "features.1.weight",
                ],
            ),
            (
                "stages.1.blocks.0.branch.1.norm.gamma",
                [
                    "layer2.0.bn2.weight",
                    "net.layer2.0.bn2.weight",
                    "layer2.0.bn2.weight",
                    "resnet.encoder.stages.1.layers.0.layer.1.normalization.weight",
                    "conv3_x.0.residual_function.4.weight",
                    "backbone.layer2.0.bn2.weight",
                    "features.5.0.bn2.weight",
                ],
            ),
            (
                "stages.1.blocks.0.shortcut.projection.norm.running_mean",
                [
                    "layer2.0.downsample.1.running_mean",
                    "net.layer2.0.downsample.2.running_mean",
                    "layer2.0.shortcut.1.running_mean",
                    "resnet.encoder.stages.1.layers.0.shortcut.normalization.running_mean",
                    "conv3_x.0.shortcut.1.running_mean",
                    "backbone.layer2.0.downsample.1.running_mean",
                    "features.5.0.downsample.1.running_mean",
                ],
            ),
        ] {
            let found = [
                &torchvision,
                &timm,
                &cifar,
                &hugging_face,
                &weiaicunzai,
                &mmpretrain,
                &children,
            ];
            let found = found.map(|found| found.name(own).unwrap());
            assert_eq!(found, names);
        }
        let own = "stem.deep.1.norm.beta";
        assert_eq!(timm.name(own).unwrap(), "net.conv1.4.bias");
        assert_eq!(mmpretrain.name(own).unwrap(), "backbone.stem.4.bias");
        assert_eq!(torchvision.name(own), None);
        assert_eq!(hugging_face.name(own), None);
        assert_eq!(
            torchvision
                .counter("stem.convolution.norm.running_var")
                .unwrap(),
            "bn1.num_batches_tracked"
        );
    }

    #[test]
    fn wrapper_prefixes_are_stripped() {
        for (name, expected) in [
            ("layer1._orig_mod.0.conv1.weight", "layer1.0.conv1.weight"),
            ("net.layer2.module.0.bn1.bias", "net.layer2.0.bn1.bias"),
            (
                "layer1.0._checkpoint_wrapped_module.conv1.weight",
                "layer1.0.conv1.weight",
            ),
            ("_orig_mod.student.fc.weight", "_orig_mod.student.fc.weight"),
            ("module.encoder_q.fc.weight", "module.encoder_q.fc.weight"),
        ] {
            assert_eq!(without_wrappers(name), expected);
        }
    }
}
