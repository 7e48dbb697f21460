//! Alone in its file, and so in its process: the seed of a device is shared by all its threads.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend as _;
use burn_flex::Flex;

#[test]
fn weights_depend_only_on_seed() {
    let device = Default::default();
    let config = model::NetworkConfig::named("resnet8").unwrap();
    let logits = |seed: u64| {
        Flex::seed(&device, seed);
        let network = config.init::<Flex>(&device).unwrap();
        network
            .forward(Tensor::ones([1, 3, 8, 8], &device))
            .into_data()
    };
    logits(7).assert_eq(&logits(7), true);
    assert_ne!(logits(7), logits(8));
}
