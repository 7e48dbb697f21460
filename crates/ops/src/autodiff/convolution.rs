//! Autodiff step of a convolution.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::tensor::TensorMetadata;
use burn::tensor::ops::FloatTensor;

use super::record;
use crate::{ConvolutionOptions, ResidualBackend};

/// Parents: input, weight, and bias if there is one.
#[derive(Debug)]
struct Convolution;

#[derive(Clone, Debug)]
struct State<B: ResidualBackend> {
    /// Kept for the weight's gradient.
    input: Option<FloatTensor<B>>,
    /// Kept for the input's gradient.
    weight: Option<FloatTensor<B>>,
    input_shape: [usize; 4],
    weight_shape: [usize; 4],
    options: ConvolutionOptions,
}

pub(super) fn convolution<B: ResidualBackend, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
    weight: FloatTensor<Autodiff<B, C>>,
    bias: Option<FloatTensor<Autodiff<B, C>>>,
    options: ConvolutionOptions,
) -> FloatTensor<Autodiff<B, C>> {
    let state = State {
        input: weight.is_tracked().then(|| input.primitive.clone()),
        weight: input.is_tracked().then(|| weight.primitive.clone()),
        input_shape: input.shape().dims(),
        weight_shape: weight.shape().dims(),
        options,
    };
    let output = B::convolution(
        input.primitive.clone(),
        weight.primitive.clone(),
        bias.as_ref().map(|bias| bias.primitive.clone()),
        options,
    );
    match &bias {
        Some(bias) => record::<B, C, _, 3>(Convolution, [&input, &weight, bias], state, output),
        None => record::<B, C, _, 2>(Convolution, [&input, &weight], state, output),
    }
}

impl<B: ResidualBackend, const N: usize> Backward<B, N> for Convolution {
    type State = State<B>;

    fn backward(
        self,
        ops: Ops<State<B>, N>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let State {
            input,
            weight,
            input_shape,
            weight_shape,
            options,
        } = ops.state;
        let output_gradient = gradients.consume::<B>(&ops.node);
        let tracked = |index| ops.parents.get(index).cloned().flatten();

        if let Some(node) = tracked(2) {
            let gradient = B::channel_sum(output_gradient.clone());
            gradients.register::<B>(node.id, gradient);
        }
        if let (Some(node), Some(input)) = (tracked(1), input) {
            let gradient = B::convolution_weight_gradient(
                input,
                output_gradient.clone(),
                weight_shape,
                options,
            );
            gradients.register::<B>(node.id, gradient);
        }
        if let (Some(node), Some(weight)) = (tracked(0), weight) {
            // Takes out the gradient that the residual path registered for the same input, so that
            // the kernel adds it while writing instead of in a separate pass.
            let mut probe = FloatTensor::<Autodiff<B>>::new(weight.clone());
            probe.node = node.clone();
            let accumulate = probe.grad_remove(gradients);
            drop(probe);
            let gradient = B::convolution_input_gradient(
                output_gradient,
                weight,
                input_shape,
                options,
                accumulate,
            );
            gradients.register::<B>(node.id, gradient);
        }
    }
}
