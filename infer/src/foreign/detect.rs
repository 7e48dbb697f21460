//! Which names the networks of a file have, and where they are in it.

use std::collections::BTreeSet;

use weights::shown;

use super::listing::Listing;
use super::naming::{
    DOWNSAMPLE, HUGGING_FACE_STEM, Naming, Scheme, StageNames, StemNames, TorchNames,
};

/// What the first convolution of the first stage ends with, behind the name of its block.
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
/// Lists of layers that may hold a stem.
const STEM_LISTS: [&str; 3] = ["conv1", "stem", "0"];
/// What the last linear layer, or the list with it, is called.
const HEADS: [&str; 11] = [
    "fc",
    "linear",
    "classifier",
    "head.fc",
    "head",
    "last_linear",
    "output",
    "out",
    "logits",
    "final",
    "cls_head",
];

/// Networks of a file that are looked at.
const MAX_NETWORKS: usize = 32;

/// Where a head is, or why it is none that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// The whole name of the linear layer.
    Linear(String),
    /// A list with several linear layers, or with other layers that have weights.
    Unusable {
        /// The name of the list.
        name: String,
        reason: String,
    },
    None,
}

/// A network in a file: how it is named, without a head.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub naming: Naming,
    pub head: Head,
    /// Where the head was looked for and found: the prefix of a module around the network.
    pub root: String,
}

/// All places of a file that start as a network does, the shortest prefix first.
pub(super) fn networks(listing: &Listing<'_>) -> Vec<Found> {
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
                let naming = Naming::own(prefix);
                found.push(Found {
                    head: own_head(listing, &naming),
                    root: prefix.to_owned(),
                    naming,
                });
            }
        }
        if let Some(prefix) = before(name, HUGGING_FACE_STEM)
            && prefixes.insert(prefix)
        {
            found.push(with_head(listing, prefix, Scheme::HuggingFace));
        }
        for (end, listed_branch) in FIRST_IN_BLOCK {
            let Some((prefix, stages)) = before(name, end).and_then(|block| stages(listing, block))
            else {
                continue;
            };
            if prefixes.insert(prefix) {
                let names = torch_names(listing, prefix, stages, listed_branch);
                found.push(with_head(listing, prefix, Scheme::Torch(names)));
            }
        }
    }
    found.sort_by_key(|found| found.naming.prefix.len());
    found
}

/// What precedes an end that is a whole name or follows a dot.
fn before<'n>(name: &'n str, end: &str) -> Option<&'n str> {
    let prefix = name.strip_suffix(end)?;
    (prefix.is_empty() || prefix.ends_with('.')).then_some(prefix)
}

