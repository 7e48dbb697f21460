//! A network for prediction as a list of operations, which every form of it runs.

mod trace;

use std::ops::Index;

pub(crate) use trace::{Layer, Traced};

/// An operation. Values are numbered: 0 is the images, and each step appends one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A convolution, then `+ residual`, then a ReLU if `relu`.
    Convolution {
        layer: usize,
        input: usize,
        residual: Option<usize>,
        relu: bool,
    },
    /// A norm that does not follow a convolution, then a ReLU.
    Norm { norm: usize, input: usize },
    /// A max pool of square windows.
    MaxPool {
        input: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
    },
    /// The mean of windows of `edge` by `edge` pixels.
    AveragePool { input: usize, edge: usize },
    /// Every `stride`-th pixel, with channels of zeros before and after.
    ZeroPad {
        input: usize,
        stride: usize,
        padding: [usize; 2],
    },
}

impl Step {
    /// Returns the numbers of the values that the step reads.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = usize> {
        let (input, residual) = match *self {
            Self::Convolution {
                input, residual, ..
            } => (input, residual),
            Self::Norm { input, .. }
            | Self::MaxPool { input, .. }
            | Self::AveragePool { input, .. }
            | Self::ZeroPad { input, .. } => (input, None),
        };
        [Some(input), residual].into_iter().flatten()
    }
}

/// How the last value becomes the input of the linear layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Features {
    /// The mean of each channel.
    Mean,
    /// All values in the order of channels, rows and columns.
    Flat,
}

/// The operations of a network, except for its linear layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Graph {
    steps: Vec<Step>,
    features: Features,
    /// The values that each step is the last to read.
    last_reads: Vec<Vec<usize>>,
}

/// The values of a run that later steps still read.
#[derive(Debug)]
pub(crate) struct Values<V>(Vec<Option<V>>);

impl<V> Index<usize> for Values<V> {
    type Output = V;

    fn index(&self, number: usize) -> &V {
        let value = self.0[number].as_ref();
        value.expect("a value is kept until its last reader")
    }
}

impl Graph {
    fn new(steps: Vec<Step>, features: Features) -> Self {
        let mut last_reads = vec![Vec::new(); steps.len()];
        for number in 0..steps.len() {
            let reads = |step: &Step| step.inputs().any(|input| input == number);
            if let Some(last) = steps.iter().rposition(reads) {
                last_reads[last].push(number);
            }
        }
        Self {
            steps,
            features,
            last_reads,
        }
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(crate) fn features(&self) -> Features {
        self.features
    }

    /// Runs all steps and returns the last value. `apply` computes a value from its step and the
    /// values before it, which are dropped after their last use.
    pub(crate) fn run<V>(&self, images: V, mut apply: impl FnMut(&Step, &Values<V>) -> V) -> V {
        let mut values = Values(vec![Some(images)]);
        for (step, last_reads) in self.steps.iter().zip(&self.last_reads) {
            let value = apply(step, &values);
            for &read in last_reads {
                values.0[read] = None;
            }
            values.0.push(Some(value));
        }
        let last = values.0.pop().flatten();
        last.expect("nothing reads the last value")
    }
}
