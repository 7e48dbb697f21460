//! Layout of a tensor's elements in its storage.

use crate::tensor::elements;

/// Maximum number of elements that a tensor may have beyond those of its storage, because its
/// strides are 0 or its rows overlap: enough for an expanded scalar, too few for a small file to
/// exhaust memory.
const MAX_EXPANDED: usize = 1 << 16;

/// Maximum number of dimensions in PyTorch's own operations.
const MAX_DIMENSIONS: usize = 64;

/// Reason why the sizes, strides and offset of a tensor do not fit its storage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutProblem {
    /// There are more dimensions than PyTorch allows.
    #[error("it has {found} dimensions: expected at most {MAX_DIMENSIONS}")]
    Dimensions {
        /// Number of dimensions.
        found: usize,
    },

    /// The numbers of sizes and strides differ.
    #[error("it has {sizes} sizes and {strides} strides")]
    Rank {
        /// Number of sizes.
        sizes: usize,
        /// Number of strides.
        strides: usize,
    },

    /// A size, a stride or the offset is negative.
    #[error("it has a negative size, stride or offset: {found}")]
    Negative {
        /// Negative number.
        found: i64,
    },

    /// The product of the sizes overflows.
    #[error("its sizes, strides and offset overflow")]
    Overflow,

    /// The tensor extends beyond its storage.
    #[error("it needs {needed} elements of a storage of {stored}")]
    BeyondStorage {
        /// Number of elements needed: one past the last element used.
        needed: usize,
        /// Number of elements in the storage.
        stored: usize,
    },

    /// The tensor repeats the elements of a small storage too often.
    #[error("it repeats {stored} stored elements as {elements}")]
    Expanded {
        /// Number of elements in the tensor.
        elements: usize,
        /// Number of elements in the storage.
        stored: usize,
    },
}

/// Sizes, strides and offset in elements, validated against a storage.
#[derive(Debug)]
pub(crate) struct Layout {
    shape: Vec<usize>,
    strides: Vec<usize>,
    offset: usize,
    elements: usize,
}

impl Layout {
    /// Validates numbers from a file against a storage of `stored` elements.
    pub(crate) fn new(
        shape: &[i64],
        strides: &[i64],
        offset: i64,
        stored: usize,
    ) -> Result<Self, LayoutProblem> {
        if shape.len() > MAX_DIMENSIONS {
            return Err(LayoutProblem::Dimensions { found: shape.len() });
        }
        if shape.len() != strides.len() {
            return Err(LayoutProblem::Rank {
                sizes: shape.len(),
                strides: strides.len(),
            });
        }
        let shape = shape
            .iter()
            .map(|&size| natural(size))
            .collect::<Result<Vec<_>, _>>()?;
        let strides = strides
            .iter()
            .map(|&stride| natural(stride))
            .collect::<Result<Vec<_>, _>>()?;
        let offset = natural(offset)?;
        let elements = elements(&shape).ok_or(LayoutProblem::Overflow)?;
        let needed = beyond_last(&shape, &strides, offset).ok_or(LayoutProblem::Overflow)?;
        // A tensor without elements may have any offset.
        if elements > 0 && needed > stored {
            return Err(LayoutProblem::BeyondStorage { needed, stored });
        }
        if elements > stored.max(MAX_EXPANDED) {
            return Err(LayoutProblem::Expanded { elements, stored });
        }
        Ok(Self {
            shape,
            strides,
            offset,
            elements,
        })
    }

    /// Returns a layout that fills its storage in row-major order.
    pub(crate) fn contiguous(shape: Vec<usize>) -> Result<Self, LayoutProblem> {
        let elements = elements(&shape).ok_or(LayoutProblem::Overflow)?;
        let strides = row_major(&shape);
        Ok(Self {
            shape,
            strides,
            offset: 0,
            elements,
        })
    }

    pub(crate) fn elements(&self) -> usize {
        self.elements
    }

    pub(crate) fn into_shape(self) -> Vec<usize> {
        self.shape
    }

    /// Returns the elements in row-major order, each converted from `BYTES` bytes.
    ///
    /// `bytes` is the storage that the layout was validated against.
    pub(crate) fn gather<const BYTES: usize, T>(
        &self,
        bytes: &[u8],
        element: impl Fn([u8; BYTES]) -> T,
    ) -> Vec<T> {
        let stored = bytes.as_chunks::<BYTES>().0;
        if self.elements == 0 {
            return Vec::new();
        }
        let strides = row_major(&self.shape);
        let contiguous = (self.shape.iter().zip(&self.strides).zip(&strides))
            .all(|((&size, stride), row_major)| size == 1 || stride == row_major);
        if contiguous {
            let stored = &stored[self.offset..][..self.elements];
            return stored.iter().map(|&bytes| element(bytes)).collect();
        }
        self.walk(stored, element)
    }

