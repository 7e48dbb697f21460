//! Forward and backward steps for `Autodiff`: one graph step per operation, whose backward part
//! runs on the inner backend.
//!
//! A step keeps only the tensors that its gradient needs, and drops them before it registers its
//! result: a tensor without other owners can be reused in place.

mod affine;
mod batch_norm;
mod convolution;
mod known_gradient;
mod pooling;
mod relu;
mod shortcut;

use std::fmt::Debug;

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;

use super::{BatchNormOutput, ConvolutionOptions, ResidualBackend};

impl<B: ResidualBackend, C: CheckpointStrategy> ResidualBackend for Autodiff<B, C> {
    fn convolution(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: Option<FloatTensor<Self>>,
        options: ConvolutionOptions,
    ) -> FloatTensor<Self> {
        convolution::convolution::<B, C>(input, weight, bias, options)
    }

    fn batch_norm(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: Option<FloatTensor<Self>>,
        relu: bool,
        epsilon: f64,
    ) -> BatchNormOutput<Self> {
        batch_norm::batch_norm::<B, C>(input, gamma, beta, residual, relu, epsilon)
    }

    fn affine(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        residual: Option<FloatTensor<Self>>,
        relu: bool,
    ) -> FloatTensor<Self> {
        affine::affine::<B, C>(input, scale, shift, residual, relu)
    }

    fn max_pool(
        input: FloatTensor<Self>,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FloatTensor<Self> {
        pooling::max_pool::<B, C>(input, kernel, stride, padding)
    }

    fn average_pool(input: FloatTensor<Self>, edge: usize) -> FloatTensor<Self> {
        pooling::average_pool::<B, C>(input, edge)
    }

    fn global_average_pool(input: FloatTensor<Self>) -> FloatTensor<Self> {
        pooling::global_average_pool::<B, C>(input)
    }

    fn flatten(input: FloatTensor<Self>) -> FloatTensor<Self> {
        pooling::flatten::<B, C>(input)
    }

    fn zero_pad_shortcut(
        input: FloatTensor<Self>,
        stride: usize,
        padding: [usize; 2],
    ) -> FloatTensor<Self> {
        shortcut::zero_pad::<B, C>(input, stride, padding)
    }

    fn known_gradient(output: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        known_gradient::known_gradient::<B, C>(output, gradient)
    }

    fn rectify(tensor: FloatTensor<Self>) -> FloatTensor<Self> {
        relu::relu::<B, C>(tensor)
    }

    fn add(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self> {
        shortcut::add::<B, C>(left, right)
    }

    fn add_relu(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self> {
        relu::add_relu::<B, C>(left, right)
    }
}

/// Adds a gradient of images to the one already registered for the same node. `register` alone
/// would use Burn's own addition. `of` puts the node into a tensor, because Burn does not export
/// the type of nodes.
fn accumulate<B: ResidualBackend>(
    gradients: &mut Gradients,
    gradient: FloatTensor<B>,
    of: impl FnOnce(&mut FloatTensor<Autodiff<B>>),
) {
    let mut parent = FloatTensor::<Autodiff<B>>::new(gradient.clone());
    of(&mut parent);
    let found = parent.grad_remove(gradients);
    let id = parent.node.id;
    // The gradient has no other owner then, so the sum can reuse its memory.
    drop(parent);
    let gradient = match found {
        Some(found) => B::add(gradient, found),
        None => gradient,
    };
    gradients.register::<B>(id, gradient);
}

/// Wraps the output in a tensor of the graph, with `step` attached if one of its parents is
/// tracked.
fn record<B, C, S, const N: usize>(
    step: S,
    parents: [&FloatTensor<Autodiff<B, C>>; N],
    state: S::State,
    output: FloatTensor<B>,
) -> FloatTensor<Autodiff<B, C>>
where
    B: Backend,
    C: CheckpointStrategy,
    S: Backward<B, N>,
{
    let nodes = parents.map(|parent| parent.node.clone());
    match step.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(operation) => operation.finish(state, output),
        OpsKind::UnTracked(operation) => operation.finish(output),
    }
}

/// The step of an operation with one parent: the gradient of its input, from the state that it
/// kept and the gradient of its output.
#[derive(Debug)]
struct Unary<B: Backend, S>(fn(S, FloatTensor<B>) -> FloatTensor<B>);

/// Like [`record`], for an operation with one parent.
fn record_unary<B, C, S>(
    parent: &FloatTensor<Autodiff<B, C>>,
    state: S,
    output: FloatTensor<B>,
    gradient: fn(S, FloatTensor<B>) -> FloatTensor<B>,
) -> FloatTensor<Autodiff<B, C>>
where
    B: ResidualBackend,
    C: CheckpointStrategy,
    S: Clone + Send + Debug + 'static,
{
    record::<B, C, _, 1>(Unary(gradient), [parent], state, output)
}

impl<B: ResidualBackend, S: Clone + Send + Debug + 'static> Backward<B, 1> for Unary<B, S> {
    type State = S;

    fn backward(self, ops: Ops<S, 1>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let output_gradient = gradients.consume::<B>(&ops.node);
        let [parent] = ops.parents;
        if let Some(node) = parent {
            let gradient = (self.0)(ops.state, output_gradient);
            accumulate::<B>(gradients, gradient, |parent| parent.node = node);
        }
    }
}
