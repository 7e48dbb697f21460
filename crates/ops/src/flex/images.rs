//! Tensors as the kernels want them: slices of `f32`, images channels-last.

use std::sync::OnceLock;

use burn::tensor::{Bytes, DType, Shape, TensorMetadata};
use burn_flex::{FlexTensor, Layout};

use crate::kernels::buffer::Buffer;
use crate::kernels::convolution::WeightOrder;
use crate::kernels::layout::to_channels_last;
use crate::kernels::shape;
use crate::profile;

/// The order of `[batch, height, width, channels]` in terms of `[batch, channels, height, width]`,
/// and back.
const TO_LAST: [usize; 4] = [0, 2, 3, 1];
const TO_FIRST: [usize; 4] = [0, 3, 1, 2];

/// If this environment variable is `off`, Flex computes with Burn's own operations, for comparison.
pub const KERNELS_VARIABLE: &str = "RESNET_KERNELS";

/// Whether the kernels compute with these.
pub(super) fn computable<'a>(tensors: impl IntoIterator<Item = &'a FlexTensor>) -> bool {
    static OFF: OnceLock<bool> = OnceLock::new();
    if *OFF.get_or_init(|| std::env::var(KERNELS_VARIABLE).is_ok_and(|value| value == "off")) {
        return false;
    }
    tensors
        .into_iter()
        .all(|tensor| tensor.dtype() == DType::F32)
}

/// Images that lie channels-last in memory, with nothing before or behind them.
#[derive(Clone, Debug)]
pub(super) struct Images {
    tensor: FlexTensor,
    pub shape: shape::Shape,
}

impl Images {
    /// Takes a tensor `[batch, channels, height, width]` as it is, or copies it if it lies in
    /// another order.
    pub(super) fn new(tensor: FlexTensor) -> Self {
        let [batch, channels, height, width] = tensor.shape().dims();
        let shape = shape::Shape {
            batch,
            height,
            width,
            channels,
        };
        let line = shape.line() as isize;
        let strides = [shape.image() as isize, 1, line, channels as isize];
        if lies(&tensor, strides) {
            return Self { tensor, shape };
        }
        let _running = profile::operation("channel order");
        if let Some(input) = tensor.as_slice::<f32>() {
            let mut images = Self::buffer(shape);
            to_channels_last(input, shape, &mut images);
            return Self::from_values(images, shape);
        }
        let last = tensor.permute(&TO_LAST).to_contiguous();
        Self {
            tensor: last.permute(&TO_FIRST),
            shape,
        }
    }

    /// Memory for images of this shape, with any contents.
    pub(super) fn buffer(shape: shape::Shape) -> Buffer {
        Buffer::new(shape.values())
    }

    /// From values in channels-last order.
    pub(super) fn from_values(values: Buffer, shape: shape::Shape) -> Self {
        let sizes = [shape.batch, shape.height, shape.width, shape.channels];
        Self {
            tensor: tensor(values, sizes).permute(&TO_FIRST),
            shape,
        }
    }

    pub(super) fn values(&self) -> &[f32] {
        self.tensor.storage()
    }

    /// None if something else holds the same memory.
    pub(super) fn values_mut(&mut self) -> Option<&mut [f32]> {
        self.tensor.try_storage_mut()
    }

    pub(super) fn into_tensor(self) -> FlexTensor {
        self.tensor
    }
}

/// A weight `[out_channels, in_channels, height, width]` in one of the orders that kernels know.
pub(super) struct Weight {
    tensor: FlexTensor,
    pub order: WeightOrder,
    pub shape: [usize; 4],
}

impl Weight {
    /// Takes a weight as it is, or copies it if it lies in another order.
    pub(super) fn new(tensor: FlexTensor) -> Self {
        let shape @ [out_channels, in_channels, _, width] = tensor.shape().dims();
        let strides = [
            1,
            out_channels,
            width * in_channels * out_channels,
            in_channels * out_channels,
        ];
        let (tensor, order) = if lies(&tensor, strides.map(|stride| stride as isize)) {
            (tensor, WeightOrder::InOut)
        } else {
            (tensor.to_contiguous(), WeightOrder::OutIn)
        };
        Self {
            tensor,
            order,
            shape,
        }
    }

    pub(super) fn values(&self) -> &[f32] {
        self.tensor.storage()
    }

    /// From values `[height, width, in_channels, out_channels]`.
    pub(super) fn tensor_from_values(values: Buffer, shape: [usize; 4]) -> FlexTensor {
        let [out_channels, in_channels, height, width] = shape;
        tensor(values, [height, width, in_channels, out_channels]).permute(&[3, 2, 0, 1])
    }
}

/// A vector with one value for each channel.
pub(super) fn vector(values: Vec<f32>) -> FlexTensor {
    let layout = Layout::contiguous(Shape::from([values.len()]));
    FlexTensor::new(Bytes::from_elems(values), layout, DType::F32)
}

/// The values of a tensor in the order of its shape.
pub(super) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    tensor.to_contiguous()
}

pub(super) fn tensor<const D: usize>(values: Buffer, shape: [usize; D]) -> FlexTensor {
    let layout = Layout::contiguous(Shape::from(shape));
    FlexTensor::new(values.into_bytes(), layout, DType::F32)
}

/// Whether a tensor fills its memory with exactly these strides; the stride of an axis of length 1
/// means nothing.
fn lies(tensor: &FlexTensor, strides: [isize; 4]) -> bool {
    let layout = tensor.layout();
    let matches =
        (0..4).all(|axis| layout.shape()[axis] == 1 || layout.strides()[axis] == strides[axis]);
    matches
        && layout.start_offset() == 0
        && tensor.bytes().len() == layout.num_elements() * size_of::<f32>()
}
