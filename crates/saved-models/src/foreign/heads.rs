//! Finds the last linear layer of a network.

use std::collections::BTreeSet;

use weights::shown;

use super::listing::Listing;
use super::rest::{is_for_training, words};

/// Usual names of the last linear layer, or of the module that contains it.
const HEADS: [&str; 12] = [
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
    "heads",
];
/// Words in names of modules whose linear layers produce features, not classes.
const NOT_HEADS: [&str; 13] = [
    "projector",
    "projection",
    "proj",
    "predictor",
    "neck",
    "embed",
    "embedding",
    "embeddings",
    "emb",
    "decoder",
    "prototypes",
    "centers",
    "aux",
];

/// Position of a head, or the reason why it cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// The full name of the linear layer.
    Linear(String),
    /// Several linear layers, or other layers with weights.
    Unusable {
        /// The candidate modules.
        modules: Vec<String>,
        /// A sentence without its period.
        reason: String,
    },
    None,
}

/// A network without its head.
pub(super) struct Backbone<'a> {
    pub prefix: &'a str,
    /// The modules that contain its tensors, without submodules.
    pub modules: &'a BTreeSet<String>,
    /// Number of features it outputs.
    pub features: usize,
    /// The prefixes of all networks in the file.
    pub networks: &'a [String],
}

/// Returns the nearest head of a network, inside it or in an enclosing module, and the prefix of
/// that module.
pub(super) fn find(listing: &Listing<'_>, backbone: &Backbone<'_>) -> (Head, String) {
    let prefix = backbone.prefix;
    let mut root = prefix;
    loop {
        let head = match called(listing, root) {
            Head::None => of_other_name(listing, backbone, root),
            head => head,
        };
        match (head, around(root)) {
            (Head::None, Some(outer)) => root = outer,
            (Head::None, None) => return (Head::None, prefix.to_owned()),
            (head, _) => return (head, root.to_owned()),
        }
    }
}

/// Returns the prefix of the enclosing module.
pub(super) fn around(prefix: &str) -> Option<&str> {
    let module = prefix.strip_suffix('.')?;
    Some(match module.rfind('.') {
        Some(dot) => &module[..=dot],
        None => "",
    })
}

/// Returns whether a linear layer has a usual name of a head.
pub(super) fn is_usual(name: &str) -> bool {
    let mut modules = name.split('.');
    modules.any(|module| HEADS.contains(&module))
}

/// Returns the head in a module, if it has a usual name.
fn called(listing: &Listing<'_>, root: &str) -> Head {
    HEADS
        .iter()
        .map(|head| in_module(listing, &format!("{root}{head}")))
        .find(|head| *head != Head::None)
        .unwrap_or(Head::None)
}

/// Returns the only linear layer next to a network's own modules that takes its features.
fn of_other_name(listing: &Listing<'_>, backbone: &Backbone<'_>, root: &str) -> Head {
    let prefix = backbone.prefix;
    let mut linear = Vec::new();
    let mut unusable = None;
    let mut last = String::new();
    for name in listing.within(root) {
        let rest = &name[root.len()..];
        let first = rest.split('.').next().unwrap_or_default();
        let module = format!("{root}{first}");
        if module == last || !takes(listing, name, backbone.features) {
            continue;
        }
        let is_own =
            backbone.modules.contains(&module) || prefix.starts_with(&format!("{module}."));
        let is_other = backbone.networks.iter().any(|other| {
            other.len() > root.len() && name.starts_with(other) && !prefix.starts_with(other)
        });
        let is_for_features = words(first).any(|word| NOT_HEADS.contains(&word.as_str()));
        if is_own || is_other || is_for_features || is_for_training(first) {
            continue;
        }
        last.clone_from(&module);
        match in_module(listing, &module) {
            Head::Linear(name) => linear.push(name),
            head @ Head::Unusable { .. } => unusable = unusable.or(Some(head)),
            Head::None => {}
        }
    }
    match (&linear[..], unusable) {
        ([head], _) => Head::Linear(head.clone()),
        ([], head) => head.unwrap_or(Head::None),
        (several, _) => Head::Unusable {
            reason: format!("several linear layers could be one: {}", quoted(several)),
            modules: linear,
        },
    }
}

/// Returns whether a tensor is the weight of a linear layer with the given number of inputs.
fn takes(listing: &Listing<'_>, name: &str, features: usize) -> bool {
    let shape = listing.shape(name);
    name.ends_with("weight") && matches!(shape, Some([_, inputs]) if *inputs == features)
}

/// Returns the head if a module is a linear layer, or contains one and no other layer.
fn in_module(listing: &Listing<'_>, name: &str) -> Head {
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
        let (module, _) = tensor.rsplit_once('.').unwrap_or_default();
        if linear.last().is_some_and(|last| last == module)
            || is_for_training(&tensor[within.len()..])
        {
            continue;
        }
        match is_linear(module) {
            true => linear.push(module.to_owned()),
            false => other.push(tensor),
        }
    }
    let unusable = |reason: String| Head::Unusable {
        modules: vec![name.to_owned()],
        reason: format!("`{}` cannot be one, because {reason}", shown(name)),
    };
    match (&linear[..], &other[..]) {
        ([], _) => Head::None,
        ([head], []) => Head::Linear(head.clone()),
        ([_], [other, ..]) => unusable(format!(
            "it has other layers before or behind a linear one: `{}`",
            shown(other)
        )),
        (several, _) => unusable(format!("it has {} linear layers", several.len())),
    }
}

