//! The parts of a file outside the network.

use std::collections::{BTreeMap, BTreeSet};

use model::TensorShape;
use weights::{TensorKind, shown};

use super::heads::{Head, around};
use super::listing::Listing;
use super::naming::Naming;
use super::select::Candidate;
use crate::difference::Difference;

/// Words in names of modules and tensors that are only used in training.
const TRAINING: [&str; 46] = [
    "criterion",
    "loss",
    "losses",
    "bce",
    "ce",
    "metric",
    "metrics",
    "acc",
    "accuracy",
    "auc",
    "auroc",
    "f1",
    "precision",
    "recall",
    "specificity",
    "sensitivity",
    "iou",
    "miou",
    "dice",
    "jaccard",
    "kappa",
    "mcc",
    "mse",
    "mae",
    "rmse",
    "ece",
    "fid",
    "confusion",
    "confmat",
    "train",
    "training",
    "val",
    "valid",
    "validation",
    "test",
    "mixup",
    "cutmix",
    "optimizer",
    "optim",
    "opt",
    "scheduler",
    "queue",
    "teacher",
    "ema",
    "momentum",
    "shadow",
];
/// The subset that may occur inside a network's own layers.
const LOSSES: [&str; 5] = ["criterion", "loss", "losses", "metric", "metrics"];
/// Names of numbers that a module stores but does not apply to images.
const CONSTANTS: [&str; 5] = [
    "class_weight",
    "class_weights",
    "pos_weight",
    "best_acc",
    "best_acc1",
];

/// The tensors of a file outside the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rest {
    /// Tensors in the network's module that the network lacks, which means that it is a different
    /// network.
    pub extra: Vec<Difference>,
    /// Modules or other parts of the file, and the number of tensors in each.
    pub left_out: Vec<(String, usize)>,
}

/// Accounts for every tensor of the file. `others` are the networks that were not chosen.
pub(super) fn rest(listing: &Listing<'_>, chosen: &Candidate, others: &[String]) -> Rest {
    let Ok(network) = &chosen.network else {
        return Rest::default();
    };
    let naming = &chosen.naming;
    let tensors = model::tensors(network).unwrap_or_default();
    let mut used = BTreeSet::new();
    for tensor in &tensors {
        used.extend(naming.name(&tensor.name));
        // A batch counter is a single number.
        used.extend(naming.counter(&tensor.name).filter(|counter| {
            let shape = listing.shape(counter);
            shape.is_some_and(|shape| shape.iter().all(|&size| size == 1))
        }));
    }
    used.extend(
        folded_biases(listing, naming, &tensors)
            .into_iter()
            .map(|(_, bias)| bias),
    );
    // The network's own prefix, and those of the enclosing modules up to the one with the head.
    let mut levels = vec![naming.prefix.as_str()];
    while let Some(outer) = levels.last().and_then(|level| around(level))
        && outer.len() >= chosen.root.len()
    {
        levels.push(outer);
    }
    let mut parts_of_network = BTreeSet::new();
    for name in &used {
        for &level in &levels {
            if name.starts_with(level) {
                parts_of_network.insert(first_module(level, name));
            }
        }
    }
    let unusable: &[String] = match &chosen.head {
        Head::Unusable { modules, .. } => modules,
        _ => &[],
    };
    let mut rest = Rest::default();
    let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
    // Cached by module, so that each is examined once.
    let mut has_layers: BTreeMap<String, bool> = BTreeMap::new();
    for tensor in listing.tensors() {
        let name = tensor.name.as_str();
        if used.contains(name) {
            continue;
        }
        let level = levels.iter().find(|level| name.starts_with(**level));
        let is_other = others
            .iter()
            .any(|other| other.len() > chosen.root.len() && name.starts_with(other.as_str()));
        let is_in = |module: &String| {
            name.strip_prefix(module.as_str())
                .is_some_and(|rest| rest.starts_with('.'))
        };
        let is_extra = !is_other
            && !unusable.iter().any(is_in)
            && level.is_some_and(|level| {
                let module = first_module(level, name);
                let rest = &name[level.len()..];
                if parts_of_network.contains(&module) {
                    return !words(rest).any(|word| LOSSES.contains(&word.as_str()));
                }
                if is_for_training(rest) || is_constant(name) {
                    return false;
                }
                tensor.kind == TensorKind::Float
                    || *has_layers
                        .entry(module)
                        .or_insert_with_key(|module| has_layers_in(listing, module))
            });
        if is_extra {
            let name = name.to_owned();
            rest.extra.push(match &tensor.unread {
                Some(reason) => Difference::Unread {
                    name,
                    reason: reason.clone(),
                },
                None => Difference::Extra {
                    name,
                    shape: tensor.shape.clone().unwrap_or_default(),
                },
            });
        } else {
            *left_out.entry(group(name, &naming.prefix)).or_default() += 1;
        }
    }
    rest.left_out = left_out.into_iter().collect();
    rest
}

/// Returns biases of convolutions that the network has no parameter for because a norm follows: the
/// running mean of that norm by our name, and the bias by its name in the file.
pub(super) fn folded_biases(
    listing: &Listing<'_>,
    naming: &Naming,
    tensors: &[TensorShape],
) -> Vec<(String, String)> {
    let own: BTreeSet<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    let bias = |mean: &TensorShape| {
        let layer = mean.name.strip_suffix(".norm.running_mean")?;
        let bias = format!("{layer}.conv.bias");
        if own.contains(bias.as_str()) {
            return None;
        }
        let bias = naming.name(&bias)?;
        let held = listing.tensor(&bias).into();
        let fits = Difference::of(&bias, &mean.shape, held).is_none();
        fits.then(|| (mean.name.clone(), bias))
    };
    tensors.iter().filter_map(bias).collect()
}

/// Returns whether a module contains weights of a layer, of any type.
fn has_layers_in(listing: &Listing<'_>, module: &str) -> bool {
    let is_weight = |name: &str| {
        let is_deep = listing.shape(name).is_none_or(|shape| shape.len() >= 2);
        name.ends_with("running_mean") || (name.ends_with("weight") && is_deep)
    };
    (listing.has(module) && is_weight(module))
        || listing.within(&format!("{module}.")).any(is_weight)
}

/// Returns the part of the file that a tensor belongs to: its name up to the first part that
/// differs from the network's prefix.
fn group(name: &str, prefix: &str) -> String {
    let mut end = 0;
    for part in name.split_inclusive('.') {
        end += part.len();
        if !prefix.starts_with(&name[..end]) {
            break;
        }
    }
    shown(name[..end].trim_end_matches('.'))
}

/// Returns the words of a name in lower case.
pub(super) fn words(name: &str) -> impl Iterator<Item = String> {
    name.split(|character: char| !character.is_ascii_alphanumeric())
        .map(str::to_ascii_lowercase)
}

/// Returns whether a module or tensor is only used in training, judging by its name.
pub(super) fn is_for_training(name: &str) -> bool {
    words(name).any(|word| TRAINING.contains(&word.as_str()))
}

/// Returns whether a tensor is not a layer, judging by the end of its name.
fn is_constant(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_statistic = !last.starts_with("running_")
        && words(last).any(|word| matches!(word.as_str(), "mean" | "std"));
    is_statistic || CONSTANTS.contains(&last)
}

/// Returns the module of a tensor directly after a prefix.
pub(super) fn first_module(prefix: &str, name: &str) -> String {
    let rest = &name[prefix.len()..];
    format!("{prefix}{}", rest.split('.').next().unwrap_or_default())
}
