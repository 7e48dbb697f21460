//! Whole networks: predictions, and training steps. `cargo bench -p model --bench networks`, with
//! `-- NAME` for those whose name contains it.
//!
//! GFLOP/s count the convolutions, as a profile does.
#![allow(
    clippy::print_stdout,
    missing_docs,
    reason = "a program that prints what it measures"
)]

mod measurement;

use burn::backend::Autodiff;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{GradientsParams, Optimizer as _};
use burn::tensor::{Distribution, Int, Tensor};
use burn_flex::Flex;
use criterion::{Criterion, Throughput};
use measurement::ShareOfPeak;
use model::{BlockKind, Network, NetworkConfig, ResNetConfig, StemKind, UnknownNetwork};
use ops::{Adam, Optimizer, Sgd, profile};

type Training = Autodiff<Flex>;

fn main() -> Result<(), UnknownNetwork> {
    let mut criterion = measurement::criterion();
    for name in ["resnet18", "resnet50"] {
        for batch in [1, 16] {
            predict(&mut criterion, name, [batch, 3, 224, 224])?;
        }
    }
    let sgd = Optimizer::Sgd(Sgd {
        momentum: 0.9,
        weight_decay: 1e-4,
        ..Sgd::default()
    });
    let adam = Optimizer::Adam(Adam::default());
    let cifar = NetworkConfig::Resnet(
        ResNetConfig::imagenet(BlockKind::Basic, [2, 2, 2, 2])
            .with_stem(StemKind::Cifar)
            .with_classes(10),
    );
    let steps = [
        (
            "resnet20",
            model::NetworkConfig::named("resnet20")?,
            [128, 3, 32, 32],
            sgd,
        ),
        ("resnet18, CIFAR stem", cifar, [32, 3, 32, 32], sgd),
        (
            "resnet50",
            model::NetworkConfig::named("resnet50")?,
            [8, 3, 224, 224],
            sgd,
        ),
        (
            "digit",
            model::NetworkConfig::named("digit")?,
            [64, 1, 28, 28],
            adam,
        ),
    ];
    for (name, config, images, optimizer) in steps {
        train(&mut criterion, name, &config, images, optimizer);
    }
    criterion.final_summary();
    Ok(())
}

fn predict(
    criterion: &mut Criterion<ShareOfPeak>,
    name: &str,
    shape @ [batch, _, size, _]: [usize; 4],
) -> Result<(), UnknownNetwork> {
    let device = Default::default();
    let network: Network<Flex> = initialized(&model::NetworkConfig::named(name)?);
    let network = network.fold();
    let predict = |images: Tensor<Flex, 4>| network.forward(images);
    let operations = counted(batch, |one| {
        let [_, channels, height, width] = shape;
        predict(Tensor::zeros([one, channels, height, width], &device));
    });
    let images = Tensor::<Flex, 4>::random(shape, Distribution::Default, &device);
    let mut group = criterion.benchmark_group("predict");
    group.throughput(Throughput::Elements(operations));
    group.bench_function(format!("{name}, {size} px, batch {batch}"), |bencher| {
        bencher.iter(|| predict(images.clone()));
    });
    group.finish();
    Ok(())
}

fn train(
    criterion: &mut Criterion<ShareOfPeak>,
    name: &str,
    config: &NetworkConfig,
    shape @ [batch, channels, height, width]: [usize; 4],
    optimizer: Optimizer,
) {
    let device = Default::default();
    let mut trainer = Trainer {
        network: Some(initialized(config)),
        optimizer: optimizer.into(),
    };
    let operations = counted(batch, |one| {
        let images = Tensor::zeros([one, channels, height, width], &device);
        trainer.step(images, Tensor::zeros([one], &device));
    });
    let images = Tensor::<Training, 4>::random(shape, Distribution::Default, &device);
    let labels = Tensor::<Training, 1, Int>::zeros([batch], &device);
    let mut group = criterion.benchmark_group("train");
    group.throughput(Throughput::Elements(operations));
    group.bench_function(format!("{name}, {height} px, batch {batch}"), |bencher| {
        bencher.iter(|| trainer.step(images.clone(), labels.clone()));
    });
    group.finish();
}

struct Trainer {
    /// There except within a step.
    network: Option<Network<Training>>,
    optimizer: OptimizerAdaptor<Optimizer, Network<Training>, Training>,
}

impl Trainer {
    fn step(&mut self, images: Tensor<Training, 4>, labels: Tensor<Training, 1, Int>) {
        /// Small, so that the many steps on one batch keep all values finite.
        const RATE: f64 = 1e-5;
        let Some(network) = self.network.take() else {
            return;
        };
        let logits = network.forward(images);
        let loss = CrossEntropyLossConfig::new().init(&logits.device());
        let gradients = loss.forward(logits, labels).backward();
        let gradients = GradientsParams::from_grads(gradients, &network);
        self.network = Some(self.optimizer.step(RATE, network, gradients));
    }
}

fn initialized<B: model::ResidualBackend>(config: &NetworkConfig) -> Network<B> {
    let network = config.init(&Default::default());
    network.expect("a config of the registry is valid")
}

/// The floating-point operations of a batch, counted with one image, as they grow evenly.
fn counted(batch: usize, run: impl FnOnce(usize)) -> u64 {
    profile::start();
    run(1);
    let rows = profile::stop().rows;
    let counts = rows.iter().map(|row| row.floating_point_operations);
    counts.sum::<u64>() * batch as u64
}
