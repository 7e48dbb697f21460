//! The network of residual blocks: stem, stages, head.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::block::Block;
use crate::config::ResNetConfig;
use crate::head::Head;
use crate::layout::{BlockLayout, Layout};
use crate::stem::Stem;
use ops::ResidualBackend;

/// A residual network (He et al. 2015, <https://arxiv.org/abs/1512.03385>), built by
/// [`NetworkConfig::init`](crate::NetworkConfig::init).
#[derive(Module, Debug)]
pub struct ResNet<B: Backend> {
    /// Layers before the first stage.
    pub stem: Stem<B>,
    /// Stages; every stage but the first halves height and width.
    pub stages: Vec<Stage<B>>,
    /// Layers after the last stage.
    pub head: Head<B>,
}

/// Blocks of one width; the first may have a stride.
#[derive(Module, Debug)]
pub struct Stage<B: Backend> {
    /// Blocks in order from the input.
    pub blocks: Vec<Block<B>>,
}

impl<B: ResidualBackend> ResNet<B> {
    /// Builds the network from a config that the caller has validated.
    pub(crate) fn new(config: &ResNetConfig, device: &B::Device) -> Self {
        let layout = Layout::new(config);
        let stage = |blocks: &Vec<BlockLayout>| Stage {
            blocks: blocks
                .iter()
                .map(|block| Block::new(block, device))
                .collect(),
        };
        Self {
            stem: Stem::new(&layout.stem, device),
            stages: layout.stages.iter().map(stage).collect(),
            head: Head::new(&layout.head, device),
        }
    }

    /// Maps images `[batch, input_channels, height, width]` to logits `[batch, classes]`.
    pub fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let mut features = self.stem.forward(images);
        for stage in &self.stages {
            features = stage.forward(features);
        }
        self.head.forward(features)
    }
}

impl<B: ResidualBackend> Stage<B> {
    /// Runs the blocks in order.
    pub fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        self.blocks
            .iter()
            .fold(input, |features, block| block.forward(features))
    }
}
