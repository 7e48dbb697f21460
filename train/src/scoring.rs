//! Scoring a network on a set of pictures.

use std::ops::ControlFlow;

use burn::data::dataloader::{DataLoader, Progress};
use burn::tensor::Tensor;
use burn_train::metric::ItemLazy as _;
use data::ImageBatch;
use model::{FoldedNetwork, Network, ResidualBackend};

use crate::classifier::{Fetched, classified};
use crate::evaluation::Tally;

/// Scores a network on every batch of a loader, and tells of each. With `mirrored`, the logits of a
/// picture are the mean of its own and its mirror image's. What it comes to is added to `tally`.
///
/// None if it was told to break off.
pub(crate) fn score<B: ResidualBackend>(
    network: &Network<B>,
    loader: &dyn DataLoader<B, ImageBatch<B>>,
    mirrored: bool,
    mut tally: Tally,
    each: &mut dyn FnMut(Fetched<B>, Progress) -> ControlFlow<()>,
) -> Option<Tally> {
    let folded = network.fold();
    let mut batches = loader.iter();
    while let Some(batch) = batches.next() {
        let logits = logits(&folded, batch.images, mirrored);
        let output = classified(logits, batch.targets).sync();
        tally.add(output.output.clone(), output.targets.clone());
        if each(output, batches.progress()).is_break() {
            return None;
        }
    }
    Some(tally)
}

fn logits<B: ResidualBackend>(
    network: &FoldedNetwork<B>,
    images: Tensor<B, 4>,
    mirrored: bool,
) -> Tensor<B, 2> {
    if !mirrored {
        return network.forward(images);
    }
    let mirror = images.clone().flip([3]);
    (network.forward(images) + network.forward(mirror)).mul_scalar(0.5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tolerance};
    use burn_flex::Flex;

    #[test]
    fn mirrored_pictures_count_as_much_as_their_own() {
        let device = Default::default();
        let network = model::network("resnet8").unwrap();
        let network = network.init::<Flex>(&device).unwrap().fold();
        let images = Tensor::<Flex, 4>::random([2, 3, 16, 16], Distribution::Default, &device);
        let mean = logits(&network, images.clone(), true);
        let mirrored = logits(&network, images.clone().flip([3]), true);
        let tolerance = Tolerance::absolute(1e-5);
        mean.to_data()
            .assert_approx_eq::<f32>(&mirrored.into_data(), tolerance);
        let own = logits(&network, images, false).into_data();
        assert!(own != mean.into_data());
    }
}
