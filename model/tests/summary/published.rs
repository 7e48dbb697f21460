//! Against published figures, and what else can be said without a network.

use model::{BlockKind, NetworkConfig, ResNetConfig, ShortcutKind, Summary, summary};
use ops::{Adam, Muon, Optimizer, Sgd};

/// Parameters and multiply-adds as torchvision's classes have them with 1,000 classes at 224
/// pixels: convolutions and linear layers counted. Its documentation of the models gives the same
/// to the digits it has.
const TORCHVISION: [(&str, u64, u64); 10] = [
    ("resnet18", 11_689_512, 1_814_073_344),
    ("resnet34", 21_797_672, 3_663_761_408),
    ("resnet50", 25_557_032, 4_089_184_256),
    ("resnet101", 44_549_160, 7_801_405_440),
    ("resnet152", 60_192_808, 11_513_626_624),
    ("wide_resnet50_2", 68_883_240, 11_398_021_120),
    ("wide_resnet101_2", 126_886_696, 22_753_050_624),
    ("resnext50_32x4d", 25_028_904, 4_230_479_872),
    ("resnext101_32x8d", 88_791_336, 16_414_015_488),
    ("resnext101_64x4d", 83_455_272, 15_460_270_080),
];

#[test]
fn torchvision_family_matches_published_counts() {
    for (name, parameters, multiply_adds) in TORCHVISION {
        let summary = summary(&NetworkConfig::named(name).unwrap(), [224, 224]).unwrap();
        assert_eq!(summary.parameters, parameters, "{name}");
        assert_eq!(summary.multiply_adds, multiply_adds, "{name}");
    }
}

/// As they are published: parameters rounded to so many digits.
#[test]
fn parameter_counts_match_papers() {
    for (name, size, millions) in [
        // timm
        ("resnet18d", 224, "11.71"),
        ("resnet34d", 224, "21.82"),
        ("resnet50c", 224, "25.58"),
        ("resnet50d", 224, "25.58"),
        ("resnet101d", 224, "44.57"),
        ("resnet152d", 224, "60.21"),
        // He et al. 2015, table 6
        ("resnet20", 32, "0.27"),
        ("resnet32", 32, "0.46"),
        ("resnet44", 32, "0.66"),
        ("resnet56", 32, "0.85"),
        ("resnet110", 32, "1.7"),
        ("resnet1202", 32, "19.4"),
        // He et al. 2016, table 4; 10.2 there for the last, whose layers have 10.3
        ("preresnet164", 32, "1.7"),
        ("preresnet1001", 32, "10.3"),
    ] {
        let summary = summary(&NetworkConfig::named(name).unwrap(), [size, size]).unwrap();
        let decimals = millions.split('.').nth(1).unwrap().len();
        let found = summary.parameters as f64 / 1e6;
        assert_eq!(format!("{found:.decimals$}"), millions, "{name}");
    }
}

/// The published multiply-adds of the CIFAR networks count projections, as re-implementations have
/// them; shortcut A costs none.
#[test]
fn cifar_multiply_adds_match_papers() {
    for (blocks, with_projections, with_zeros) in [
        (3, "40.8", "40.6"),
        (5, "69.1", "68.9"),
        (7, "97.4", "97.2"),
        (9, "125.7", "125.5"),
    ] {
        for (shortcut, expected) in [
            (ShortcutKind::Projection, with_projections),
            (ShortcutKind::ZeroPad, with_zeros),
        ] {
            let config = NetworkConfig::Resnet(ResNetConfig::cifar(blocks).with_shortcut(shortcut));
            let found = summary(&config, [32, 32]).unwrap().multiply_adds as f64 / 1e6;
            assert_eq!(format!("{found:.1}"), expected, "{blocks} blocks");
        }
    }
}

#[test]
fn sizes_out_of_range_are_errors() {
    let config = NetworkConfig::named("resnet18").unwrap();
    for size in [[0, 224], [224, 0], [usize::MAX, 224]] {
        assert!(summary(&config, size).is_err(), "{size:?}");
    }
    assert!(summary(&NetworkConfig::named("digit").unwrap(), [32, 32]).is_err());
    // The largest of all is no overflow.
    let config = NetworkConfig::Resnet(
        ResNetConfig::imagenet(BlockKind::Bottleneck, [1; 4])
            .with_depths(vec![1000; 16])
            .with_widths(vec![16_384; 16]),
    );
    let summary = summary(&config, [65_535, 65_535]).unwrap();
    let memory = summary.training_memory(usize::MAX, &Optimizer::Adam(Adam::default()));
    assert_eq!(memory.total(), u64::MAX);
}

#[test]
fn memory_counts_kept_activations() {
    let config = NetworkConfig::Resnet(
        ResNetConfig::cifar(1)
            .with_depths(vec![1])
            .with_widths(vec![2]),
    );
    let summary = summary(&config, [4, 4]).unwrap();
    // Image; convolution and norm of the stem and of the branch's two; pooled features.
    let kept = 3 * 16 + 3 * 2 * (2 * 16) + 2;
    for (momentum, remembered) in [(0.0, 0), (0.9, 1)] {
        let sgd = Optimizer::Sgd(Sgd {
            momentum,
            ..Sgd::default()
        });
        let memory = summary.training_memory(5, &sgd);
        assert_eq!(memory.activations, 4 * 5 * kept);
        assert_eq!(memory.optimizer_state, remembered * memory.gradients);
        // Three norms of two channels.
        assert_eq!(memory.parameters, memory.gradients + 4 * 12);
    }
    // Weights of the stem and of the branch's two convolutions, once; all else twice.
    let convolutions = 4 * 9 * (3 * 2 + 2 * 2 + 2 * 2);
    let memory = summary.training_memory(5, &Optimizer::Muon(Muon::default()));
    assert_eq!(memory.optimizer_state, 2 * memory.gradients - convolutions);
    let memory = summary.training_memory(5, &Optimizer::Adam(Adam::default()));
    assert_eq!(memory.optimizer_state, 2 * memory.gradients);
}

#[test]
fn json_round_trip() {
    let summary = summary(&NetworkConfig::named("preresnet20").unwrap(), [32, 32]).unwrap();
    let text = serde_json::to_string(&summary).unwrap();
    assert!(
        text.contains(r#""name":"stem.convolution.conv","kind":"convolution","kernel":3"#),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), summary);
}

#[test]
fn digit_network_matches_summary() {
    let config = NetworkConfig::named("digit").unwrap();
    let summary = summary(&config, [28, 28]).unwrap();
    assert_eq!(summary.parameters, 42_790);
    assert_eq!(summary.layers.last().unwrap().input, [375]);
    assert_eq!(summary.layers.last().unwrap().output, [10]);
    let outputs = summary.layers.iter().map(|layer| &layer.output[..]);
    let of_convolutions: Vec<_> = outputs.filter(|output| output.len() == 3).collect();
    assert_eq!(of_convolutions[0], [20, 24, 24]);
    assert_eq!(of_convolutions[1], [20, 12, 12]);
    assert_eq!(of_convolutions[3], [30, 12, 12]);
}
