//! Every instruction set against plain integers.

use proptest::prelude::*;

use super::*;
use crate::kernels::shape::Shape;
use crate::values::ConvolutionOptions;
use images::{Codes, Values};

/// Numbers that look random.
fn noise(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 11
    }
}

fn images(shape: Shape, most: u8, seed: u64) -> Int8Images {
    let mut next = noise(seed);
    let mut codes = Codes::new(shape.values());
    codes.fill_with(|| (next() % (u64::from(most) + 1)) as u8);
    Int8Images {
        shape,
        values: Values::Codes(codes),
    }
}

/// Computes a convolution one output at a time.
fn expected(layer: &Int8Layer, input: &Int8Images, residual: Option<&Int8Images>) -> Vec<f32> {
    let Values::Codes(codes) = &input.values else {
        panic!("floats");
    };
    let [out_channels, inner, kernel_height, kernel_width] = layer.weight_shape;
    let ConvolutionOptions {
        stride,
        padding,
        groups,
        ..
    } = layer.options;
    let Shape {
        batch,
        height,
        width,
        channels,
    } = input.shape;
    let residual = residual.map(Int8Images::to_floats);
    let out_height = (height + 2 * padding[0] - kernel_height) / stride[0] + 1;
    let out_width = (width + 2 * padding[1] - kernel_width) / stride[1] + 1;
    let mut values = Vec::new();
    for image in 0..batch {
        for row in 0..out_height {
            for column in 0..out_width {
                for out in 0..out_channels {
                    let group = out / (out_channels / groups);
                    let mut sum = 0_i32;
                    for channel in 0..inner {
                        let from = group * inner + channel;
                        for y in 0..kernel_height {
                            for x in 0..kernel_width {
                                let top = (row * stride[0] + y).wrapping_sub(padding[0]);
                                let left = (column * stride[1] + x).wrapping_sub(padding[1]);
                                let code = match top < height && left < width {
                                    true => {
                                        codes[((image * height + top) * width + left) * channels
                                            + from]
                                    }
                                    false => layer.outside[from],
                                };
                                let index = ((out * inner + channel) * kernel_height + y)
                                    * kernel_width
                                    + x;
                                sum += i32::from(code) * i32::from(layer.weight[index]);
                            }
                        }
                    }
                    let mut value = (sum as f32).mul_add(layer.scale[out], layer.shift[out]);
                    if let Some(residual) = &residual {
                        value = residual[values.len()].mul_add(layer.residual_scale, value);
                    }
                    values.push(match layer.output {
                        Int8Output::Codes { most } => {
                            value.clamp(0.0, f32::from(most)).round_ties_even()
                        }
                        Int8Output::Floats { relu: true } => value.max(0.0),
                        Int8Output::Floats { relu: false } => value,
                    });
                }
            }
        }
    }
    values
}

#[derive(Clone, Debug)]
struct Case {
    shape: Shape,
    groups: usize,
    out_channels: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    output: Int8Output,
    has_residual: bool,
    outside: Option<u8>,
    seed: u64,
}

fn check(case: &Case) {
    let Case {
        shape,
        groups,
        out_channels,
        kernel,
        ..
    } = *case;
    let mut next = noise(case.seed);
    let inner = shape.channels / groups;
    let weight_shape = [out_channels, inner, kernel, kernel];
    let count: usize = weight_shape.iter().product();
    let taps = (kernel * kernel * inner) as f32;
    let layer = Int8Layer {
        // The extreme values are frequent, so that sums of pairs reach their limits.
        weight: (0..count)
            .map(|_| match next() % 3 {
                0 => -127,
                1 => 127,
                _ => (next() % 255) as i8,
            })
            .collect(),
        weight_shape,
        options: ConvolutionOptions::default()
            .with_stride([case.stride; 2])
            .with_padding([case.padding; 2])
            .with_groups(groups),
        outside: (0..shape.channels)
            .map(|channel| case.outside.unwrap_or((channel * 37 % 128) as u8))
            .collect(),
        reads_images: false,
        scale: (0..out_channels)
            .map(|_| (next() % 1000) as f32 / (127_000.0 * taps.sqrt()))
            .collect(),
        shift: (0..out_channels)
            .map(|_| (next() % 200) as f32 / 3.0)
            .collect(),
        residual_scale: 0.37,
        output: case.output,
    };
    let input = images(shape, 127, case.seed + 1);
    let options = layer.options;
    let size = |length: usize| (length + 2 * options.padding[0] - kernel) / options.stride[0] + 1;
    let output_shape = Shape {
        batch: shape.batch,
        height: size(shape.height),
        width: size(shape.width),
        channels: out_channels,
    };
    let residual = images(output_shape, 255, case.seed + 2);
    let residual = case.has_residual.then_some(&residual);
    let expected = expected(&layer, &input, residual);
    for level in Int8Level::available() {
        let output = Int8Convolution::at(level, &layer).forward(&input, residual);
        assert_eq!(output.to_floats(), expected, "{level}: {case:?}");
    }
}

