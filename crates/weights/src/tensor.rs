//! Tensors in memory.

/// Numbers in row-major order with their shape.
///
/// An empty shape is a single number; a shape that contains a 0 has no values.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<T = f32> {
    shape: Vec<usize>,
    values: Vec<T>,
}

/// The number of values does not match the shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{values} values do not fit the shape {shape:?}")]
pub struct ShapeError {
    /// Expected shape.
    pub shape: Vec<usize>,
    /// Number of values.
    pub values: usize,
}

impl<T> Tensor<T> {
    /// Creates a tensor of `shape`, outermost dimension first, with `values` in row-major order.
    ///
    /// # Errors
    ///
    /// If the product of `shape` differs from the number of values.
    ///
    /// ```
    /// use weights::Tensor;
    ///
    /// let matrix = Tensor::new(vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// assert_eq!(matrix.shape(), [2, 3]);
    /// assert!(Tensor::new(vec![2, 3], vec![1.0]).is_err());
    /// # Ok::<(), weights::ShapeError>(())
    /// ```
    pub fn new(shape: Vec<usize>, values: Vec<T>) -> Result<Self, ShapeError> {
        if elements(&shape) == Some(values.len()) {
            Ok(Self { shape, values })
        } else {
            let values = values.len();
            Err(ShapeError { shape, values })
        }
    }

    /// Returns the sizes, outermost dimension first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Returns the values in row-major order.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// Returns the shape and values without copying.
    pub fn into_parts(self) -> (Vec<usize>, Vec<T>) {
        (self.shape, self.values)
    }
}

/// Returns the number of elements of a shape, unless it overflows.
pub(crate) fn elements(shape: &[usize]) -> Option<usize> {
    if shape.contains(&0) {
        // The other sizes may have any value.
        return Some(0);
    }
    shape.iter().copied().try_fold(1, usize::checked_mul)
}

/// A tensor of a state dict.
///
/// Floats of every width become `f32`, as with PyTorch's `.float()`. Integers and booleans, such as
/// the counter `num_batches_tracked` of a batch norm, remain whole numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// Tensor of float16, bfloat16, float32 or float64 elements.
    Float(Tensor),
    /// Tensor of signed or unsigned integers with 8 to 64 bits, or booleans, which become 0 and 1.
    Integer(Tensor<i64>),
}

impl Entry {
    /// Returns the sizes, outermost dimension first.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::Float(tensor) => tensor.shape(),
            Self::Integer(tensor) => tensor.shape(),
        }
    }

    /// Returns the same entry with the opposite sign.
    pub(crate) fn negated(mut self) -> Self {
        match &mut self {
            Self::Float(tensor) => tensor.values.iter_mut().for_each(|value| *value = -*value),
            Self::Integer(tensor) => {
                let values = tensor.values.iter_mut();
                values.for_each(|value| *value = value.wrapping_neg());
            }
        }
        self
    }
}

/// A tensor that has not been read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Keys that lead to the tensor, separated by dots: `state_dict.net.fc.bias`.
    pub name: String,
    /// Sizes, outermost dimension first; `None` if the tensor cannot be read.
    pub shape: Option<Vec<usize>>,
    /// Kind of the elements.
    pub kind: TensorKind,
    /// Reason why the tensor cannot be read, such as `of complex64`; `None` for floats and
    /// integers.
    pub unread: Option<String>,
}

/// Kind of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TensorKind {
    /// Floats with 16 to 64 bits.
    Float,
    /// Integers or booleans.
    Integer,
    /// Numbers that represent floats through a scale: a tensor quantized by PyTorch, or floats with
    /// 8 bits or fewer.
    Quantized,
    /// Elements that cannot be read.
    Unread,
}

impl TensorKind {
    /// Returns the kind of an unknown type, given its name in a file.
    pub(crate) fn unknown(name: &str) -> Self {
        const SMALL_FLOATS: [&str; 6] = ["F8", "F6", "F4", "float8", "float6", "float4"];
        match SMALL_FLOATS.iter().any(|start| name.starts_with(start)) {
            true => Self::Quantized,
            false => Self::Unread,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn element_counts_do_not_overflow() {
        assert_eq!(elements(&[]), Some(1));
        assert_eq!(elements(&[2, 0, usize::MAX, usize::MAX]), Some(0));
        assert_eq!(elements(&[usize::MAX, 2]), None);
        assert!(Tensor::new(vec![usize::MAX, 2], vec![0.0]).is_err());
        assert_eq!(Tensor::new(vec![], vec![3]).unwrap().values(), [3]);
    }
}
