//! Chooses one of the networks in a file.

use std::collections::BTreeSet;

use model::{NetworkConfig, TensorShape};

use super::heads::{self, Backbone, Head};
use super::listing::Listing;
use super::naming::{Naming, Scheme};
use super::recognize::{FIRST_CONVOLUTION, FIRST_NORM, View};
use super::rest::{first_module, words};
use super::translate::oriented;
use crate::difference::Difference;

/// Words in the names of averages of a network's weights.
const AVERAGES: [&str; 6] = ["ema", "average", "averaged", "avg", "swa", "shadow"];
/// Words in the names of networks with different roles, so that neither is the obvious choice.
const ROLES: [&str; 2] = ["student", "teacher"];
/// A network that was found, and how well the file's tensors fit it.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub naming: Naming,
    pub head: Head,
    pub root: String,
    /// The network, or the reason why there is none.
    pub network: Result<NetworkConfig, String>,
    /// A tensor of the network, by our name, that networks of this naming lack.
    pub unnamed: Option<String>,
    /// Tensors of the network that are missing from the file or differ in it.
    pub differences: Vec<Difference>,
    /// Number of tensors that match.
    pub matched: usize,
    /// Number of elements in them.
    pub size: usize,
}

/// Returns the network that tensors form, or the reason why they form none.
pub(super) type NetworkOf<'f> = &'f dyn Fn(&View<'_>) -> Result<NetworkConfig, String>;

/// The result of choosing.
pub(super) enum Choice {
    One(Box<Candidate>),
    /// Complete networks of equal rank, by the keys that distinguish them.
    Several(Vec<String>),
    /// No names start as a network's do.
    Nothing,
}

impl Candidate {
    /// Recognizes the network, unless it is known. `networks` are the prefixes of all networks in
    /// the file.
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
                // A backbone has no head and needs none.
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

    /// Returns whether all tensors of the network are present.
    pub(super) fn is_whole(&self) -> bool {
        self.network.is_ok()
            && self.unnamed.is_none()
            && self.differences.is_empty()
            && self.matched > 0
    }

    pub(super) fn has_head(&self) -> bool {
        self.naming.head.is_some()
    }

    /// Returns the layers of the network by their names in the file, without the head of a
    /// backbone.
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

    /// Returns whether the file shows that convolutions precede norms in blocks, which shapes may
    /// not show.
    pub(super) fn is_in_order(&self, listing: &Listing<'_>) -> bool {
        let position = |own: &str| listing.position(&self.naming.name(own)?);
        let place = [FIRST_CONVOLUTION, FIRST_NORM].map(position);
        matches!(place, [Some(convolution), Some(norm)] if convolution < norm)
    }

    /// Returns the key that selects the network in [`ImportOptions`](super::ImportOptions).
    fn key(&self) -> String {
        self.root.trim_end_matches('.').to_owned()
    }

    fn has_word(&self, wanted: &[&str]) -> bool {
        words(&self.naming.prefix).any(|word| wanted.contains(&word.as_str()))
    }
}

fn own_head(listing: &Listing<'_>, naming: &Naming) -> Head {
    let digit = format!("{}linear", naming.prefix);
    match naming.head.clone() {
        Some(head) if listing.has(&format!("{head}.weight")) => Head::Linear(head),
        Some(_) if listing.has(&format!("{digit}.weight")) => Head::Linear(digit),
        _ => Head::None,
    }
}

/// Returns the modules after a network's prefix that contain its tensors, without submodules.
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

/// Chooses the complete network with the most tensors, or the best incomplete one if none is
/// complete.
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
    // A copy inside a network's module belongs to it.
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

/// Returns whether two candidates are the same network with equal values.
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
            // Neither network has a head.
            names => names == [None, None],
        }
    })
}

/// Keeps only the preferred candidates, if there are any.
fn prefer(candidates: &mut Vec<Candidate>, is_preferred: impl Fn(&Candidate) -> bool) {
    if candidates.iter().any(&is_preferred) {
        candidates.retain(is_preferred);
    }
}
