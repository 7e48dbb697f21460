//! Several views of one image, whose logits are averaged.

use burn::tensor::Tensor;
use burn::tensor::ops::PadMode;
use derive_setters::Setters;
use model::{FoldedNetwork, ResidualBackend};
use serde::{Deserialize, Serialize};

/// Views of each image that the network classifies; their logits are averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Setters, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
#[non_exhaustive]
pub struct Views {
    /// Also its mirror image.
    pub flip: bool,
    /// Also the image shifted by one pixel to the top left and to the bottom right. Pixels from
    /// outside the image have the mean color.
    pub shift: bool,
}

impl Views {
    /// Returns the flags that select these views, such as `--flip-test`, or `None` for the image as
    /// it is.
    pub fn flags(self) -> Option<&'static str> {
        match (self.flip, self.shift) {
            (false, false) => None,
            (true, false) => Some("--flip-test"),
            (false, true) => Some("--shift-test"),
            (true, true) => Some("--flip-test --shift-test"),
        }
    }

    /// Returns the mean logits `[batch, classes]` over all views of images `[batch, channels,
    /// height, width]`.
    pub fn logits<B: ResidualBackend>(
        self,
        network: &FoldedNetwork<B>,
        images: Tensor<B, 4>,
    ) -> Tensor<B, 2> {
        let mut others = match self.shift {
            true => shifted(&images).to_vec(),
            false => Vec::new(),
        };
        if self.flip {
            let mirrored = others
                .iter()
                .chain([&images])
                .map(|view| view.clone().flip([3]));
            others.extend(mirrored.collect::<Vec<_>>());
        }
        let share = 1.0 / (1 + others.len()) as f64;
        let sum = |sum, view| sum + network.forward(view);
        others
            .into_iter()
            .fold(network.forward(images), sum)
            .mul_scalar(share)
    }
}

/// Shifts images `[batch, channels, height, width]` by one pixel to the bottom right and to the top
/// left.
fn shifted<B: ResidualBackend>(images: &Tensor<B, 4>) -> [Tensor<B, 4>; 2] {
    let [_, _, height, width] = images.dims();
    let padded = images.clone().pad((1, 1, 1, 1), PadMode::Constant(0.0)); // 0 is the mean color
    [0, 2].map(|from| {
        let rows = padded.clone().narrow(2, from, height);
        rows.narrow(3, from, width)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tolerance};
    use burn_flex::Flex;

    fn network() -> FoldedNetwork<Flex> {
        let network = model::NetworkConfig::named("resnet8").unwrap();
        network.init::<Flex>(&Default::default()).unwrap().fold()
    }

    fn images() -> Tensor<Flex, 4> {
        Tensor::random([2, 3, 16, 16], Distribution::Default, &Default::default())
    }

    fn assert_near(left: Tensor<Flex, 2>, right: Tensor<Flex, 2>) {
        let tolerance = Tolerance::absolute(1e-5);
        left.into_data()
            .assert_approx_eq::<f32>(&right.into_data(), tolerance);
    }

    #[test]
    fn mirrored_view_has_equal_weight() {
        let (network, images) = (network(), images());
        let views = Views {
            flip: true,
            shift: false,
        };
        let mean = views.logits(&network, images.clone());
        let own = network.forward(images.clone());
        assert!(own.into_data() != mean.clone().into_data());
        assert_near(mean, views.logits(&network, images.flip([3])));
    }

    #[test]
    fn views_average_three_crops_and_mirrors() {
        let (network, images) = (network(), images());
        // Computed by hand: a row and a column of zeros on one side, none on the other.
        let mut places = vec![images.clone()];
        for (from, to) in [(0..15, 1..16), (1..16, 0..15)] {
            let part = images.clone().slice([0..2, 0..3, from.clone(), from]);
            let place = [0..2, 0..3, to.clone(), to];
            places.push(images.zeros_like().slice_assign(place, part));
        }
        for flip in [false, true] {
            if flip {
                let mirrored: Vec<_> = places.iter().map(|place| place.clone().flip([3])).collect();
                places.extend(mirrored);
            }
            let logits = places.iter().map(|place| network.forward(place.clone()));
            let mean = Tensor::stack::<3>(logits.collect(), 0).mean_dim(0);
            let views = Views { flip, shift: true };
            assert_near(
                views.logits(&network, images.clone()),
                mean.squeeze_dim::<2>(0),
            );
        }
    }

    #[test]
    fn single_view_classifies_image_unchanged() {
        let (network, images) = (network(), images());
        let logits = Views::default().logits(&network, images.clone());
        assert_eq!(logits.into_data(), network.forward(images).into_data());
    }
}