/// The prefix of a network whose first block is called `block`, `net.layer1.0.` for example.
fn stages<'n>(listing: &Listing<'_>, block: &'n str) -> Option<(&'n str, StageNames)> {
    let stage = block.strip_suffix(".0.")?;
    for names in STAGES {
        if let Some(prefix) = before(stage, &names.name(0)) {
            return Some((prefix, names));
        }
    }
    // The parts of a network in a list: convolution, norm, perhaps a ReLU and a pool, stages.
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

fn own_head(listing: &Listing<'_>, naming: &Naming) -> Head {
    let digit = format!("{}linear", naming.prefix);
    match naming.head.clone() {
        Some(head) if listing.has(&format!("{head}.weight")) => Head::Linear(head),
        _ if listing.has(&format!("{digit}.weight")) => Head::Linear(digit),
        _ => Head::None,
    }
}

/// The network behind a prefix with the nearest head: in it, or in a module around it.
fn with_head(listing: &Listing<'_>, prefix: &str, scheme: Scheme) -> Found {
    let mut root = prefix;
    let (head, root) = loop {
        match head_in(listing, root) {
            Head::None => match around(root) {
                Some(outer) => root = outer,
                None => break (Head::None, prefix),
            },
            head => break (head, root),
        }
    };
    Found {
        naming: Naming {
            prefix: prefix.to_owned(),
            scheme,
            head: match &head {
                Head::Linear(name) => Some(name.clone()),
                _ => None,
            },
        },
        head,
        root: root.to_owned(),
    }
}

/// The prefix of the module around that of a prefix.
pub(super) fn around(prefix: &str) -> Option<&str> {
    let module = prefix.strip_suffix('.')?;
    Some(match module.rfind('.') {
        Some(dot) => &module[..=dot],
        None => "",
    })
}

fn head_in(listing: &Listing<'_>, root: &str) -> Head {
    HEADS
        .iter()
        .map(|head| head_called(listing, &format!("{root}{head}")))
        .find(|head| *head != Head::None)
        .unwrap_or(Head::None)
}

/// The head if it is a linear layer of this name, or a list with one.
fn head_called(listing: &Listing<'_>, name: &str) -> Head {
    let is_linear = |name: &str| {
        let shape = listing.shape(&format!("{name}.weight"));
        shape.is_some_and(|shape| shape.len() == 2)
    };
    if is_linear(name) {
        return Head::Linear(name.to_owned());
    }
    let within = format!("{name}.");
    let mut linear: Vec<String> = Vec::new();
    let mut other = Vec::new();
    for tensor in listing.within(&within) {
        let rest = &tensor[within.len()..];
        let module = rest.rsplit_once('.').map_or("", |(module, _)| module);
        // Only what is numbered is a list.
        if module.is_empty() || !module.bytes().all(|byte| byte.is_ascii_digit()) {
            other.push(tensor);
            continue;
        }
        let module = format!("{within}{module}");
        match is_linear(&module) {
            true if linear.last() == Some(&module) => {}
            true => linear.push(module),
            false => other.push(tensor),
        }
    }
    match (&linear[..], &other[..]) {
        ([], _) => Head::None,
        ([head], []) => Head::Linear(head.clone()),
        ([_], [other, ..]) => Head::Unusable {
            name: name.to_owned(),
            reason: format!(
                "it has other layers before or behind a linear one: `{}`",
                shown(other)
            ),
        },
        (several, _) => Head::Unusable {
            name: name.to_owned(),
            reason: format!("it has {} linear layers", several.len()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use weights::{Contents, Entry, Precision, StateDict, Tensor, to_safetensors};

    /// Networks in a file with tensors of these names and numbers of dimensions.
    fn found(tensors: &[(&str, usize)]) -> Vec<Found> {
        let mut state_dict = StateDict::new();
        for &(name, dimensions) in tensors {
            let tensor = Tensor::new(vec![1; dimensions], vec![0.0]).unwrap();
            state_dict.insert(name, Entry::Float(tensor)).unwrap();
        }
        let bytes = to_safetensors(&state_dict, &BTreeMap::new(), Precision::Single).unwrap();
        let contents = [Contents::parse(&bytes).unwrap()];
        networks(&Listing::new(&contents).unwrap())
    }

    fn one(tensors: &[(&str, usize)]) -> Found {
        let mut found = found(tensors);
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    #[test]
    fn each_layout_has_its_names() {
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
            (
                "head.linear.bias",
                [
                    "fc.bias",
                    "net.fc.bias",
                    "linear.1.bias",
                    "classifier.1.bias",
                    "fc.bias",
                    "head.fc.bias",
                    "classifier.bias",
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
            let found = found.map(|found| found.naming.name(own).unwrap());
            assert_eq!(found, names);
        }
        let own = "stem.deep.1.norm.beta";
        assert_eq!(timm.naming.name(own).unwrap(), "net.conv1.4.bias");
        assert_eq!(mmpretrain.naming.name(own).unwrap(), "backbone.stem.4.bias");
        assert_eq!(torchvision.naming.name(own), None);
        assert_eq!(hugging_face.naming.name(own), None);
        assert_eq!(
            torchvision
                .naming
                .counter("stem.convolution.norm.running_var")
                .unwrap(),
            "bn1.num_batches_tracked"
        );
    }

    #[test]
    fn heads_are_one_linear_layer() {
        let head = |tensors: &[(&str, usize)]| {
            let network = [("conv1.weight", 4), ("layer1.0.conv1.weight", 4)];
            one(&[&network, tensors].concat()).head
        };
        let linear = |name: &str| Head::Linear(name.to_owned());
        assert_eq!(
            head(&[("fc.0.weight", 2), ("fc.0.bias", 1)]),
            linear("fc.0")
        );
        assert_eq!(head(&[("head.fc.weight", 2)]), linear("head.fc"));
        assert_eq!(head(&[("classifier.3.weight", 2)]), linear("classifier.3"));
        assert_eq!(head(&[("linear.weight", 4)]), Head::None);
        assert_eq!(head(&[]), Head::None);
        for (tensors, word) in [
            (
                [("fc.0.weight", 2), ("fc.3.weight", 2)],
                "it has 2 linear layers",
            ),
            ([("fc.0.weight", 1), ("fc.1.weight", 2)], "`fc.0.weight`"),
        ] {
            match head(&tensors) {
                Head::Unusable { name, reason } => {
                    assert_eq!(name, "fc");
                    assert!(reason.contains(word), "{reason}");
                }
                head => panic!("{head:?}"),
            }
        }
    }

    #[test]
    fn a_head_is_the_nearest() {
        let found = found(&[
            ("model.student.conv1.weight", 4),
            ("model.student.layer1.0.conv1.weight", 4),
            ("model.student.fc.weight", 2),
            ("model.teacher.conv1.weight", 4),
            ("model.teacher.layer1.0.conv1.weight", 4),
            ("fc.weight", 2),
        ]);
        let heads: Vec<_> = found
            .iter()
            .map(|found| found.naming.head.clone())
            .collect();
        assert_eq!(
            heads,
            [Some("model.student.fc".to_owned()), Some("fc".to_owned())]
        );
        assert_eq!(found[1].root, "");
    }
}
