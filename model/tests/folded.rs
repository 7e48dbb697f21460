//! Folded networks against the networks they are made of.

use burn::module::{Param, RunningState};
use burn::tensor::{Distribution, Tensor, backend::Backend as _};
use burn_flex::Flex;
use model::{BatchNorm, Convolution, Network, network};

/// As after training: nothing is at its start any more.
fn randomise(norm: &mut BatchNorm<Flex>) {
    let [channels] = norm.gamma.dims();
    let random = |low, high| {
        let distribution = Distribution::Uniform(low, high);
        Tensor::<Flex, 1>::random([channels], distribution, &Default::default())
    };
    norm.gamma = Param::from_tensor(random(0.3, 1.5));
    norm.beta = Param::from_tensor(random(-0.5, 0.5));
    norm.running_mean = RunningState::new(random(-0.5, 0.5));
    norm.running_var = RunningState::new(random(0.5, 2.0));
}

fn convolutions(network: &mut Network<Flex>) -> Vec<&mut Convolution<Flex>> {
    let Network::ResNet(network) = network else {
        return Vec::new();
    };
    let mut convolutions = vec![&mut network.stem.convolution];
    for block in network
        .stages
        .iter_mut()
        .flat_map(|stage| &mut stage.blocks)
    {
        convolutions.extend(&mut block.branch);
        convolutions.extend(&mut block.shortcut.projection);
    }
    convolutions
}

#[test]
fn folding_changes_nothing_but_the_rounding() {
    let device = Default::default();
    Flex::seed(&device, 1);
    for (name, edge) in [
        ("resnet18", 32),
        ("resnet50", 32),
        ("resnet20", 32),
        ("resnet18-tutorial", 32),
        ("digit", 28),
    ] {
        let config = network(name).unwrap();
        let mut network = config.init::<Flex>(&device).unwrap();
        for convolution in convolutions(&mut network) {
            if let Some(bias) = &mut convolution.conv.bias {
                let bias_shape = bias.dims();
                *bias = Param::from_tensor(Tensor::random(
                    bias_shape,
                    Distribution::Uniform(-0.5, 0.5),
                    &device,
                ));
            }
            if let Some(norm) = &mut convolution.norm {
                randomise(norm);
            }
        }
        let images = Tensor::random(
            [2, config.input_channels(), edge, edge],
            Distribution::Normal(0.0, 1.0),
            &device,
        );

        let expected = network.forward(images.clone());
        let found = network.fold().forward(images);

        let largest: f32 = expected.clone().abs().max().into_scalar();
        let difference: f32 = (found - expected).abs().max().into_scalar();
        assert!(largest > 1e-3, "{name}: {largest} is no test");
        assert!(
            difference < 1e-4 * largest,
            "{name}: {difference} of {largest}"
        );
    }
}
