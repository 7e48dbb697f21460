//! Which of a file's tensors are the network, and what the rest is.

use std::collections::{BTreeMap, BTreeSet};

use model::{NetworkConfig, TensorShape};
use weights::{TensorKind, shown};

use super::error::Difference;
use super::heads::{self, Backbone, Head, around};
use super::listing::Listing;
use super::naming::{Naming, Scheme};
use super::recognise::{FIRST_CONVOLUTION, FIRST_NORM, View};
use super::translate::oriented;

/// Parts of names that averages of a network's weights have.
const AVERAGES: [&str; 6] = ["ema", "average", "averaged", "avg", "swa", "shadow"];
/// Parts of names of networks that play different parts, so that none of them is the one.
const ROLES: [&str; 2] = ["student", "teacher"];
/// Parts of names of what is used in training alone.
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
/// Of these, what may be inside of a network's own layers.
const LOSSES: [&str; 5] = ["criterion", "loss", "losses", "metric", "metrics"];
/// Names of numbers that a module carries and images do not pass through.
const CONSTANTS: [&str; 5] = [
    "class_weight",
    "class_weights",
    "pos_weight",
    "best_acc",
    "best_acc1",
];

/// A network that was found, and how well the file's tensors fit it.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub naming: Naming,
    pub head: Head,
    pub root: String,
    /// The network, or why it is none.
    pub network: Result<NetworkConfig, String>,
    /// A tensor of the network, by our name, that networks of this naming have not.
    pub unnamed: Option<String>,
    /// Tensors of the network that are not in the file as they should be.
    pub differences: Vec<Difference>,
    /// How many are.
    pub matched: usize,
    /// Numbers in them.
    pub size: usize,
}

