//! Recognizes a network by the names and shapes in a file.

use model::{
    ActivationOrder, BlockKind, BottleneckStride, DigitConfig, NetworkConfig, ResNetConfig,
    ShortcutKind, StemKind, StemPool,
};
use serde::Serialize;
use weights::shown;

use super::listing::Listing;
use super::naming::{Naming, Scheme};
use super::translate::oriented;
use crate::difference::sizes;

/// Output channels of a bottleneck per unit of width.
const EXPANSION: usize = 4;
const MAX_WIDTH_PER_GROUP: usize = 1024;
const USUAL_WIDTH_PER_GROUP: usize = 64;

/// The first convolution of the first block, and the norm after it.
pub(super) const FIRST_CONVOLUTION: &str = "stages.0.blocks.0.branch.0.conv.weight";
pub(super) const FIRST_NORM: &str = "stages.0.blocks.0.branch.0.norm.gamma";

/// A network's tensors, looked up by our names.
pub(super) struct View<'a> {
    pub listing: &'a Listing<'a>,
    pub naming: &'a Naming,
}

impl View<'_> {
    /// Returns a tensor's shape in our layout.
    fn shape(&self, own: &str) -> Option<Vec<usize>> {
        let shape = self.listing.shape(&self.naming.name(own)?)?;
        Some(oriented(self.naming, shape))
    }

    fn has(&self, own: &str) -> bool {
        self.shape(own).is_some()
    }

    /// Returns the shape of a required tensor.
    fn dimensions<const D: usize>(&self, own: &str) -> Result<[usize; D], String> {
        let name = self.naming.name(own).unwrap_or_else(|| own.to_owned());
        let shape = self
            .shape(own)
            .ok_or_else(|| format!("it has no tensor `{}`", shown(&name)))?;
        shape.clone().try_into().map_err(|_| {
            format!(
                "`{}` is {}, where {D} dimensions are expected",
                shown(&name),
                sizes(&shape)
            )
        })
    }

    /// Returns the channels of the images and the number of classes, which is one if there is no
    /// head.
    pub(super) fn ends(&self) -> Result<[usize; 2], String> {
        if self.is_digit() {
            let [_, channels, ..] = self.dimensions::<4>("convolution1.weight")?;
            let [_, classes] = self.dimensions("linear.weight")?;
            return Ok([channels, classes]);
        }
        let first = match self.is_deep() {
            true => "stem.deep.0.conv.weight",
            false => "stem.convolution.conv.weight",
        };
        let [_, channels, ..] = self.dimensions::<4>(first)?;
        let classes = match &self.naming.head {
            Some(_) => {
                let [_, classes] = self.dimensions("head.linear.weight")?;
                classes
            }
            None => 1,
        };
        Ok([channels, classes])
    }

    /// Returns whether the blocks list a norm before its convolution, as pre-activation networks
    /// do, while the stem does not, which rules out that names are merely sorted.
    fn is_pre_activation(&self) -> bool {
        let position = |own: &str| self.listing.position(&self.naming.name(own)?);
        let precedes = |first: &str, second: &str| match [first, second].map(position) {
            [Some(first), Some(second)] => first < second,
            _ => false,
        };
        self.naming.scheme != Scheme::Own
            && precedes(FIRST_NORM, FIRST_CONVOLUTION)
            && precedes(
                "stem.convolution.conv.weight",
                "stem.convolution.norm.gamma",
            )
    }

    fn is_digit(&self) -> bool {
        self.naming.scheme == Scheme::Own && self.has("convolution1.weight")
    }

    fn is_deep(&self) -> bool {
        self.has("stem.deep.0.conv.weight")
    }
}

