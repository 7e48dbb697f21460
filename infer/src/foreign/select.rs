//! Which of a file's tensors are the network, and what the rest is.

use std::collections::{BTreeMap, BTreeSet};

use model::{NetworkConfig, TensorShape};
use weights::shown;

use super::detect::{Found, Head, around};
use super::error::Difference;
use super::listing::Listing;
use super::naming::Naming;
use super::recognise::View;
use super::translate::oriented;

/// Parts of names that averages of a network's weights have.
const AVERAGES: [&str; 6] = ["ema", "average", "averaged", "avg", "swa", "shadow"];
/// Parts of names of networks that play different parts, so that none of them is the one.
const ROLES: [&str; 2] = ["student", "teacher"];
/// Parts of names of what is used in training alone.
const TRAINING: [&str; 19] = [
    "criterion",
    "loss",
    "losses",
    "metric",
    "metrics",
    "acc",
    "accuracy",
    "auc",
    "auroc",
    "f1",
    "precision",
    "recall",
    "confusion",
    "confmat",
    "optimizer",
    "scheduler",
    "queue",
    "teacher",
    "ema",
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
    /// Recognises the network, unless it is known.
    pub(super) fn new(listing: &Listing<'_>, found: Found, network_of: NetworkOf<'_>) -> Self {
        let Found {
            mut naming,
            head,
            root,
        } = found;
        let view = View {
            listing,
            naming: &naming,
        };
        let network = network_of(&view);
        let mut head = head;
        if head == Head::None
            && let Ok(network) = &network
            && let Some(name) = only_linear(listing, &naming, &root, network)
        {
            naming.head = Some(name.clone());
            head = Head::Linear(name);
            return Self::new(listing, Found { naming, head, root }, network_of);
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
            let difference = match listing.shape(&name) {
                None => Some(Difference::Missing {
                    name,
                    shape: expected,
                }),
                Some(found) if found != expected => Some(Difference::Shape {
                    name,
                    found: found.to_vec(),
                    expected,
                }),
                Some(_) if !listing.is_float(&name) => Some(Difference::Integers { name }),
                Some(_) => None,
            };
            match difference {
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

    /// What leads to the network: a key that [`ImportOptions`](super::ImportOptions) takes.
    fn key(&self) -> String {
        self.root.trim_end_matches('.').to_owned()
    }

    fn has_word(&self, words: &[&str]) -> bool {
        parts(&self.naming.prefix).any(|part| words.contains(&part.as_str()))
    }
}

/// The words of a name.
fn parts(name: &str) -> impl Iterator<Item = String> {
    name.split(|character: char| !character.is_ascii_alphanumeric())
        .map(str::to_ascii_lowercase)
}

/// A linear layer for the network's features by another name, if it is the only one at its place.
fn only_linear(
    listing: &Listing<'_>,
    naming: &Naming,
    root: &str,
    network: &NetworkConfig,
) -> Option<String> {
    let NetworkConfig::Resnet(config) = network else {
        return None;
    };
    let features = config.block.out_channels(*config.widths.last()?);
    let mut linear = listing.within(root).filter_map(|name| {
        let module = name.strip_suffix(".weight")?;
        let shape = listing.shape(name)?;
        let fits = matches!(*shape, [_, inputs] if inputs == features);
        let is_training =
            parts(&module[root.len()..]).any(|part| TRAINING.contains(&part.as_str()));
        let is_inner = module.strip_prefix(&naming.prefix)?.contains('.');
        (fits && !is_training && !is_inner).then(|| module.to_owned())
    });
    let first = linear.next()?;
    linear.next().is_none().then_some(first)
}

/// The whole network of most tensors; the best of those that are not whole, if none is.
pub(super) fn choose(candidates: Vec<Candidate>) -> Choice {
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
    match whole.len() {
        1 => Choice::One(Box::new(whole.swap_remove(0))),
        _ => Choice::Several(whole.iter().map(Candidate::key).collect()),
    }
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
    let mut used = BTreeSet::new();
    for tensor in model::tensors(network).unwrap_or_default() {
        used.extend(naming.name(&tensor.name));
        // A counter is a single number.
        used.extend(naming.counter(&tensor.name).filter(|counter| {
            let shape = listing.shape(counter);
            shape.is_some_and(|shape| shape.iter().all(|&size| size == 1))
        }));
    }
    // The network's own prefix, and those of the modules around it up to that with the head.
    let mut levels = vec![naming.prefix.as_str()];
    while let Some(outer) = levels.last().and_then(|level| around(level))
        && outer.len() >= chosen.root.len()
    {
        levels.push(outer);
    }
    let module = |level: &str, name: &str| {
        let first = name[level.len()..].split('.').next().unwrap_or_default();
        format!("{level}{first}")
    };
    let mut parts_of_network = BTreeSet::new();
    for name in &used {
        for &level in &levels {
            if name.starts_with(level) {
                parts_of_network.insert(module(level, name));
            }
        }
    }
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
        let is_extra = !is_other
            && level.is_some_and(|level| {
                let module = module(level, name);
                if parts_of_network.contains(&module) {
                    return true;
                }
                *has_layers
                    .entry(module)
                    .or_insert_with_key(|module| is_layer(listing, level, module))
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

/// Whether a module beside the network's own looks like a part of it that images pass through.
fn is_layer(listing: &Listing<'_>, level: &str, module: &str) -> bool {
    if parts(&module[level.len()..]).any(|part| TRAINING.contains(&part.as_str())) {
        return false;
    }
    let is_weight = |name: &str| {
        let is_deep = listing.shape(name).is_none_or(|shape| shape.len() >= 2);
        name.ends_with("running_mean") || (name.ends_with("weight") && is_deep)
    };
    listing
        .within(module)
        .filter(|name| name[module.len()..].starts_with('.') || name.len() == module.len())
        .any(is_weight)
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
