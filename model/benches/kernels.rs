//! Single operations on Flex: `cargo bench -p model --bench kernels`, with `-- NAME` for those
//! whose name contains it.
//!
//! GB/s count every tensor that an operation reads or writes once.
#![allow(
    clippy::print_stdout,
    missing_docs,
    reason = "a program that prints what it measures"
)]

mod measurement;
mod shapes;

use std::cell::LazyCell;
use std::collections::HashSet;
use std::error::Error;

use burn::tensor::{Distribution, Tensor};
use burn_flex::{Flex, FlexTensor};
use criterion::{BenchmarkGroup, Criterion, Throughput};
use measurement::ShareOfPeak;
use model::{BlockKind, NetworkConfig, ResNetConfig, ResidualBackend, StemKind};
use ops::{ConvolutionOptions, SgdStep};
use shapes::{Convolution, convolutions};

type Group<'a> = BenchmarkGroup<'a, ShareOfPeak>;

/// Any: time does not depend on it.
const EPSILON: f64 = 1e-5;

/// Bytes of weights that displace each other from the caches, and the most copies of a weight.
const DISPLACING: usize = 64 << 20;
const MOST_COPIES: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = measurement::criterion();
    all_convolutions(&mut criterion)?;
    for shape in [[16, 64, 112, 112], [16, 256, 56, 56], [128, 16, 32, 32]] {
        batch_norm(&mut criterion, shape);
    }
    max_pool(&mut criterion, [16, 64, 112, 112]);
    for shape in [[16, 512, 7, 7], [128, 64, 8, 8]] {
        global_average_pool(&mut criterion, shape);
    }
    sgd_step(&mut criterion, [512, 512, 3, 3]);
    criterion.final_summary();
    Ok(())
}

fn all_convolutions(criterion: &mut Criterion<ShareOfPeak>) -> Result<(), Box<dyn Error>> {
    let resnet18 = model::NetworkConfig::named("resnet18")?;
    let resnet50 = model::NetworkConfig::named("resnet50")?;
    let cifar = NetworkConfig::Resnet(
        ResNetConfig::imagenet(BlockKind::Basic, [2, 2, 2, 2]).with_stem(StemKind::Cifar),
    );
    let networks = [
        ("resnet18", &resnet18, 1, 224),
        ("resnet18", &resnet18, 16, 224),
        ("resnet50", &resnet50, 1, 224),
        ("resnet50", &resnet50, 16, 224),
        (
            "resnet20",
            &model::NetworkConfig::named("resnet20")?,
            128,
            32,
        ),
        ("resnet18, CIFAR stem", &cifar, 32, 32),
    ];
    // Each is measured under the first network that has it.
    let mut measured = HashSet::new();
    for (name, config, batch, size) in networks {
        let mut group = criterion.benchmark_group(format!("{name}, batch {batch}"));
        for convolution in convolutions(config, batch, size)? {
            if measured.insert(convolution) {
                passes(&mut group, convolution);
            }
        }
        group.finish();
    }
    Ok(())
}

fn passes(group: &mut Group<'_>, convolution: Convolution) {
    let Convolution {
        batch,
        in_channels,
        out_channels,
        size,
        kernel,
        stride,
    } = convolution;
    let output_size = convolution.output_size();
    let options = ConvolutionOptions::default()
        .with_stride([stride; 2])
        .with_padding([convolution.padding(); 2]);
    let input_shape = [batch, in_channels, size, size];
    let weight_shape = [out_channels, in_channels, kernel, kernel];
    // Made when it is asked for, as most are not when a name is given.
    let input = LazyCell::new(|| images(input_shape));
    let gradient = LazyCell::new(|| images([batch, out_channels, output_size, output_size]));
    // In the order that the weight gradient, and so a trained weight, has.
    let weight = LazyCell::new(|| {
        let lying = random([kernel, kernel, in_channels, out_channels]);
        primitive(lying.permute([3, 2, 0, 1]))
    });
    group.throughput(Throughput::Elements(
        convolution.floating_point_operations(),
    ));
    group.bench_function(format!("{convolution}, forward"), |bencher| {
        bencher.iter(|| Flex::convolution(input.clone(), weight.clone(), None, options));
    });
    // As in a prediction, in which the other layers' weights displace this one from the caches.
    let prepared = LazyCell::new(|| {
        let bytes = weight_shape.iter().product::<usize>() * size_of::<f32>();
        let copies = (DISPLACING / bytes).clamp(1, MOST_COPIES);
        let prepare = |_| Flex::prepare_convolution(weight.clone(), None, options);
        (0..copies).map(prepare).collect::<Vec<_>>()
    });
    group.bench_function(format!("{convolution}, prediction"), |bencher| {
        let mut prepared = prepared.iter().cycle();
        bencher.iter(|| {
            let prepared = prepared.next().expect("there is at least one copy");
            Flex::prepared_convolution(input.clone(), prepared, None, false)
        });
    });
    group.bench_function(format!("{convolution}, input gradient"), |bencher| {
        bencher.iter(|| {
            Flex::convolution_input_gradient(
                gradient.clone(),
                weight.clone(),
                input_shape,
                options,
                None,
            )
        });
    });
    group.bench_function(format!("{convolution}, weight gradient"), |bencher| {
        bencher.iter(|| {
            Flex::convolution_weight_gradient(
                input.clone(),
                gradient.clone(),
                weight_shape,
                options,
            )
        });
    });
}