    /// Iterates over the indices like an odometer, one innermost row at a time.
    fn walk<const BYTES: usize, T>(
        &self,
        stored: &[[u8; BYTES]],
        element: impl Fn([u8; BYTES]) -> T,
    ) -> Vec<T> {
        let (Some((&columns, outer)), Some((&step, outer_strides))) =
            (self.shape.split_last(), self.strides.split_last())
        else {
            return stored[self.offset..][..1]
                .iter()
                .map(|&bytes| element(bytes))
                .collect();
        };
        let mut values = Vec::with_capacity(self.elements);
        let mut index = vec![0; outer.len()];
        let mut row = self.offset;
        loop {
            values.extend((0..columns).map(|column| element(stored[row + column * step])));
            let mut dimension = outer.len();
            loop {
                let Some(next) = dimension.checked_sub(1) else {
                    return values;
                };
                dimension = next;
                index[dimension] += 1;
                row += outer_strides[dimension];
                if index[dimension] < outer[dimension] {
                    break;
                }
                row -= outer[dimension] * outer_strides[dimension];
                index[dimension] = 0;
            }
        }
    }
}

fn natural(number: i64) -> Result<usize, LayoutProblem> {
    if number < 0 {
        return Err(LayoutProblem::Negative { found: number });
    }
    usize::try_from(number).map_err(|_| LayoutProblem::Overflow)
}

/// Returns the position after the last element, unless it overflows.
fn beyond_last(shape: &[usize], strides: &[usize], offset: usize) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    let mut beyond = offset.checked_add(1)?;
    for (&size, &stride) in shape.iter().zip(strides) {
        beyond = beyond.checked_add((size - 1).checked_mul(stride)?)?;
    }
    Some(beyond)
}

/// Returns the strides of a tensor in row-major order. Only meaningful if the number of elements
/// does not overflow, in which case no stride in use overflows either.
fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1_usize; shape.len()];
    for dimension in (1..shape.len()).rev() {
        strides[dimension - 1] = strides[dimension].saturating_mul(shape[dimension]);
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gathers from a storage with the bytes 0, 1, 2, …
    fn gathered(
        shape: &[i64],
        strides: &[i64],
        offset: i64,
        stored: u8,
    ) -> Result<Vec<u8>, LayoutProblem> {
        let bytes: Vec<u8> = (0..stored).collect();
        let layout = Layout::new(shape, strides, offset, bytes.len())?;
        Ok(layout.gather(&bytes, |[byte]: [u8; 1]| byte))
    }

    #[test]
    fn strides_and_offset_are_honored() {
        assert_eq!(
            gathered(&[2, 3], &[3, 1], 1, 7).unwrap(),
            [1, 2, 3, 4, 5, 6]
        );
        assert_eq!(
            gathered(&[3, 2], &[1, 3], 0, 6).unwrap(),
            [0, 3, 1, 4, 2, 5]
        );
        assert_eq!(
            gathered(&[2, 2, 2], &[1, 2, 4], 0, 8).unwrap(),
            [0, 4, 2, 6, 1, 5, 3, 7]
        );
        assert_eq!(gathered(&[2, 3], &[0, 0], 4, 5).unwrap(), [4; 6]);
        assert_eq!(gathered(&[], &[], 2, 3).unwrap(), [2]);
        assert_eq!(
            gathered(&[1, 2], &[77, 1], 0, 2).unwrap(),
            [0, 1],
            "stride of a size of 1"
        );
    }

    #[test]
    fn empty_tensors_need_no_storage() {
        assert_eq!(gathered(&[0], &[1], 0, 0).unwrap(), [0; 0]);
        assert_eq!(
            gathered(&[i64::MAX, 0, i64::MAX], &[i64::MAX; 3], i64::MAX, 0).unwrap(),
            [0; 0]
        );
    }

    #[test]
    fn tensor_stays_within_its_storage() {
        use LayoutProblem::{BeyondStorage, Negative, Overflow};
        let beyond = BeyondStorage {
            needed: 7,
            stored: 6,
        };
        assert_eq!(gathered(&[2, 3], &[3, 1], 1, 6), Err(beyond));
        assert_eq!(
            gathered(&[], &[], 0, 0),
            Err(BeyondStorage {
                needed: 1,
                stored: 0
            })
        );
        assert_eq!(gathered(&[-1], &[1], 0, 6), Err(Negative { found: -1 }));
        assert_eq!(gathered(&[2], &[-1], 1, 6), Err(Negative { found: -1 }));
        assert_eq!(
            gathered(&[2], &[1], i64::MIN, 6),
            Err(Negative { found: i64::MIN })
        );
        assert_eq!(
            gathered(&[i64::MAX, i64::MAX], &[0, 0], 0, 6),
            Err(Overflow)
        );
        assert_eq!(gathered(&[3, 3], &[i64::MAX, 1], 0, 6), Err(Overflow));
        let rank = LayoutProblem::Rank {
            sizes: 2,
            strides: 1,
        };
        assert_eq!(gathered(&[1, 1], &[1], 0, 6), Err(rank));
        let dimensions = LayoutProblem::Dimensions { found: 65 };
        assert_eq!(gathered(&[1; 65], &[1; 65], 0, 6), Err(dimensions));
    }

    #[test]
    fn repeated_elements_have_a_limit() {
        let few = MAX_EXPANDED as i64;
        assert_eq!(gathered(&[few], &[0], 0, 1).unwrap().len(), MAX_EXPANDED);
        let problem = gathered(&[few + 1], &[0], 0, 1).unwrap_err();
        let elements = MAX_EXPANDED + 1;
        assert_eq!(
            problem,
            LayoutProblem::Expanded {
                elements,
                stored: 1
            }
        );
    }
}
