//! The walk through the digit network.

use super::LayerKind;
use super::walk::Walk;
use crate::config::DigitConfig;
use crate::convolution::{ConvolutionSpec, Norm};
use crate::digit::{BLOCK_WIDTH, CHANNELS, POOL};

pub(super) fn walk(config: &DigitConfig, walk: &mut Walk) {
    let [first, second] = CHANNELS;
    for (number, out_channels, kernel) in [(1, first, 5), (2, second, 3)] {
        let name = format!("convolution{number}");
        convolution(&name, out_channels, kernel, 0, true, walk);
        walk.max_pool(&format!("max_pool{number}"), POOL, POOL, 0);
        walk.same(&format!("relu{number}"), LayerKind::Relu, true);
        let block = format!("block{number}");
        convolution(
            &format!("{block}.convolution1"),
            BLOCK_WIDTH,
            5,
            2,
            true,
            walk,
        );
        // The following addition keeps only its own output.
        convolution(
            &format!("{block}.convolution2"),
            out_channels,
            3,
            1,
            false,
            walk,
        );
        let addition = LayerKind::Addition { relu: true };
        walk.same(&format!("{block}.addition"), addition, true);
    }
    walk.linear("linear", config.classes);
}

fn convolution(
    name: &str,
    out_channels: usize,
    kernel: usize,
    padding: usize,
    kept: bool,
    walk: &mut Walk,
) {
    let spec = ConvolutionSpec {
        epsilon: 0.0,
        in_channels: walk.channels(),
        out_channels,
        kernel,
        stride: 1,
        groups: 1,
        bias: true,
        norm: Norm::None,
    };
    walk.plain_convolution(name, &spec, padding, kept);
}