fn batch_norm(criterion: &mut Criterion<ShareOfPeak>, shape: [usize; 4]) {
    let channels = shape[1];
    let input = LazyCell::new(|| images(shape));
    let residual = LazyCell::new(|| images(shape));
    let [gamma, beta] = [(); 2].map(|()| primitive(random([channels])));
    let forward = || {
        let residual = Some(residual.clone());
        let [gamma, beta] = [gamma.clone(), beta.clone()];
        Flex::batch_norm(input.clone(), gamma, beta, residual, true, EPSILON)
    };
    let normed = LazyCell::new(forward);
    let mut group = criterion.benchmark_group(format!("batch norm {shape:?}"));
    // Input and residual to output.
    group.throughput(bytes(&[shape; 3]));
    group.bench_function("forward with residual and relu", |bencher| {
        bencher.iter(forward);
    });
    // Input, output and its gradient to two gradients.
    group.throughput(bytes(&[shape; 5]));
    group.bench_function("backward with residual and relu", |bencher| {
        bencher.iter(|| {
            Flex::batch_norm_backward(
                input.clone(),
                gamma.clone(),
                normed.mean.clone(),
                normed.variance.clone(),
                EPSILON,
                Some(normed.output.clone()),
                residual.clone(),
                true,
            )
        });
    });
    group.finish();
}

/// The pool of the ImageNet stem.
fn max_pool(criterion: &mut Criterion<ShareOfPeak>, shape: [usize; 4]) {
    let (kernel, stride, padding) = ([3; 2], [2; 2], [1; 2]);
    let [batch, channels, height, width] = shape;
    let pooled_shape = [batch, channels, height.div_ceil(2), width.div_ceil(2)];
    let input = LazyCell::new(|| images(shape));
    let pooled = LazyCell::new(|| Flex::max_pool(input.clone(), kernel, stride, padding));
    let gradient = LazyCell::new(|| images(pooled_shape));
    let mut group = criterion.benchmark_group(format!("max pool {shape:?}"));
    group.throughput(bytes(&[shape, pooled_shape]));
    group.bench_function("forward", |bencher| {
        bencher.iter(|| Flex::max_pool(input.clone(), kernel, stride, padding));
    });
    group.throughput(bytes(&[shape, shape, pooled_shape, pooled_shape]));
    group.bench_function("backward", |bencher| {
        bencher.iter(|| {
            let (input, pooled, gradient) = (input.clone(), pooled.clone(), gradient.clone());
            Flex::max_pool_backward(input, pooled, gradient, kernel, stride, padding)
        });
    });
    group.finish();
}

fn global_average_pool(criterion: &mut Criterion<ShareOfPeak>, shape: [usize; 4]) {
    let input = LazyCell::new(|| images(shape));
    let mut group = criterion.benchmark_group(format!("global average pool {shape:?}"));
    group.throughput(bytes(&[shape]));
    group.bench_function("forward", |bencher| {
        bencher.iter(|| Flex::global_average_pool(input.clone()));
    });
    group.finish();
}

fn sgd_step(criterion: &mut Criterion<ShareOfPeak>, shape: [usize; 4]) {
    let step = SgdStep {
        rate: 1e-3,
        momentum: 0.9,
        dampening: 0.0,
        nesterov: false,
        weight_decay: 1e-4,
    };
    let gradient = LazyCell::new(|| primitive(random(shape)));
    // Handed from step to step, so that it happens in place.
    let mut state = None;
    let mut group = criterion.benchmark_group(format!("sgd step {shape:?}"));
    // Parameter, gradient and buffer, of which two are written too.
    group.throughput(bytes(&[shape; 5]));
    group.bench_function("momentum and weight decay", |bencher| {
        bencher.iter(|| {
            let (parameter, buffer) = state
                .take()
                .unwrap_or_else(|| (primitive(random(shape)), None));
            state = Some(Flex::sgd_step(parameter, gradient.clone(), buffer, step));
        });
    });
    group.finish();
}

/// Images as they lie between two operations: channels-last.
fn images([batch, channels, height, width]: [usize; 4]) -> FlexTensor {
    primitive(random([batch, height, width, channels]).permute([0, 3, 1, 2]))
}

fn random<const D: usize>(shape: [usize; D]) -> Tensor<Flex, D> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &Default::default())
}

fn primitive<const D: usize>(tensor: Tensor<Flex, D>) -> FlexTensor {
    tensor.into_primitive().tensor()
}

/// Of tensors of these shapes.
fn bytes(shapes: &[[usize; 4]]) -> Throughput {
    let values = shapes.iter().map(|shape| shape.iter().product::<usize>());
    Throughput::BytesDecimal((values.sum::<usize>() * size_of::<f32>()) as u64)
}