/// Returns the network that a file most likely contains, or the reason why it contains none. Does
/// not compare the file's tensors with that network.
pub(super) fn recognize(view: &View<'_>) -> Result<NetworkConfig, String> {
    let [input_channels, classes] = view.ends()?;
    if view.is_digit() {
        return Ok(NetworkConfig::Digit(DigitConfig::new(
            input_channels,
            classes,
        )));
    }
    let stem = stem(view)?;
    let depths = depths(view);
    let block = match view.has("stages.0.blocks.0.branch.2.conv.weight") {
        true => BlockKind::Bottleneck,
        false => BlockKind::Basic,
    };
    let widths = (0..depths.len())
        .map(|stage| width(view, block, stage))
        .collect::<Result<Vec<_>, _>>()?;
    if widths.is_empty() {
        // Reports which tensor is missing.
        view.dimensions::<4>(FIRST_CONVOLUTION)?;
    }
    if view.is_pre_activation() {
        return Err(
            "its blocks have their norms before the convolutions (pre-activation), which is not \
             supported with these names"
                .to_owned(),
        );
    }
    check_stem(view, stem, &widths)?;
    let [groups, width_per_group] = match block {
        BlockKind::Basic => [1, USUAL_WIDTH_PER_GROUP],
        BlockKind::Bottleneck => groups(view, &widths)?,
    };
    let activation = match view.has("head.norm.gamma") {
        true => ActivationOrder::Pre,
        false => ActivationOrder::Post,
    };
    let config = ResNetConfig::imagenet(BlockKind::Basic, [1; 4])
        .with_stem(stem)
        .with_block(block)
        .with_shortcut(ShortcutKind::ZeroPad)
        .with_depths(depths)
        .with_widths(widths)
        .with_groups(groups)
        .with_width_per_group(width_per_group)
        .with_activation(activation)
        .with_convolution_bias(view.has("stem.convolution.conv.bias"))
        .with_input_channels(input_channels)
        .with_classes(classes);
    let found = shortcut(view, &config)?;
    Ok(NetworkConfig::Resnet(config.with_shortcut(found)))
}

fn stem(view: &View<'_>) -> Result<StemKind, String> {
    let [_, _, height, width] = view.dimensions("stem.convolution.conv.weight")?;
    match (view.is_deep(), [height, width]) {
        (true, _) => Ok(StemKind::Deep),
        (false, [7, 7]) => Ok(StemKind::ImageNet),
        (false, [3, 3]) => Ok(StemKind::Cifar),
        (false, _) => Err(format!(
            "its first convolution is {height}x{width}, but only 7x7 and 3x3 are supported"
        )),
    }
}

/// Checks that the stem has the channels of a network with these widths.
fn check_stem(view: &View<'_>, stem: StemKind, widths: &[usize]) -> Result<(), String> {
    let width = widths.first().copied().unwrap_or_default();
    let [channels, ..] = view.dimensions::<4>("stem.convolution.conv.weight")?;
    if channels != width {
        return Err(format!(
            "its stem has {channels} channels, but the first stage has {width}, which is not \
             supported"
        ));
    }
    if stem == StemKind::Deep {
        let [first, ..] = view.dimensions::<4>("stem.deep.0.conv.weight")?;
        if first != width / 2 {
            return Err(format!(
                "its deep stem starts with {first} channels, but only {}, half of its last, are \
                 supported",
                width / 2
            ));
        }
    }
    Ok(())
}

/// Returns the number of blocks in each stage, counted without gaps.
fn depths(view: &View<'_>) -> Vec<usize> {
    let depth = |stage: usize| {
        (0..)
            .take_while(|block| {
                view.has(&format!(
                    "stages.{stage}.blocks.{block}.branch.0.conv.weight"
                ))
            })
            .count()
    };
    (0..).map(depth).take_while(|&depth| depth > 0).collect()
}

fn width(view: &View<'_>, block: BlockKind, stage: usize) -> Result<usize, String> {
    let (last, expansion) = match block {
        BlockKind::Basic => (1, 1),
        BlockKind::Bottleneck => (2, EXPANSION),
    };
    let own = format!("stages.{stage}.blocks.0.branch.{last}.conv.weight");
    let [channels, ..] = view.dimensions::<4>(&own)?;
    match channels.is_multiple_of(expansion) {
        true => Ok(channels / expansion),
        false => Err(format!(
            "a bottleneck of its stage {} has {channels} channels, which is not a multiple of \
             {EXPANSION}",
            stage + 1
        )),
    }
}

/// Returns the number of groups, and the width of each in a stage of width 64.
fn groups(view: &View<'_>, widths: &[usize]) -> Result<[usize; 2], String> {
    let mut inner = Vec::with_capacity(widths.len());
    let mut groups = 1;
    for stage in 0..widths.len() {
        let own = format!("stages.{stage}.blocks.0.branch.1.conv.weight");
        let [channels, in_group, ..] = view.dimensions::<4>(&own)?;
        if stage == 0 {
            groups = channels.checked_div(in_group).unwrap_or(0);
        }
        inner.push(channels);
    }
    let fits = |&width_per_group: &usize| {
        let config = ResNetConfig::imagenet(BlockKind::Bottleneck, [1; 4])
            .with_groups(groups)
            .with_width_per_group(width_per_group);
        // The config rejects larger numbers later, but they must not overflow here.
        let most = |&width: &usize| width <= 1 << 20 && groups <= 1 << 20;
        widths.iter().all(most)
            && widths
                .iter()
                .zip(&inner)
                .all(|(&width, &inner)| config.inner_channels(width) == inner)
    };
    // With narrow stages, several widths yield the same network.
    let found = std::iter::once(USUAL_WIDTH_PER_GROUP)
        .chain(1..=MAX_WIDTH_PER_GROUP)
        .find(fits);
    let width_per_group = found.ok_or_else(|| {
        format!(
            "the 3x3 convolutions of its bottlenecks have {} channels in {groups} groups, which do \
             not grow with the stages' widths {}",
            sizes(&inner),
            sizes(widths)
        )
    })?;
    Ok([groups, width_per_group])
}

