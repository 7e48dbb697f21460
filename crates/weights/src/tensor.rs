//! A tensor in memory.

/// Numbers in row-major order and the shape that they have.
///
/// An empty shape is a single number; a shape with a 0 in it holds none.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<T = f32> {
    shape: Vec<usize>,
    values: Vec<T>,
}

/// The number of values does not fit the shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{values} values do not fit the shape {shape:?}")]
pub struct ShapeError {
    /// The shape.
    pub shape: Vec<usize>,
    /// The number of values.
    pub values: usize,
}

impl<T> Tensor<T> {
    /// A tensor of `shape`, outermost dimension first, with `values` in row-major order.
    ///
    /// # Errors
    ///
    /// If the product of `shape` is not the number of values.
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

    /// The sizes, outermost dimension first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values in row-major order.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// Shape and values, without a copy.
    pub fn into_parts(self) -> (Vec<usize>, Vec<T>) {
        (self.shape, self.values)
    }
}

/// The number of elements of a shape, if it is one that can be counted.
pub(crate) fn elements(shape: &[usize]) -> Option<usize> {
    if shape.contains(&0) {
        // The other sizes may be anything.
        return Some(0);
    }
    shape.iter().copied().try_fold(1, usize::checked_mul)
}

/// A tensor of a state dict.
///
/// Floats of every width become `f32`, as PyTorch's `.float()` does it. Integers and booleans, such
/// as the counter `num_batches_tracked` of a batch norm, stay whole numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// From float16, bfloat16, float32 or float64.
    Float(Tensor),
    /// From signed or unsigned integers of 8 to 64 bits, or booleans, which become 0 and 1.
    Integer(Tensor<i64>),
}

impl Entry {
    /// The sizes, outermost dimension first.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::Float(tensor) => tensor.shape(),
            Self::Integer(tensor) => tensor.shape(),
        }
    }

    /// The same with the opposite sign.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_counted_without_overflow() {
        assert_eq!(elements(&[]), Some(1));
        assert_eq!(elements(&[2, 0, usize::MAX, usize::MAX]), Some(0));
        assert_eq!(elements(&[usize::MAX, 2]), None);
        assert!(Tensor::new(vec![usize::MAX, 2], vec![0.0]).is_err());
        assert_eq!(Tensor::new(vec![], vec![3]).unwrap().values(), [3]);
    }
}
