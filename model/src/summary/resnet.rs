//! The walk through a network of residual blocks.

use super::walk::{Then, Walk};
use crate::config::ResNetConfig;
use crate::layout::{BlockLayout, HeadLayout, Layout, ShortcutLayout, StemLayout};
use crate::shortcut::AVERAGE_POOL;
use crate::stem::{POOL_KERNEL, POOL_PADDING, POOL_STRIDE};

const RELU: Then = Then {
    adds: false,
    relu: true,
    kept: true,
};

pub(super) fn walk(config: &ResNetConfig, walk: &mut Walk) {
    let layout = Layout::new(config);
    stem(&layout.stem, walk);
    for (stage, blocks) in layout.stages.iter().enumerate() {
        for (position, layout) in blocks.iter().enumerate() {
            block(&format!("stages.{stage}.blocks.{position}"), layout, walk);
        }
    }
    head(&layout.head, walk);
}

fn stem(layout: &StemLayout, walk: &mut Walk) {
    for (position, spec) in layout.deep.iter().flatten().enumerate() {
        walk.convolution(&format!("stem.deep.{position}"), spec, RELU);
    }
    walk.convolution("stem.convolution", &layout.convolution, RELU);
    if layout.pooled {
        let [kernel, stride, padding] =
            [POOL_KERNEL, POOL_STRIDE, POOL_PADDING].map(|[edge, _]| edge);
        walk.max_pool("stem.max_pool", kernel, stride, padding);
    }
}

fn block(path: &str, layout: &BlockLayout, walk: &mut Walk) {
    let input = walk.shape();
    if layout.pre_activation.is_some() {
        walk.norm(&format!("{path}.pre_activation"), RELU);
    }
    let last = layout.branch.len() - 1;
    for (position, spec) in layout.branch.iter().enumerate() {
        let branch = format!("{path}.branch.{position}");
        if position < last {
            walk.convolution(&branch, spec, RELU);
            continue;
        }
        if let Some(shortcut) = &layout.shortcut {
            let here = walk.shape();
            walk.go_to(input.clone());
            around(
                &format!("{path}.shortcut"),
                shortcut,
                spec.out_channels,
                walk,
            );
            walk.go_to(here);
        }
        let then = Then {
            adds: layout.shortcut.is_some(),
            relu: layout.relu,
            // The ReLU keeps it, or otherwise the next norm.
            kept: true,
        };
        walk.convolution(&branch, spec, then);
    }
}

/// Walks around the block. No layer keeps the output of a shortcut.
fn around(path: &str, layout: &ShortcutLayout, out_channels: usize, walk: &mut Walk) {
    if let Some(projection) = &layout.projection {
        if layout.average_pool {
            walk.average_pool(&format!("{path}.average_pool"), AVERAGE_POOL);
        }
        walk.convolution(&format!("{path}.projection"), projection, Then::default());
    } else if layout.stride != 1 || layout.padding != [0, 0] {
        walk.zero_pad(path, out_channels, layout.stride);
    }
}

fn head(layout: &HeadLayout, walk: &mut Walk) {
    if layout.norm {
        walk.norm("head.norm", RELU);
    }
    walk.global_average_pool("head.pool");
    walk.linear("head.linear", layout.classes);
}