fn case() -> impl Strategy<Value = Case> {
    let sizes = (
        1..=2_usize,
        1..=12_usize,
        1..=31_usize,
        1..=9_usize,
        1..=3_usize,
    );
    let layers = (
        1..=40_usize,
        1..=3_usize,
        1..=2_usize,
        any::<bool>(),
        any::<bool>(),
    );
    let outputs = prop_oneof![
        Just(Int8Output::Codes { most: 127 }),
        Just(Int8Output::Codes { most: 255 }),
        Just(Int8Output::Floats { relu: true }),
        Just(Int8Output::Floats { relu: false }),
    ];
    let outside = prop_oneof![Just(None), Just(Some(0)), Just(Some(64))];
    (sizes, layers, outputs, outside, 0..1_u64 << 40).prop_map(
        |(sizes, layers, output, outside, seed)| {
            let (batch, height, width, channels, groups) = sizes;
            let (out_channels, kernel, stride, is_padded, has_residual) = layers;
            let kernel = 2 * kernel - 1;
            let padding = if is_padded { kernel / 2 } else { 0 };
            Case {
                shape: Shape {
                    batch,
                    height: height.max(kernel),
                    width: width.max(kernel),
                    channels: channels * groups,
                },
                groups,
                out_channels: out_channels.next_multiple_of(groups),
                kernel,
                stride,
                padding,
                output,
                has_residual,
                outside,
                seed,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn convolutions_equal_integers_at_every_level(case in case()) {
        check(&case);
    }
}

#[test]
fn wide_and_grouped_convolutions_equal_integers() {
    let case = |channels, out_channels, groups, kernel, stride, edge| Case {
        shape: Shape {
            batch: 2,
            height: edge,
            width: edge,
            channels,
        },
        groups,
        out_channels,
        kernel,
        stride,
        padding: kernel / 2,
        output: Int8Output::Codes { most: 127 },
        has_residual: true,
        outside: Some(0),
        seed: 7,
    };
    check(&case(64, 72, 1, 3, 1, 14));
    check(&case(256, 64, 1, 1, 1, 7));
    check(&case(32, 64, 1, 1, 2, 56));
    check(&case(128, 128, 32, 3, 2, 9));
    check(&case(6, 64, 1, 7, 2, 33));
    check(&case(512, 40, 1, 3, 1, 7));
}

#[test]
fn largest_sums_are_exact() {
    let shape = Shape {
        batch: 1,
        height: 1,
        width: 6,
        channels: 64,
    };
    let mut input = images(shape, 127, 1);
    let Values::Codes(codes) = &mut input.values else {
        panic!("floats");
    };
    codes.fill(127);
    for value in [127, -127, -128] {
        let layer = Int8Layer {
            weight: vec![value; 64 * 48],
            weight_shape: [48, 64, 1, 1],
            options: ConvolutionOptions::default(),
            outside: vec![0; 64],
            reads_images: false,
            scale: vec![1.0; 48],
            shift: vec![0.0; 48],
            residual_scale: 0.0,
            output: Int8Output::Floats { relu: false },
        };
        let sum = 64.0 * 127.0 * f32::from(value);
        for level in Int8Level::available() {
            let output = Int8Convolution::at(level, &layer).forward(&input, None);
            assert_eq!(output.to_floats(), vec![sum; 6 * 48], "{level}");
        }
    }
}

#[test]
fn images_of_pixels_keep_their_values() {
    let codes = InputCodes {
        scale: vec![255.0, 51.0],
        zero: vec![127.5, 100.2],
    };
    assert_eq!(codes.outside(), [128, 100]);
    let mut next = noise(3);
    let images: Vec<f32> = (0..2 * 2 * 5 * 37)
        .map(|_| (next() % 256) as f32 / 255.0 - 0.5)
        .collect();
    let weight: Vec<i8> = (0..20 * 2 * 9).map(|_| (next() % 255) as i8).collect();
    let layer = Int8Layer {
        weight,
        weight_shape: [20, 2, 3, 3],
        options: ConvolutionOptions::default().with_padding([1, 1]),
        outside: codes.outside(),
        reads_images: true,
        scale: vec![0.01; 20],
        shift: vec![1.0; 20],
        residual_scale: 0.0,
        output: Int8Output::Floats { relu: false },
    };
    let pixels = Int8Images {
        shape: Shape {
            batch: 2,
            height: 5,
            width: 37,
            channels: 2,
        },
        values: Values::Codes({
            let mut pixels = Codes::new(images.len());
            for (index, pixel) in pixels.iter_mut().enumerate() {
                let (place, channel) = (index / 2, index % 2);
                let (image, place) = (place / 185, place % 185);
                let value = images[(image * 2 + channel) * 185 + place];
                let code = value * codes.scale[channel] + codes.zero[channel];
                *pixel = code.clamp(0.0, 254.0).round_ties_even() as u8;
            }
            pixels
        }),
    };
    let expected = expected(&layer, &pixels, None);
    for level in Int8Level::available() {
        let input = Int8Images::at(level, &images, [2, 2, 5, 37], &codes);
        let output = Int8Convolution::at(level, &layer).forward(&input, None);
        assert_eq!(output.to_floats(), expected, "{level}");
    }
}

#[test]
fn pools_and_shortcuts_equal_definitions() {
    let shape = Shape {
        batch: 2,
        height: 5,
        width: 7,
        channels: 3,
    };
    let images = images(shape, 127, 3);
    let values = images.to_floats();
    let at = |image: usize, y: usize, x: usize, channel: usize| {
        values[((image * 5 + y) * 7 + x) * 3 + channel]
    };
    let pooled = images.max_pool(3, 2, 1);
    assert_eq!(pooled.dims(), [2, 3, 3, 4]);
    let averaged = images.average_pool(2);
    assert_eq!(averaged.dims(), [2, 3, 3, 4]);
    let padded = images.zero_pad(2, [1, 2], 64);
    assert_eq!(padded.dims(), [2, 6, 3, 4]);
    let [pooled, averaged, padded] = [pooled, averaged, padded].map(|images| images.to_floats());
    for index in 0..2 * 3 * 4 {
        let (image, row, column) = (index / 12, index / 4 % 3, index % 4);
        for channel in 0..3 {
            let window = |top: isize, edge: isize, left: isize| {
                let rows = top.max(0)..(top + edge).min(5);
                rows.flat_map(move |y| (left.max(0)..(left + edge).min(7)).map(move |x| (y, x)))
                    .map(|(y, x)| at(image, y as usize, x as usize, channel))
                    .collect::<Vec<_>>()
            };
            let (top, left) = (2 * row as isize, 2 * column as isize);
            let most = window(top - 1, 3, left - 1).into_iter().fold(0.0, f32::max);
            assert_eq!(pooled[index * 3 + channel], most);
            let window = window(top, 2, left);
            let mean = (window.iter().sum::<f32>() / window.len() as f32 + 0.5).floor();
            assert_eq!(averaged[index * 3 + channel], mean);
            assert_eq!(
                padded[index * 6 + 1 + channel],
                at(image, 2 * row, 2 * column, channel)
            );
        }
        assert_eq!(padded[index * 6], 64.0);
        assert_eq!(padded[index * 6 + 4..index * 6 + 6], [64.0, 64.0]);
    }
    let means = images.mean(0.5, 64);
    let mean = |image: usize, channel: usize| {
        let places = (0..35).map(|place| at(image, place / 7, place % 7, channel) - 64.0);
        places.sum::<f32>() / 70.0
    };
    assert!((means[4] - mean(1, 1)).abs() < 1e-4);
    assert_eq!(images.flatten(2.0, 1)[35 + 8], (at(0, 1, 1, 1) - 1.0) * 2.0);
}

#[test]
fn norms_round_to_codes() {
    let shape = Shape {
        batch: 1,
        height: 1,
        width: 1,
        channels: 35,
    };
    let images = images(shape, 127, 5);
    let scale: Vec<f32> = (0..35).map(|channel| channel as f32 / 20.0 - 0.3).collect();
    let shift: Vec<f32> = (0..35).map(|channel| 40.0 - channel as f32).collect();
    let values = images.to_floats();
    let expected: Vec<f32> = (0..35)
        .map(|at| {
            (values[at] * scale[at] + shift[at])
                .clamp(0.0, 127.0)
                .round_ties_even()
        })
        .collect();
    assert_eq!(images.affine(&scale, &shift, 127).to_floats(), expected);
}

#[test]
fn linear_layers_round_features_to_14_bits() {
    let mut next = noise(9);
    let weight: Vec<i8> = (0..150 * 41).map(|_| (next() % 255) as i8).collect();
    let mut values = |count: usize| -> Vec<f32> {
        (0..count)
            .map(|_| (next() % 2000) as f32 / 1999.0)
            .collect()
    };
    let (features, scale, bias) = (values(3 * 41), values(150), values(150));
    let factor = Int8Linear::MOST;
    let layer = |level| Int8Linear::at(level, &weight, &scale, &bias, factor);
    let logits: Vec<_> = Int8Level::available()
        .into_iter()
        .map(|level| layer(level).forward(&features))
        .collect();
    for image in 0..3 {
        for output in 0..150 {
            let products = (0..41).map(|input| {
                f64::from(features[image * 41 + input]) * f64::from(weight[output * 41 + input])
            });
            let expected =
                products.sum::<f64>() * f64::from(scale[output]) + f64::from(bias[output]);
            let logit = logits[0][image * 150 + output];
            assert!(
                (f64::from(logit) - expected).abs() < 0.1,
                "{logit}, {expected}"
            );
        }
    }
    for other in &logits[1..] {
        assert_eq!(other, &logits[0]);
    }
}
