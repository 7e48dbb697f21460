//! Assumptions about a weights file, as sentences.

use data::Preprocessing;
use model::{
    BlockKind, BottleneckStride, NetworkChanges, NetworkConfig, ResNetConfig, ShortcutKind,
    StemPool,
};

use super::conventions::source_of;
use super::naming::{Naming, Scheme};
use super::options::ImportOptions;
use crate::description::{Activation, Description};

/// Maximum number of parts of a file that are listed.
const NAMED: usize = 6;

/// Sources of what is known about a network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// The network's name, which determines everything except the epsilon of its norms.
    pub is_named: bool,
    /// A configuration of Hugging Face's transformers.
    pub is_configured: bool,
    /// A description of the preprocessing.
    pub is_prepared: bool,
    /// The order of the layers of a block.
    pub is_in_order: bool,
    /// Class names.
    pub has_classes: bool,
    /// The activation that turns logits into probabilities.
    pub has_activation: bool,
}

/// Returns every assumption in a description as a sentence that names the flag to change it.
pub(super) fn assumptions(
    description: &Description,
    naming: &Naming,
    options: &ImportOptions,
    known: Known,
) -> Vec<String> {
    let mut notes = Vec::new();
    if !known.is_prepared {
        notes.extend(of_images(&description.preprocessing, options));
    }
    if let NetworkConfig::Resnet(config) = &description.network {
        let is_hugging_face = naming.scheme == Scheme::HuggingFace;
        if !known.is_named && !is_hugging_face {
            notes.extend(of_stem(config, &options.changes));
        }
        if !known.is_named && !known.is_configured {
            notes.extend(of_blocks(config, naming, &options.changes));
        }
        let is_known_order = is_hugging_face || naming.scheme == Scheme::Own;
        // In blocks that change the number of channels, the sizes of the norms show the order.
        let tells = |config: &ResNetConfig| {
            let width = config.widths.first();
            config.block == BlockKind::Bottleneck
                || config.widths.iter().any(|other| Some(other) != width)
        };
        if !known.is_named && !known.is_in_order && !is_known_order && !tells(config) {
            notes.push("norms follow the convolutions of each block (post-activation)".to_owned());
        }
        if !is_hugging_face && options.changes.norm_epsilon.is_none() {
            notes.push(format!(
                "norms have epsilon {:e} (--norm-epsilon)",
                config.norm_epsilon
            ));
        }
    }
    if !known.has_classes {
        notes.push(format!("the outputs are {}", description.trained_on));
    }
    if !known.has_activation && options.activation.is_none() {
        notes.push(match description.activation {
            Activation::Softmax => {
                "exactly one class is right, so probabilities add up to 1 (--activation)".to_owned()
            }
            Activation::Sigmoid => {
                "each class is right or wrong independently of the others (--activation)".to_owned()
            }
        });
    }
    notes
        .into_iter()
        .map(|note| format!("assumed: {note}"))
        .collect()
}

fn of_images(preprocessing: &Preprocessing, options: &ImportOptions) -> Vec<String> {
    let mut notes = Vec::new();
    let numbers = |values: &[f32]| {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        values.join(" ")
    };
    if options.mean.is_none() || options.std.is_none() {
        let source = match options.mean.is_none() && options.std.is_none() {
            true => format!(", {}", source_of(preprocessing)),
            false => String::new(),
        };
        notes.push(format!(
            "images are normalized with mean {} and standard deviation {}{source} (--mean, --std)",
            numbers(preprocessing.mean()),
            numbers(preprocessing.std()),
        ));
    }
    let [height, width] = [preprocessing.height(), preprocessing.width()];
    let resize = preprocessing.resize();
    if options.image_size.is_none() || (options.resize.is_none() && resize > height.min(width)) {
        notes.push(match resize > height.max(width) {
            true => format!(
                "the shorter side of images is resized to {resize} pixels, and their center \
                 {height}x{width} is cropped (--resize, --image-size)"
            ),
            false => format!("images have {height}x{width} pixels (--image-size)"),
        });
    }
    notes
}

fn of_stem(config: &ResNetConfig, changes: &NetworkChanges) -> Vec<String> {
    let mut notes = Vec::new();
    if changes.stem_stride.is_none() {
        notes.push(format!(
            "the first convolution has stride {} (--stem-stride)",
            config.first_stride()
        ));
    }
    if changes.stem_pool.is_none() {
        notes.push(match config.first_pool() {
            StemPool::None => "no pool follows the first convolution (--pool max)".to_owned(),
            StemPool::Max => {
                "a 3x3 max pool with stride 2 follows the first convolution (--pool none)"
                    .to_owned()
            }
        });
    }
    notes
}

fn of_blocks(config: &ResNetConfig, naming: &Naming, changes: &NetworkChanges) -> Vec<String> {
    let mut notes = Vec::new();
    if config.block == BlockKind::Bottleneck && changes.bottleneck_stride.is_none() {
        notes.push(match config.bottleneck_stride {
            BottleneckStride::Spatial => {
                "bottlenecks have their stride on the second convolution (--bottleneck-stride first)"
                    .to_owned()
            }
            BottleneckStride::First => {
                "bottlenecks have their stride on the first convolution (--bottleneck-stride second)"
                    .to_owned()
            }
        });
    }
    if changes.shortcut.is_some() {
        return notes;
    }
    if config.shortcut.is_zero_pad() {
        notes.push(
            "shortcuts pad with channels of zeros on both sides (--shortcut zero-pad-end or none)"
                .to_owned(),
        );
    } else if naming.scheme == Scheme::Own && config.shortcut == ShortcutKind::Projection {
        notes.push(
            "no average pool precedes the projections (--shortcut average-pool-projection)"
                .to_owned(),
        );
    } else if config.shortcut == ShortcutKind::Projection && naming.leaves_pool_open() {
        notes.push(
            "the stride of projections is on their convolution (--shortcut average-pool-projection)"
                .to_owned(),
        );
    }
    notes
}

/// Returns a sentence on the parts of the file outside the network, if there are any.
pub(super) fn left_out(parts: &[(String, usize)]) -> Option<String> {
    if parts.is_empty() {
        return None;
    }
    let named: Vec<String> = (parts.iter().take(NAMED))
        .map(|(name, tensors)| match tensors {
            1 => format!("{name} (1 tensor)"),
            tensors => format!("{name} ({tensors} tensors)"),
        })
        .collect();
    let more = match parts.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "left out, because it is not part of the network: {}{more}",
        named.join(", ")
    ))
}
