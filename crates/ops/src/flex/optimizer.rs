//! Optimizer steps, in the parameter's own memory if nothing else shares it.

use burn::tensor::DType;
use burn_flex::FlexTensor;

use crate::kernels::optimizer::{self, Adam, Momentum};
use crate::kernels::simd::SimdLevel;
use crate::profile;
use crate::step::{AdamStep, SgdStep};

pub(super) fn sgd_step(
    parameter: FlexTensor,
    gradient: FlexTensor,
    buffer: Option<FlexTensor>,
    step: SgdStep,
) -> (FlexTensor, Option<FlexTensor>) {
    let _running = profile::operation("sgd step");
    let gradient = filling(gradient);
    let mut parameter = like(parameter, &gradient);
    let first_step = buffer.is_none();
    let mut buffer = (step.momentum != 0.0).then(|| match buffer {
        Some(buffer) => like(buffer, &gradient),
        None => FlexTensor::zeros(gradient.layout().shape().clone(), DType::F32)
            .with_layout(gradient.layout().clone()),
    });
    optimizer::sgd_step(
        SimdLevel::best(),
        parameter.storage_mut(),
        gradient.storage(),
        buffer.as_mut().map(|buffer| Momentum {
            buffer: buffer.storage_mut(),
            momentum: step.momentum,
            dampening: step.dampening,
            nesterov: step.nesterov,
        }),
        step.weight_decay,
        step.rate,
        first_step,
    );
    (parameter, buffer)
}

pub(super) fn adam_step(
    parameter: FlexTensor,
    gradient: FlexTensor,
    moments: Option<[FlexTensor; 2]>,
    step: AdamStep,
) -> (FlexTensor, [FlexTensor; 2]) {
    let _running = profile::operation("adam step");
    let gradient = filling(gradient);
    let mut parameter = like(parameter, &gradient);
    let [mut first, mut second] = match moments {
        Some(moments) => moments.map(|moment| like(moment, &gradient)),
        None => [(); 2].map(|()| {
            FlexTensor::zeros(gradient.layout().shape().clone(), DType::F32)
                .with_layout(gradient.layout().clone())
        }),
    };
    optimizer::adam_step(
        SimdLevel::best(),
        parameter.storage_mut(),
        gradient.storage(),
        first.storage_mut(),
        second.storage_mut(),
        &Adam {
            beta1: step.beta1,
            beta2: step.beta2,
            epsilon: step.epsilon,
            weight_decay: step.weight_decay,
            decoupled: step.decoupled,
        },
        step.number,
        step.rate,
    );
    (parameter, [first, second])
}

/// Returns a tensor that fills its memory, in any order: the given one, or a copy.
fn filling(tensor: FlexTensor) -> FlexTensor {
    if fills(&tensor) {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// Returns a tensor with the memory layout of `model`, which fills its memory: the given one, or a
/// copy. After the first step, all tensors of a parameter have the layout of its gradient.
fn like(tensor: FlexTensor, model: &FlexTensor) -> FlexTensor {
    if fills(&tensor) && tensor.layout().strides() == model.layout().strides() {
        return tensor;
    }
    // Axes from the longest stride to the shortest, which is their order in memory.
    let strides = model.layout().strides();
    let mut axes: Vec<usize> = (0..strides.len()).collect();
    axes.sort_by_key(|&axis| {
        (
            std::cmp::Reverse(strides[axis]),
            std::cmp::Reverse(model.layout().shape()[axis]),
        )
    });
    let values = tensor.permute(&axes).to_contiguous();
    values.with_layout(model.layout().clone())
}

fn fills(tensor: &FlexTensor) -> bool {
    let layout = tensor.layout();
    let mut axes: Vec<(isize, usize)> = layout
        .strides()
        .iter()
        .copied()
        .zip(layout.shape().iter().copied())
        .filter(|&(_, length)| length > 1)
        .collect();
    axes.sort_unstable();
    let mut expected = 1;
    let dense = axes.iter().all(|&(stride, length)| {
        let matches = stride == expected;
        expected *= length as isize;
        matches
    });
    dense
        && layout.start_offset() == 0
        && tensor.bytes().len() == layout.num_elements() * size_of::<f32>()
}
