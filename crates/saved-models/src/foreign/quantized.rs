//! Detects networks with quantized weights.

use std::collections::BTreeSet;

use weights::{TensorInfo, TensorKind};

use super::listing::Listing;
use super::select::Candidate;

/// Parts of names that only quantized tensors have, from PyTorch, bitsandbytes, GPTQ, AWQ and
/// compressed-tensors.
const PARTS: [&str; 11] = [
    "_packed_params",
    ".SCB",
    ".quant_state",
    ".quant_map",
    ".absmax",
    ".qweight",
    ".qzeros",
    ".scales",
    ".weight_packed",
    ".weight_scale",
    ".weight_zero_point",
];

/// Returns the name of a tensor that shows that a network is quantized. Searches the whole file if
/// it contains no network.
pub(super) fn quantized_tensor(
    listing: &Listing<'_>,
    candidate: Option<&Candidate>,
) -> Option<String> {
    let modules = candidate.map(Candidate::layers);
    let is_of_network = |tensor: &&TensorInfo| match (&modules, candidate) {
        (Some(modules), _) if !modules.is_empty() => is_in(&tensor.name, modules),
        (_, Some(candidate)) => tensor.name.starts_with(&candidate.naming.prefix),
        (_, None) => true,
    };
    let is_quantized = |tensor: &&TensorInfo| {
        let is_deep = tensor.shape.as_ref().is_none_or(|shape| shape.len() >= 2);
        tensor.kind == TensorKind::Quantized
            || (tensor.kind == TensorKind::Integer && is_deep && tensor.name.ends_with("weight"))
            || PARTS.iter().any(|part| tensor.name.contains(part))
    };
    let found = listing.tensors().filter(is_of_network).find(is_quantized);
    found.map(|tensor| tensor.name.clone())
}

/// Returns whether a tensor is in one of these modules, at any depth.
fn is_in(name: &str, modules: &BTreeSet<String>) -> bool {
    let mut ends = name.match_indices('.').map(|(dot, _)| &name[..dot]);
    ends.any(|module| modules.contains(module))
}