/// Maximum number of names that a message lists.
const NAMED: usize = 4;

fn quoted(names: &[String]) -> String {
    let named = names.iter().take(NAMED);
    let named: Vec<String> = named.map(|name| format!("`{}`", shown(name))).collect();
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    named.join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::detect::networks;
    use std::collections::BTreeMap;
    use weights::{Contents, Entry, Precision, StateDict, Tensor, to_safetensors};

    /// Returns the head of the first network in a file with these tensors, and its root. Each
    /// tensor is filled with ones and has the given number of dimensions.
    fn head(tensors: &[(&str, usize)]) -> (Head, String) {
        let mut state_dict = StateDict::new();
        for &(name, dimensions) in tensors {
            let tensor = Tensor::new(vec![1; dimensions], vec![0.0]).unwrap();
            state_dict.insert(name, Entry::Float(tensor)).unwrap();
        }
        let bytes = to_safetensors(&state_dict, &BTreeMap::new(), Precision::Single).unwrap();
        let contents = [Contents::parse(&bytes).unwrap()];
        let listing = Listing::new(&contents).unwrap();
        let found = networks(&listing);
        let prefixes: Vec<String> = found.iter().map(|found| found.prefix.clone()).collect();
        let prefix = prefixes[0].as_str();
        let modules = ["conv1", "layer1"].map(|module| format!("{prefix}{module}"));
        let backbone = Backbone {
            prefix,
            modules: &modules.into(),
            features: 1,
            networks: &prefixes,
        };
        find(&listing, &backbone)
    }

    /// Like [`head`], next to a network behind a prefix.
    fn beside(prefix: &str, tensors: &[(&str, usize)]) -> Head {
        let names = ["conv1.weight", "layer1.0.conv1.weight"].map(|name| format!("{prefix}{name}"));
        let mut all: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 4)).collect();
        all.extend(tensors);
        head(&all).0
    }

    #[test]
    fn head_is_a_single_linear_layer() {
        for name in [
            "fc.0",
            "head.fc",
            "classifier.3",
            "fc.fc",
            "fc.net.0",
            "heads.0",
            "cls_head.fc",
            "module.fc",
            "dense",
            "score",
            "1.2",
        ] {
            let [weight, bias] = ["weight", "bias"].map(|end| format!("{name}.{end}"));
            for prefix in ["", "net.", "0."] {
                let found = beside(prefix, &[(&weight, 2), (&bias, 1)]);
                assert_eq!(found, Head::Linear(name.to_owned()), "{prefix}");
            }
        }
        let loss = [("head.fc.weight", 2), ("head.loss_module.class_weight", 1)];
        assert_eq!(beside("", &loss), Head::Linear("head.fc".to_owned()));
        for none in ["linear.weight", "projector.weight", "criterion.weight"] {
            let dimensions = if none == "linear.weight" { 4 } else { 2 };
            assert_eq!(beside("", &[(none, dimensions)]), Head::None, "{none}");
        }
        assert_eq!(beside("", &[]), Head::None);
    }

    #[test]
    fn unusable_heads_report_reason() {
        for (tensors, modules, part) in [
            (
                [("fc.0.weight", 2), ("fc.3.weight", 2)],
                vec!["fc"],
                "`fc` cannot be one, because it has 2 linear layers",
            ),
            (
                [("fc.0.weight", 1), ("fc.1.weight", 2)],
                vec!["fc"],
                "`fc.0.weight`",
            ),
            (
                [("fc1.weight", 2), ("fc2.weight", 2)],
                vec!["fc1", "fc2"],
                "several linear layers could be one: `fc1`, `fc2`",
            ),
        ] {
            match beside("net.", &tensors) {
                Head::Unusable {
                    modules: found,
                    reason,
                } => {
                    assert_eq!(found, modules);
                    assert!(reason.contains(part), "{reason}");
                }
                head => panic!("{head:?}"),
            }
        }
    }

    #[test]
    fn nearest_linear_layer_is_the_head() {
        let networks = [
            ("model.student.conv1.weight", 4),
            ("model.student.layer1.0.conv1.weight", 4),
            ("model.student.fc.weight", 2),
            ("model.teacher.conv1.weight", 4),
            ("model.teacher.layer1.0.conv1.weight", 4),
            ("fc.weight", 2),
        ];
        let (nearest, root) = head(&networks);
        assert_eq!(nearest, Head::Linear("model.student.fc".to_owned()));
        assert_eq!(root, "model.student.");
        // A linear layer of another network is not a head.
        let (outer, root) = head(&[&networks[..2], &networks[3..]].concat());
        assert_eq!((outer, &*root), (Head::Linear("fc".to_owned()), ""));
    }
}
