//! Tensors in the form that the kernels need: slices of `f32`, with images channels-last.

use std::sync::OnceLock;

use burn::tensor::{Bytes, DType, Shape, TensorMetadata};
use burn_flex::{FlexTensor, Layout};

use crate::kernels::buffer::Buffer;
use crate::kernels::convolution::WeightOrder;
use crate::kernels::layout::to_channels_last;
use crate::kernels::shape;
use crate::profile;

/// Permutation from `[batch, channels, height, width]` to `[batch, height, width, channels]`, and
/// its inverse.
const TO_LAST: [usize; 4] = [0, 2, 3, 1];
const TO_FIRST: [usize; 4] = [0, 3, 1, 2];

/// Environment variable that makes Flex use Burn's own operations if it is `off`, for comparison.
pub const KERNELS_VARIABLE: &str = "RESNET_KERNELS";

/// Returns whether the kernels can compute with these tensors.
pub(super) fn computable<'a>(tensors: impl IntoIterator<Item = &'a FlexTensor>) -> bool {
    static OFF: OnceLock<bool> = OnceLock::new();
    if *OFF.get_or_init(|| std::env::var(KERNELS_VARIABLE).is_ok_and(|value| value == "off")) {
        return false;
    }
    tensors
        .into_iter()
        .all(|tensor| tensor.dtype() == DType::F32)
}

/// Images that are channels-last in memory and fill it completely.
#[derive(Clone, Debug)]
pub(super) struct Images {
    tensor: FlexTensor,
    pub shape: shape::Shape,
}

impl Images {
    /// Takes a tensor `[batch, channels, height, width]` as it is, or copies it if it has another
    /// memory layout.
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

    /// Returns memory for images of this shape, with unspecified contents.
    pub(super) fn buffer(shape: shape::Shape) -> Buffer {
        Buffer::new(shape.values())
    }

    /// Creates images from values in channels-last order.
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

    /// Returns `None` if something else shares the memory.
    pub(super) fn values_mut(&mut self) -> Option<&mut [f32]> {
        self.tensor.try_storage_mut()
    }

    pub(super) fn into_tensor(self) -> FlexTensor {
        self.tensor
    }
}

/// A weight `[out_channels, in_channels, height, width]` in one of the layouts that the kernels
/// support.
pub(super) struct Weight {
    tensor: FlexTensor,
    pub order: WeightOrder,
    pub shape: [usize; 4],
}

impl Weight {
    /// Takes a weight as it is, or copies it if it has another layout.
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

    /// Creates a weight from values `[height, width, in_channels, out_channels]`.
    pub(super) fn tensor_from_values(values: Buffer, shape: [usize; 4]) -> FlexTensor {
        let [out_channels, in_channels, height, width] = shape;
        tensor(values, [height, width, in_channels, out_channels]).permute(&[3, 2, 0, 1])
    }
}

/// Creates a vector with one value per channel.
pub(super) fn vector(values: Vec<f32>) -> FlexTensor {
    let layout = Layout::contiguous(Shape::from([values.len()]));
    FlexTensor::new(Bytes::from_elems(values), layout, DType::F32)
}

/// Returns a tensor whose values are in the order of its shape.
pub(super) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    tensor.to_contiguous()
}

/// Returns the values of a tensor if they lie in the order of its shape.
pub(super) fn values_in_order(tensor: &FlexTensor) -> Option<&[f32]> {
    let layout = tensor.layout();
    let is_in_order =
        tensor.dtype() == DType::F32 && layout.is_contiguous() && layout.start_offset() == 0;
    is_in_order.then(|| &tensor.storage()[..layout.num_elements()])
}

pub(super) fn tensor<const D: usize>(values: Buffer, shape: [usize; D]) -> FlexTensor {
    let layout = Layout::contiguous(Shape::from(shape));
    FlexTensor::new(values.into_bytes(), layout, DType::F32)
}

/// Returns whether a tensor fills its memory with exactly these strides. The stride of an axis of
/// length 1 does not matter.
fn lies(tensor: &FlexTensor, strides: [isize; 4]) -> bool {
    let layout = tensor.layout();
    let matches =
        (0..4).all(|axis| layout.shape()[axis] == 1 || layout.strides()[axis] == strides[axis]);
    matches
        && layout.start_offset() == 0
        && tensor.bytes().len() == layout.num_elements() * size_of::<f32>()
}
