use super::*;
use crate::kernels::testing::{CHANNELS, assert_close, assert_same_on_threads, poisoned, random};

const SIZES: [(usize, usize); 5] = [(1, 1), (2, 3), (7, 7), (8, 8), (13, 5)];
const WINDOWS: [(usize, usize, usize); 4] = [(3, 2, 1), (2, 2, 0), (3, 1, 1), (1, 2, 0)];

fn shape(batch: usize, height: usize, width: usize, channels: usize) -> Shape {
    Shape {
        batch,
        height,
        width,
        channels,
    }
}

fn window(kernel: usize, stride: usize, padding: usize) -> Window {
    Window {
        kernel,
        stride,
        padding,
    }
}

/// Returns the gradient of the input.
fn backward(
    level: SimdLevel,
    input: &[f32],
    output: &[f32],
    output_gradient: &[f32],
    shape: Shape,
    window: Window,
) -> Vec<f32> {
    let mut gradient = poisoned(input.len());
    max_pool_backward(
        level,
        input,
        output,
        output_gradient,
        shape,
        window,
        &mut gradient,
    );
    gradient
}

/// Calls `check` with many shapes and windows, and with values that often repeat within a window.
fn for_each_case(check: impl Fn(SimdLevel, Shape, Window, &[f32])) {
    for level in SimdLevel::available() {
        for channels in CHANNELS {
            for (height, width) in SIZES {
                for (kernel, stride, padding) in WINDOWS {
                    let shape = shape(2, height, width, channels);
                    let window = window(kernel, stride, padding);
                    if kernel > height.min(width) + 2 * padding {
                        continue;
                    }
                    let values = random(1, shape.values());
                    let few: Vec<f32> = values.iter().map(|value| (value * 3.0).round()).collect();
                    check(level, shape, window, &few);
                }
            }
        }
    }
}

/// Returns the maximum of every window and its first position.
fn reference(input: &[f32], shape: Shape, window: Window) -> Vec<(f32, usize)> {
    let result = window.output(shape);
    let mut places = Vec::new();
    for image in 0..shape.batch {
        for line in 0..result.height {
            for column in 0..result.width {
                for channel in 0..shape.channels {
                    let mut best = (f32::NEG_INFINITY, usize::MAX);
                    for y in 0..window.kernel {
                        for x in 0..window.kernel {
                            let y = (line * window.stride + y).checked_sub(window.padding);
                            let x = (column * window.stride + x).checked_sub(window.padding);
                            let (Some(y), Some(x)) = (y, x) else { continue };
                            if y >= shape.height || x >= shape.width {
                                continue;
                            }
                            let pixel = (image * shape.height + y) * shape.width + x;
                            let index = pixel * shape.channels + channel;
                            if input[index] > best.0 {
                                best = (input[index], index);
                            }
                        }
                    }
                    places.push(best);
                }
            }
        }
    }
    places
}

#[test]
fn max_pool_and_gradient_match_naive() {
    for_each_case(|level, shape, window, input| {
        let places = reference(input, shape, window);
        let length = window.output(shape).values();
        let mut output = poisoned(length);
        max_pool(level, input, shape, window, &mut output);
        let expected: Vec<f32> = places.iter().map(|&(value, _)| value).collect();
        assert_eq!(output, expected);

        let output_gradient = random(2, length);
        let mut expected = vec![0.0; input.len()];
        for (&(_, index), &gradient) in places.iter().zip(&output_gradient) {
            expected[index] += f64::from(gradient);
        }
        let gradient = backward(level, input, &output, &output_gradient, shape, window);
        assert_close(&gradient, &expected);
    });
}

#[test]
fn infinite_values_are_pooled() {
    for level in SimdLevel::available() {
        for value in [f32::NEG_INFINITY, f32::INFINITY] {
            let shape = shape(1, 2, 2, 1);
            let window = window(2, 2, 0);
            let input = [f32::NEG_INFINITY, value, value, value];
            let first = usize::from(value > 0.0);
            let mut output = poisoned(1);
            max_pool(level, &input, shape, window, &mut output);
            assert_eq!(output, [value]);
            let gradient = backward(level, &input, &output, &[3.0], shape, window);
            let mut expected = [0.0; 4];
            expected[first] = 3.0;
            assert_eq!(gradient, expected);
        }
    }
}

#[test]
fn empty_batch_gives_empty_output() {
    for level in SimdLevel::available() {
        let shape = shape(0, 4, 4, 3);
        let window = window(3, 2, 1);
        max_pool(level, &[], shape, window, &mut []);
        max_pool_backward(level, &[], &[], &[], shape, window, &mut []);
    }
}

#[test]
fn results_are_independent_of_thread_count() {
    let shape = shape(3, 56, 56, 20);
    let window = window(3, 2, 1);
    for level in SimdLevel::available() {
        let input = random(3, shape.values());
        let length = window.output(shape).values();
        assert_same_on_threads(|| {
            let mut output = poisoned(length);
            max_pool(level, &input, shape, window, &mut output);
            let gradient = backward(level, &input, &output, &output, shape, window);
            [output, gradient].concat()
        });
    }
}