/// The network that tensors are, or why they are none.
pub(super) type NetworkOf<'f> = &'f dyn Fn(&View<'_>) -> Result<NetworkConfig, String>;

/// What could be chosen.
pub(super) enum Choice {
    One(Box<Candidate>),
    /// Whole networks of equal standing, by the keys that tell them apart.
    Several(Vec<String>),
    /// Nothing starts as a network does.
    Nothing,
}

impl Candidate {
    /// Recognizes the network, unless it is known. `networks` are the prefixes of all in the file.
    pub(super) fn new(
        listing: &Listing<'_>,
        mut naming: Naming,
        networks: &[String],
        network_of: NetworkOf<'_>,
    ) -> Self {
        let of = |naming: &Naming| network_of(&View { listing, naming });
        let mut network = of(&naming);
        let (mut head, mut root) = (own_head(listing, &naming), naming.prefix.clone());
        if naming.scheme != Scheme::Own
            && let Ok(NetworkConfig::Resnet(config)) = &network
        {
            let width = config.widths.last().copied().unwrap_or_default();
            let backbone = Backbone {
                prefix: &naming.prefix,
                modules: &own_modules(&naming, network.as_ref().ok()),
                features: config.block.out_channels(width),
                networks,
            };
            (head, root) = heads::find(listing, &backbone);
            if let Head::Linear(name) = &head {
                naming.head = Some(name.clone());
                network = of(&naming);
            }
        }
        let mut candidate = Self {
            naming,
            head,
            root,
            network,
            unnamed: None,
            differences: Vec::new(),
            matched: 0,
            size: 0,
        };
        candidate.compare(listing);
        candidate
    }

    fn compare(&mut self, listing: &Listing<'_>) {
        let tensors = match &self.network {
            Ok(network) => model::tensors(network).unwrap_or_default(),
            Err(_) => return,
        };
        for TensorShape { name: own, shape } in tensors {
            let Some(name) = self.naming.name(&own) else {
                // A backbone has no head, and needs none.
                if !own.starts_with("head.linear.") {
                    self.unnamed.get_or_insert(own);
                }
                continue;
            };
            let expected = oriented(&self.naming, &shape);
            let found = listing.tensor(&name).into();
            match Difference::of(&name, &expected, found) {
                Some(difference) => self.differences.push(difference),
                None => {
                    self.matched += 1;
                    self.size += shape.iter().product::<usize>();
                }
            }
        }
    }

    /// Whether all tensors of a network are there.
    pub(super) fn is_whole(&self) -> bool {
        self.network.is_ok()
            && self.unnamed.is_none()
            && self.differences.is_empty()
            && self.matched > 0
    }

    pub(super) fn has_head(&self) -> bool {
        self.naming.head.is_some()
    }

    /// The layers of the network by their names in the file; the head of a backbone is none.
    pub(super) fn layers(&self) -> BTreeSet<String> {
        let tensors = self.network.as_ref().ok().map(model::tensors);
        let tensors = tensors.and_then(Result::ok).unwrap_or_default();
        let names = tensors
            .iter()
            .filter_map(|tensor| self.naming.name(&tensor.name));
        let mut layers: BTreeSet<String> = names
            .filter_map(|name| Some(name.rsplit_once('.')?.0.to_owned()))
            .collect();
        if !layers.is_empty() && !self.has_head() {
            layers.extend(["fc", "classifier", "head"].map(|head| format!("{}{head}", self.root)));
        }
        layers
    }

    /// Whether the file tells that convolutions precede norms in blocks, which shapes may not.
    pub(super) fn is_in_order(&self, listing: &Listing<'_>) -> bool {
        let position = |own: &str| listing.position(&self.naming.name(own)?);
        let place = [FIRST_CONVOLUTION, FIRST_NORM].map(position);
        matches!(place, [Some(convolution), Some(norm)] if convolution < norm)
    }

    /// What leads to the network: a key that [`ImportOptions`](super::ImportOptions) takes.
    fn key(&self) -> String {
        self.root.trim_end_matches('.').to_owned()
    }

    fn has_word(&self, wanted: &[&str]) -> bool {
        words(&self.naming.prefix).any(|word| wanted.contains(&word.as_str()))
    }
}

/// The words of a name, in lower case.
pub(super) fn words(name: &str) -> impl Iterator<Item = String> {
    name.split(|character: char| !character.is_ascii_alphanumeric())
        .map(str::to_ascii_lowercase)
}

/// Whether a module or tensor is used in training alone, by its name.
pub(super) fn is_for_training(name: &str) -> bool {
    words(name).any(|word| TRAINING.contains(&word.as_str()))
}

/// Whether a tensor is no layer by the end of its name.
fn is_constant(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_statistic = !last.starts_with("running_")
        && words(last).any(|word| matches!(word.as_str(), "mean" | "std"));
    is_statistic || CONSTANTS.contains(&last)
}

fn own_head(listing: &Listing<'_>, naming: &Naming) -> Head {
    let digit = format!("{}linear", naming.prefix);
    match naming.head.clone() {
        Some(head) if listing.has(&format!("{head}.weight")) => Head::Linear(head),
        Some(_) if listing.has(&format!("{digit}.weight")) => Head::Linear(digit),
        _ => Head::None,
    }
}

/// The modules behind a network's prefix that hold its tensors, without what is in them.
fn own_modules(naming: &Naming, network: Option<&NetworkConfig>) -> BTreeSet<String> {
    let tensors = network.and_then(|network| model::tensors(network).ok());
    let tensors = tensors.unwrap_or_default();
    let names = tensors
        .iter()
        .filter_map(|tensor| naming.name(&tensor.name));
    names
        .filter(|name| name.starts_with(&naming.prefix))
        .map(|name| first_module(&naming.prefix, &name))
        .collect()
}

/// The module of a tensor right behind a prefix.
fn first_module(prefix: &str, name: &str) -> String {
    let rest = &name[prefix.len()..];
    format!("{prefix}{}", rest.split('.').next().unwrap_or_default())
}

/// The whole network of most tensors; the best of those that are not whole, if none is.
pub(super) fn choose(listing: &Listing<'_>, candidates: Vec<Candidate>) -> Choice {
    let mut whole: Vec<Candidate> = candidates
        .iter()
        .filter(|candidate| candidate.is_whole())
        .cloned()
        .collect();
    if whole.is_empty() {
        return match candidates
            .into_iter()
            .rev()
            .max_by_key(|candidate| candidate.matched)
        {
            Some(best) => Choice::One(Box::new(best)),
            None => Choice::Nothing,
        };
    }
    prefer(&mut whole, Candidate::has_head);
    prefer(&mut whole, |candidate| !candidate.has_word(&AVERAGES));
    // A copy within a network's module belongs to it.
    let outermost = whole[0].root.clone();
    if whole[1..]
        .iter()
        .all(|other| other.root.len() > outermost.len() && other.root.starts_with(&outermost))
    {
        whole.truncate(1);
    }
    if !whole.iter().any(|candidate| candidate.has_word(&ROLES)) {
        let largest = whole.iter().map(|candidate| candidate.size).max();
        prefer(&mut whole, |candidate| Some(candidate.size) == largest);
    }
    if whole[1..]
        .iter()
        .all(|other| are_equal(listing, &whole[0], other))
    {
        whole.truncate(1);
    }
    match whole.len() {
        1 => Choice::One(Box::new(whole.swap_remove(0))),
        _ => Choice::Several(whole.iter().map(Candidate::key).collect()),
    }
}

/// Whether two candidates are one network twice, number for number.
fn are_equal(listing: &Listing<'_>, one: &Candidate, other: &Candidate) -> bool {
    let (Ok(network), Ok(same)) = (&one.network, &other.network) else {
        return false;
    };
    let tensors = match network == same && one.has_head() == other.has_head() {
        true => model::tensors(network).unwrap_or_default(),
        false => return false,
    };
    tensors.iter().all(|tensor| {
        let names = [one, other].map(|candidate| candidate.naming.name(&tensor.name));
        match names {
            [Some(one), Some(other)] => {
                let read = listing.read(&[&one, &other]);
                read.is_ok_and(|entries| entries[0] == entries[1])
            }
            // Neither has a head.
            names => names == [None, None],
        }
    })
}

/// Keeps those that are preferred, if there are some.
fn prefer(candidates: &mut Vec<Candidate>, is_preferred: impl Fn(&Candidate) -> bool) {
    if candidates.iter().any(&is_preferred) {
        candidates.retain(is_preferred);
    }
}

/// What of a file is not the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rest {
    /// Tensors that belong to the network's module and that the network has not: it is another one.
    pub extra: Vec<Difference>,
    /// Modules, or other parts of the file, and how many tensors each has.
    pub left_out: Vec<(String, usize)>,
}

