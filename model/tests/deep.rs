//! The deepest networks that have been published. Slow, so run by hand:
//! `cargo test -p model --test deep -- --ignored --nocapture --test-threads 1`.

use std::time::Instant;

use burn::backend::Autodiff;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{GradientsParams, Optimizer as _};
use burn::tensor::{Distribution, Int, Tensor};
use burn_flex::Flex;
use model::Network;
use ops::{Optimizer, Sgd};

type Train = Autodiff<Flex>;

const BATCH: usize = 8;

/// Two steps on a thread with the stack that threads usually have, which is less than that of a
/// program's first one.
#[expect(clippy::print_stdout, reason = "the time is what it is run for")]
fn trains(name: &'static str) {
    let steps = move || {
        let device = Default::default();
        let config = model::NetworkConfig::named(name).unwrap();
        let sgd = Optimizer::Sgd(Sgd {
            momentum: 0.9,
            ..Sgd::default()
        });
        let estimate = model::summary(&config, [32, 32]).unwrap();
        let estimate = estimate.training_memory(BATCH, &sgd).total();
        println!("{name}: {} MB by estimate", estimate / 1_000_000);
        let mut optimizer: OptimizerAdaptor<Optimizer, Network<Train>, Train> = sgd.into();
        let mut network: Network<Train> = config.init(&device).unwrap();
        for step in 1..=2 {
            let start = Instant::now();
            let shape = [BATCH, 3, 32, 32];
            let images = Tensor::<Train, 4>::random(shape, Distribution::Default, &device);
            let labels = Tensor::<Train, 1, Int>::zeros([BATCH], &device);
            let logits = network.forward(images);
            let loss = CrossEntropyLossConfig::new()
                .init(&device)
                .forward(logits, labels);
            let value: f32 = loss.clone().into_scalar();
            assert!(value.is_finite(), "{value}");
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            network = optimizer.step(1e-3, network, gradients);
            println!("step {step}: loss {value}, {:.2?}", start.elapsed());
        }
        // A graph that nobody walks back is dropped whole.
        drop(network.forward(Tensor::zeros([BATCH, 3, 32, 32], &device)));
    };
    std::thread::spawn(steps).join().unwrap();
}

#[test]
#[ignore = "takes half a minute and more than a gigabyte of memory"]
fn resnet1202_trains() {
    trains("resnet1202");
}

#[test]
#[ignore = "takes half a minute and more than a gigabyte of memory"]
fn preresnet1001_trains() {
    trains("preresnet1001");
}
