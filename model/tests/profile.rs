//! What a profile records. In a process of its own, as there is one profile for a whole process;
//! one test at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::backend::Autodiff;
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{GradientsParams, Optimizer as _};
use burn::tensor::Tensor;
use burn_flex::Flex;
use model::Network;
use ops::ConvolutionOptions;
use ops::profile::{self, Profile, Row};
use ops::{Optimizer, Sgd};

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn row<'a>(profile: &'a Profile, operation: &str) -> &'a Row {
    let row = profile.rows.iter().find(|row| row.operation == operation);
    row.unwrap_or_else(|| panic!("no `{operation}` in\n{}", profile.table()))
}

#[test]
fn convolution_is_counted_exactly() {
    let _alone = alone();
    type B = Autodiff<Flex>;
    let device = Default::default();
    let input = Tensor::<B, 4>::ones([2, 3, 9, 8], &device).require_grad();
    let weight = Tensor::<B, 4>::ones([5, 3, 3, 3], &device).require_grad();
    let options = ConvolutionOptions::default()
        .with_stride([2, 2])
        .with_padding([1, 1]);
    profile::start();
    let output = ops::convolution(input, weight, None, options);
    assert_eq!(output.dims(), [2, 5, 5, 4]);
    output.sum().backward();
    let profile = profile::stop();

    // A multiplication and an addition for each output and each value under the window.
    let expected = 2 * (2 * 5 * 5 * 4) * (3 * 3 * 3);
    for pass in ["", ", input gradient", ", weight gradient"] {
        let row = row(&profile, &format!("convolution 3x3 stride 2{pass}"));
        assert_eq!(row.calls, 1);
        assert_eq!(row.floating_point_operations, expected);
    }
    assert_eq!(row(&profile, "pack weights").floating_point_operations, 0);
}

#[test]
fn grouped_convolution_is_counted_exactly() {
    let _alone = alone();
    type B = Autodiff<Flex>;
    let device = Default::default();
    let input = Tensor::<B, 4>::ones([2, 6, 9, 8], &device).require_grad();
    let weight = Tensor::<B, 4>::ones([4, 3, 3, 3], &device).require_grad();
    let options = ConvolutionOptions::default()
        .with_stride([2, 2])
        .with_padding([1, 1])
        .with_groups(2);
    profile::start();
    let output = ops::convolution(input, weight, None, options);
    output.sum().backward();
    let profile = profile::stop();

    // Each output sees the three channels of its group.
    let expected = 2 * (2 * 4 * 5 * 4) * (3 * 3 * 3);
    for pass in ["", ", input gradient", ", weight gradient"] {
        let name = format!("convolution 3x3 stride 2 in 2 groups{pass}");
        assert_eq!(row(&profile, &name).floating_point_operations, expected);
    }
}

#[test]
fn profiled_step_fits_wall_time() {
    let _alone = alone();
    type B = Autodiff<Flex>;
    let device = Default::default();
    let network = model::NetworkConfig::named("resnet8").unwrap();
    let network: Network<B> = network.init(&device).unwrap();
    let mut optimizer: OptimizerAdaptor<Optimizer, Network<B>, B> =
        Optimizer::Sgd(Sgd::default()).into();
    let images = Tensor::<B, 4>::ones([4, 3, 32, 32], &device);
    profile::start();
    let gradients = network.forward(images).sum().backward();
    let gradients = GradientsParams::from_grads(gradients, &network);
    optimizer.step(0.1, network, gradients);
    let profile = profile::stop();

    let recorded: f64 = profile.rows.iter().map(|row| row.seconds).sum();
    assert!(recorded <= profile.seconds, "{}", profile.table());
    let longest_first = |pair: &[Row]| pair[0].seconds >= pair[1].seconds;
    assert!(profile.rows.windows(2).all(longest_first));
    // Stem and two convolutions in each of three blocks; a norm behind each.
    assert_eq!(row(&profile, "batch norm").calls, 7);
    assert_eq!(row(&profile, "batch norm, backward").calls, 7);
    assert_eq!(row(&profile, "convolution 3x3 stride 1").calls, 5);
    assert_eq!(row(&profile, "convolution 3x3 stride 2").calls, 2);
    assert_eq!(row(&profile, "zero-pad shortcut").calls, 2);
    // The images come in channels-first order.
    assert!(row(&profile, "channel order").calls > 0);
    // A weight for each convolution, two for each norm, two in the head.
    assert_eq!(row(&profile, "sgd step").calls, 7 + 14 + 2);
    assert_eq!(profile.table().lines().count(), profile.rows.len() + 2);
}

#[test]
fn profile_records_only_between_start_and_stop() {
    let _alone = alone();
    let device = Default::default();
    let pool = || ops::global_average_pool(Tensor::<Flex, 4>::ones([1, 2, 3, 3], &device));
    pool();
    assert_eq!(profile::stop(), Profile::default());
    profile::start();
    pool();
    // A new start drops what was recorded.
    profile::start();
    pool();
    pool();
    let profile = profile::stop();
    assert_eq!(row(&profile, "global average pool").calls, 2);
    pool();
    assert_eq!(profile::stop(), Profile::default());
}

#[test]
fn threads_record_into_one_profile() {
    let _alone = alone();
    profile::start();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let device = Default::default();
                for _ in 0..50 {
                    let input = Tensor::<Flex, 4>::ones([1, 4, 3, 3], &device);
                    ops::max_pool(input, [2, 2], [1, 1], [0, 0]);
                }
            });
        }
    });
    let profile = profile::stop();
    assert_eq!(row(&profile, "max pool").calls, 200);
    assert_eq!(row(&profile, "channel order").calls, 200);
}
