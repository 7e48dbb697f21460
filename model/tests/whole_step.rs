//! A whole training step: the same loss and gradients with kernels, without them, and on another
//! backend.

use std::process::Command;

use burn::backend::Autodiff;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{DType, Element, Int, Tensor, TensorData};
use burn_flex::Flex;
use burn_ndarray::NdArray;
use model::{BlockKind, NetworkConfig, ResNetConfig, ResidualBackend, ShortcutKind, StemKind};
use ops::{KERNELS_VARIABLE, SIMD_VARIABLE, SimdLevel};

/// Names a network for a process with another environment.
const NETWORK_VARIABLE: &str = "WHOLE_STEP_NETWORK";

/// Networks with seeds for their parameters and images, and the tensors of a step.
///
/// The seeds keep every input of a ReLU away from zero by more than rounding moves it. Otherwise a value
/// is above zero on one CPU and below on another, and gradients differ by a tenth.
/// `seeds_are_well_conditioned` checks them.
const CASES: [(&str, u64, usize); 5] = [
    ("resnet20", 42, 1 + 19 * 3 + 2),
    ("resnet18", 1, 1 + 20 * 3 + 2),
    ("preresnet20", 16, 1 + 19 * 3 + 2),
    ("plain8", 11, 1 + 7 * 3 + 2),
    // Stem, three branches of three, three projections.
    (GROUPS, 19, 1 + (1 + 9 + 3) * 3 + 2),
];
const BATCH: usize = 4;
const SIZE: usize = 16;

/// The loss, then the gradient of every parameter.
type Step = Vec<Vec<f32>>;

/// Values between -1 and 1 from a small generator.
struct Values(u64);

impl Values {
    fn take(&mut self, count: usize) -> Vec<f32> {
        (0..count)
            .map(|_| {
                self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
                self.0 = self.0.wrapping_add(1);
                (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
            })
            .collect()
    }
}

/// The same parameters on every backend, since each has a random generator of its own.
struct Fill(Values);

impl<B: ResidualBackend> ModuleMapper<B> for Fill {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        param.map(|tensor| {
            let shape = tensor.shape();
            let mut values = self.0.take(shape.num_elements());
            if D == 1 {
                // Scales and shifts.
                values
                    .iter_mut()
                    .for_each(|value| *value = 1.0 + 0.2 * *value);
            } else {
                let inputs: usize = shape.iter().skip(1).product();
                let deviation = (6.0 / inputs as f32).sqrt();
                values.iter_mut().for_each(|value| *value *= deviation);
            }
            let tracked = tensor.is_require_grad();
            let filled = Tensor::from_data(TensorData::new(values, shape), &tensor.device());
            if tracked {
                filled.require_grad()
            } else {
                filled
            }
        })
    }
}

fn values(data: TensorData) -> Vec<f32> {
    data.convert::<f32>().to_vec().unwrap()
}

struct Collect<'a, B: AutodiffBackend> {
    gradients: &'a B::Gradients,
    step: Step,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Collect<'_, B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if let Some(gradient) = param.val().grad(self.gradients) {
            self.step.push(values(gradient.into_data()));
        }
    }
}

/// Groups and average pools, which no small network of the registry has.
const GROUPS: &str = "groups";

fn config(name: &str) -> NetworkConfig {
    if name == GROUPS {
        return NetworkConfig::Resnet(
            ResNetConfig::cifar(1)
                .with_block(BlockKind::Bottleneck)
                .with_groups(4)
                .with_width_per_group(32)
                .with_shortcut(ShortcutKind::AveragePoolProjection),
        );
    }
    let mut config = model::NetworkConfig::named(name).unwrap().with_classes(10);
    if let NetworkConfig::Resnet(resnet) = &mut config {
        resnet.stem = StemKind::Cifar;
    }
    config
}

fn seed(name: &str) -> u64 {
    let case = CASES.iter().find(|case| case.0 == name);
    case.unwrap().1
}

/// Values of the images `[batch, channels, height, width]`.
fn images(name: &str) -> Vec<f32> {
    Values(seed(name) + 1).take(BATCH * 3 * SIZE * SIZE)
}