fn shortcut(view: &View<'_>, config: &ResNetConfig) -> Result<ShortcutKind, String> {
    let [mut channels, ..] = view.dimensions::<4>("stem.convolution.conv.weight")?;
    let mut first = None;
    let mut always = false;
    let mut without = None;
    let mut changes_ever = false;
    for (stage, (&depth, &width)) in config.depths.iter().zip(&config.widths).enumerate() {
        let out_channels = config.block.out_channels(width);
        for block in 0..depth {
            let changes = channels != out_channels || (stage > 0 && block == 0);
            let path = format!("stages.{stage}.blocks.{block}.shortcut.projection");
            let projects = view.has(&format!("{path}.conv.weight"));
            always |= projects && !changes;
            changes_ever |= changes;
            if !projects {
                without.get_or_insert((stage, block));
            }
            if projects {
                first.get_or_insert(path);
            }
            channels = out_channels;
        }
    }
    let Some(path) = first else {
        return Ok(match changes_ever {
            true => ShortcutKind::ZeroPad,
            // All kinds except C yield the same network.
            false => ShortcutKind::Projection,
        });
    };
    if always && let Some((stage, block)) = without {
        return Err(format!(
            "a block that changes no sizes has a projection in its shortcut, but block {} of \
             stage {} has none, which is not supported",
            block + 1,
            stage + 1
        ));
    }
    let has_norm = view.has(&format!("{path}.norm.gamma"));
    Ok(if always {
        ShortcutKind::ProjectionAlways
    } else if view.has(&format!("{path}.conv.bias")) && !has_norm {
        ShortcutKind::PlainProjection
    } else if view.naming.pools_before_projection() {
        ShortcutKind::AveragePoolProjection
    } else {
        ShortcutKind::Projection
    })
}

/// Returns the registry's name of a network, regardless of its channels and classes, or a
/// description if it has no name.
pub(super) fn name(config: &NetworkConfig) -> String {
    let mut candidates: Vec<String> = model::names().into_iter().map(str::to_owned).collect();
    if let NetworkConfig::Resnet(config) = config
        && let Some(blocks) = config.depths.first()
    {
        let layers = 6 * blocks + 2;
        candidates.extend(["resnet", "preresnet", "plain"].map(|name| format!("{name}{layers}")));
    }
    let known = candidates.into_iter().find(|name| {
        model::NetworkConfig::named(name).is_ok_and(|known| {
            known
                .with_classes(config.classes())
                .with_input_channels(config.input_channels())
                == *config
        })
    });
    known.unwrap_or_else(|| words(config))
}

fn words(config: &NetworkConfig) -> String {
    let NetworkConfig::Resnet(config) = config else {
        return "the digit network".to_owned();
    };
    let list = |numbers: &[usize]| {
        let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
        numbers.join("-")
    };
    let mut text = format!(
        "ResNet with {} stem, {} {} blocks of width {}, {} shortcuts",
        word(config.stem),
        list(&config.depths),
        word(config.block),
        list(&config.widths),
        word(config.shortcut),
    );
    if (config.groups, config.width_per_group) != (1, USUAL_WIDTH_PER_GROUP) {
        text += &format!(", {}x{}d", config.groups, config.width_per_group);
    }
    if config.activation == ActivationOrder::Pre {
        text += ", pre-activation";
    }
    if let Some(stride) = config.stem_stride {
        text += &format!(", stem stride {stride}");
    }
    match config.stem_pool {
        Some(StemPool::Max) => text += ", max pool",
        Some(StemPool::None) => text += ", no pool",
        None => {}
    }
    if config.bottleneck_stride == BottleneckStride::First && config.block == BlockKind::Bottleneck
    {
        text += ", stride on the first convolution";
    }
    if config.norm_epsilon != ResNetConfig::imagenet(config.block, [1; 4]).norm_epsilon {
        text += &format!(", norm epsilon {}", config.norm_epsilon);
    }
    text
}

/// Returns a kind's name in files.
fn word(kind: impl Serialize) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
