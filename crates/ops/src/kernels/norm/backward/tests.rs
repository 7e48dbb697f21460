use super::*;
use crate::kernels::norm::{inverse_deviation, statistics};
use crate::kernels::testing::{
    CHANNELS, PIXELS, assert_close, assert_close_to, assert_same_on_threads, poisoned, random,
};

/// Inputs of a random normalization, from which its gradients follow.
struct Case {
    channels: usize,
    input: Vec<f32>,
    output: Option<Vec<f32>>,
    gradient: Vec<f32>,
    mean: Vec<f32>,
    inverse_deviation: Vec<f32>,
    gamma: Vec<f32>,
}

impl Case {
    fn new(level: SimdLevel, pixels: usize, channels: usize, relu: bool) -> Self {
        let length = pixels * channels;
        let input = random(1, length);
        let (mut mean, mut variance) = (poisoned(channels), poisoned(channels));
        statistics(level, &input, channels, &mut mean, &mut variance);
        Self {
            channels,
            input,
            output: relu.then(|| random(2, length)),
            gradient: random(3, length),
            mean,
            inverse_deviation: inverse_deviation(&variance, 0.5),
            gamma: random(4, channels),
        }
    }

    fn pixels(&self) -> usize {
        self.input.len() / self.channels
    }

    fn masked(&self, index: usize) -> f64 {
        match &self.output {
            Some(output) if output[index] <= 0.0 => 0.0,
            _ => f64::from(self.gradient[index]),
        }
    }

    fn normalized(&self, index: usize) -> f64 {
        let channel = index % self.channels;
        (f64::from(self.input[index]) - f64::from(self.mean[channel]))
            * f64::from(self.inverse_deviation[channel])
    }

    fn expected_sums(&self) -> (Vec<f64>, Vec<f64>) {
        let (mut gammas, mut betas) = (vec![0.0; self.channels], vec![0.0; self.channels]);
        for index in 0..self.input.len() {
            gammas[index % self.channels] += self.masked(index) * self.normalized(index);
            betas[index % self.channels] += self.masked(index);
        }
        (gammas, betas)
    }

    fn sums(&self, level: SimdLevel) -> (Vec<f32>, Vec<f32>) {
        let (mut gammas, mut betas) = (poisoned(self.channels), poisoned(self.channels));
        backward_sums(
            level,
            &self.input,
            &self.mean,
            &self.inverse_deviation,
            self.output.as_deref(),
            &self.gradient,
            self.channels,
            &mut gammas,
            &mut betas,
        );
        (gammas, betas)
    }

    fn coefficients(&self, sums: &(Vec<f32>, Vec<f32>)) -> InputGradient {
        InputGradient::new(
            self.pixels(),
            &self.mean,
            &self.inverse_deviation,
            &self.gamma,
            &sums.0,
            &sums.1,
        )
    }

    fn apply(&self, level: SimdLevel, coefficients: &InputGradient, gradients: Gradients<'_>) {
        let output = self.output.as_deref();
        backward_apply(level, &self.input, output, coefficients, gradients);
    }
}

#[test]
fn gradients_match_formulas() {
    for level in SimdLevel::available() {
        for channels in CHANNELS {
            for pixels in PIXELS {
                for relu in [false, true] {
                    let case = Case::new(level, pixels, channels, relu);
                    let count = pixels as f64;
                    let (gammas, betas) = case.expected_sums();
                    let sums = case.sums(level);
                    assert_close_to(&sums.0, &gammas, count.sqrt());
                    assert_close_to(&sums.1, &betas, count.sqrt());

                    let length = case.input.len();
                    let masked: Vec<f64> = (0..length).map(|index| case.masked(index)).collect();
                    let expected: Vec<f64> = (0..length)
                        .map(|index| {
                            let channel = index % channels;
                            f64::from(case.gamma[channel])
                                * f64::from(case.inverse_deviation[channel])
                                * (masked[index]
                                    - betas[channel] / count
                                    - case.normalized(index) * gammas[channel] / count)
                        })
                        .collect();
                    let coefficients = case.coefficients(&sums);

                    let mut in_place = case.gradient.clone();
                    case.apply(level, &coefficients, Gradients::InPlace(&mut in_place));
                    assert_close(&in_place, &expected);

                    let (mut output, mut input) = (case.gradient.clone(), poisoned(length));
                    let gradients = Gradients::Residual {
                        output: &mut output,
                        input: &mut input,
                    };
                    case.apply(level, &coefficients, gradients);
                    assert_eq!(input, in_place);
                    assert_close(&output, &masked);

                    let (mut residual, mut input) = (poisoned(length), poisoned(length));
                    let gradients = Gradients::Apart {
                        output: &case.gradient,
                        input: &mut input,
                        residual: Some(&mut residual),
                    };
                    case.apply(level, &coefficients, gradients);
                    assert_eq!(input, in_place);
                    assert_eq!(residual, output);

                    let mut input = poisoned(length);
                    let gradients = Gradients::Apart {
                        output: &case.gradient,
                        input: &mut input,
                        residual: None,
                    };
                    case.apply(level, &coefficients, gradients);
                    assert_eq!(input, in_place);
                }
            }
        }
    }
}

#[test]
fn empty_input_has_zero_gradients() {
    for level in SimdLevel::available() {
        let case = Case::new(level, 0, 3, true);
        let sums = case.sums(level);
        assert_eq!(sums, (vec![0.0; 3], vec![0.0; 3]));
        let coefficients = case.coefficients(&sums);
        assert!(coefficients.c.iter().all(|value| value.is_finite()));
        case.apply(level, &coefficients, Gradients::InPlace(&mut []));
    }
}

#[test]
fn results_are_independent_of_thread_count() {
    for level in SimdLevel::available() {
        let case = Case::new(level, 20_000, 20, true);
        assert_same_on_threads(|| {
            let sums = case.sums(level);
            let mut gradient = case.gradient.clone();
            let coefficients = case.coefficients(&sums);
            case.apply(level, &coefficients, Gradients::InPlace(&mut gradient));
            [sums.0, sums.1, gradient].concat()
        });
    }
}
