//! Reusable buffers.

use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::{AllocationProperty, Bytes};

/// A pool of reusable buffers.
///
/// Allocating a large buffer from the system takes longer than filling it.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    buffers: Mutex<Vec<Vec<T>>>,
    /// Maximum number of buffers in the pool.
    most: usize,
}

impl<T> Shelf<T> {
    /// Creates an empty pool with room for `most` buffers.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            buffers: Mutex::default(),
            most,
        }
    }

    /// Returns an empty buffer with room for `capacity` values.
    pub(crate) fn take(&self, capacity: usize) -> Vec<T> {
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = buffers.pop().unwrap_or_default();
        drop(buffers);
        buffer.clear();
        buffer.reserve_exact(capacity);
        buffer
    }

    /// Returns a buffer to the pool; its content is discarded.
    pub(crate) fn put(&self, buffer: Vec<T>) {
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        if buffers.len() < self.most {
            buffers.push(buffer);
        }
    }
}

/// Wraps values for a tensor; the memory returns to the pool when the tensor is dropped.
pub(crate) fn lend(values: Vec<f32>, shelf: &Arc<Shelf<f32>>) -> Bytes {
    let shelf = Arc::clone(shelf);
    let lent = bytes::Bytes::from_owner(Lent { values, shelf });
    Bytes::from_shared(lent, AllocationProperty::Native)
}

struct Lent {
    values: Vec<f32>,
    shelf: Arc<Shelf<f32>>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.values)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.shelf.put(std::mem::take(&mut self.values));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{DType, Tensor, TensorData};
    use burn_flex::Flex;

    #[test]
    fn tensor_returns_its_memory() {
        let shelf = Arc::new(Shelf::new(1));
        let mut values = shelf.take(3);
        let place = values.as_ptr();
        values.extend([1.0, 2.0, 3.0]);
        let data = TensorData::from_bytes(lend(values, &shelf), [3], DType::F32);
        let tensor = Tensor::<Flex, 1>::from_data(data, &Default::default());
        let twice = tensor.clone() * 2.0;
        assert_eq!(tensor.to_data().to_vec::<f32>().unwrap(), [1.0, 2.0, 3.0]);
        assert!(shelf.buffers.lock().unwrap().is_empty());
        drop(tensor);
        assert_eq!(twice.to_data().to_vec::<f32>().unwrap(), [2.0, 4.0, 6.0]);
        drop(twice);
        let again = shelf.take(2);
        assert_eq!(again.as_ptr(), place);
        assert_eq!(shelf.take(5).capacity(), 5, "the shelf is empty again");
    }

    #[test]
    fn in_place_change_affects_a_copy() {
        let shelf = Arc::new(Shelf::new(2));
        let data = TensorData::from_bytes(lend(vec![1.0; 4], &shelf), [4], DType::F32);
        let tensor = Tensor::<Flex, 1>::from_data(data, &Default::default());
        let changed = tensor.add_scalar(1.0);
        assert_eq!(changed.into_data().to_vec::<f32>().unwrap(), [2.0; 4]);
        assert_eq!(shelf.take(4).capacity(), 4);
    }

    #[test]
    fn kept_buffers_are_limited() {
        let shelf = Shelf::new(1);
        shelf.put(vec![1_u8; 10]);
        shelf.put(vec![2_u8; 20]);
        let kept = shelf.take(1);
        assert_eq!((kept.len(), kept.capacity()), (0, 10));
    }
}