fn step<B: ResidualBackend + AutodiffBackend>(name: &str) -> Step {
    step_on::<B>(name, images(name))
}

fn step_on<B: ResidualBackend + AutodiffBackend>(name: &str, images: Vec<f32>) -> Step {
    let device = Default::default();
    let network = config(name).init::<B>(&device).unwrap();
    let network = network.map(&mut Fill(Values(seed(name))));
    let shape = [BATCH, 3, SIZE, SIZE];
    let images = Tensor::<B, 4>::from_data(TensorData::new(images, shape), &device);
    let targets = Tensor::<B, 1, Int>::from_data([3, 1, 4, 1], &device);
    let loss = CrossEntropyLossConfig::new()
        .init(&device)
        .forward(network.forward(images), targets);
    // Burn keeps one float type for a device, that of the backend which is used first.
    let expected: DType = <B::FloatElem as Element>::dtype();
    assert_eq!(loss.dtype(), expected, "another float type was first");
    let gradients = loss.backward();
    let mut collect = Collect::<B> {
        gradients: &gradients,
        step: vec![values(loss.into_data())],
    };
    network.visit(&mut collect);
    collect.step
}

/// The step on Flex in a process with `variable` set to `value`.
fn step_with(variable: &str, value: &str, name: &str) -> Step {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(variable, value)
        .env(NETWORK_VARIABLE, name)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let json = text
        .lines()
        .find_map(|line| line.split_once("STEP ").map(|(_, json)| json))
        .unwrap_or_else(|| panic!("no step in: {text}"));
    serde_json::from_str(json).unwrap()
}

/// Largest difference, as a share of the largest value of a tensor.
const TOLERANCE: f32 = 1e-4;

fn assert_same(what: &str, actual: &Step, expected: &Step) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (index, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        assert_eq!(actual.len(), expected.len(), "{what}");
        let largest = expected
            .iter()
            .fold(0.0f32, |max, value| max.max(value.abs()));
        for (&a, &e) in actual.iter().zip(expected) {
            let error = (a - e).abs() / largest;
            // Not `>`, which would let what is not a number pass.
            assert!(
                error <= TOLERANCE,
                "{what}, tensor {index}: {a}, not {e} (largest {largest})"
            );
        }
    }
}

#[test]
fn loss_and_gradients_agree_on_all_backends() {
    for (name, _, tensors) in CASES {
        let with_kernels = step::<Autodiff<Flex>>(name);
        assert_eq!(with_kernels.len(), tensors, "{name}");
        let without = step_with(KERNELS_VARIABLE, "off", name);
        assert_same(
            &format!("{name}, kernels against none"),
            &with_kernels,
            &without,
        );
        let exact = step::<Autodiff<NdArray<f64>>>(name);
        assert_same(
            &format!("{name}, kernels against double precision"),
            &with_kernels,
            &exact,
        );
    }
}

/// Small changes of the images, ten times what rounding does, move no value across a ReLU.
#[test]
fn seeds_are_well_conditioned() {
    for (name, seed, _) in CASES {
        let expected = step::<Autodiff<Flex>>(name);
        for change in 0..3 {
            let changes = Values(seed + 100 + change).take(BATCH * 3 * SIZE * SIZE);
            let images = images(name).into_iter().zip(changes);
            let images = images.map(|(image, change)| image + 1e-5 * change);
            let step = step_on::<Autodiff<Flex>>(name, images.collect());
            assert_same(&format!("{name}, change {change}"), &step, &expected);
        }
    }
}

#[test]
fn forced_simd_levels_agree() {
    let widest = step::<Autodiff<Flex>>("resnet20");
    for level in SimdLevel::available() {
        let narrower = step_with(SIMD_VARIABLE, level.name(), "resnet20");
        assert_same(level.name(), &narrower, &widest);
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the other process reads it")]
#[ignore = "run by the other test, in an environment of its own"]
fn child() {
    let name = std::env::var(NETWORK_VARIABLE).unwrap();
    if let Ok(level) = std::env::var(SIMD_VARIABLE) {
        assert_eq!(SimdLevel::best().name(), level);
    }
    let step = step::<Autodiff<Flex>>(&name);
    println!("STEP {}", serde_json::to_string(&step).unwrap());
}