/// Accounts for every tensor of the file. `others` are networks that were not chosen.
pub(super) fn rest(listing: &Listing<'_>, chosen: &Candidate, others: &[String]) -> Rest {
    let Ok(network) = &chosen.network else {
        return Rest::default();
    };
    let naming = &chosen.naming;
    let tensors = model::tensors(network).unwrap_or_default();
    let mut used = BTreeSet::new();
    for tensor in &tensors {
        used.extend(naming.name(&tensor.name));
        // A counter is a single number.
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
    // The network's own prefix, and those of the modules around it up to that with the head.
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
    // By module, so that each is looked at once.
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
            rest.extra.push(Difference::Extra {
                name: name.to_owned(),
                shape: tensor.shape.clone().unwrap_or_default(),
            });
        } else {
            *left_out.entry(group(name, &naming.prefix)).or_default() += 1;
        }
    }
    rest.left_out = left_out.into_iter().collect();
    rest
}

/// Biases of convolutions that the network has no place for, because a norm follows: the running
/// mean of that norm by our name, and the bias by its name in the file.
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

/// Whether a module holds weights of a layer, of whatever numbers.
fn has_layers_in(listing: &Listing<'_>, module: &str) -> bool {
    let is_weight = |name: &str| {
        let is_deep = listing.shape(name).is_none_or(|shape| shape.len() >= 2);
        name.ends_with("running_mean") || (name.ends_with("weight") && is_deep)
    };
    (listing.has(module) && is_weight(module))
        || listing.within(&format!("{module}.")).any(is_weight)
}

/// The part of the file that a tensor belongs to: the first part of its name that differs from the
/// network's prefix.
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
