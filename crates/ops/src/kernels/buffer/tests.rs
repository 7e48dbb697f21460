use burn::tensor::{DType, Shape};
use burn_flex::{FlexTensor, Layout};

use super::pool::Counters;
use super::*;

/// Creates a separate pool, because other tests use the common one concurrently.
fn pool() -> &'static Pool {
    Box::leak(Box::new(Pool::new()))
}

#[test]
fn memory_is_reused() {
    let pool = pool();
    let first = Buffer::of(pool, 10_000);
    let address = first.as_ptr();
    drop(first);
    let second = Buffer::of(pool, 9_000);
    assert_eq!(second.as_ptr(), address);
    assert_eq!(second.len(), 9_000);
    let counters = pool.counters();
    assert_eq!((counters.allocated, counters.reused), (1, 1));
    assert_eq!((counters.live, counters.free), (40_000, 0));
}

#[test]
fn best_fitting_buffer_is_reused() {
    let pool = pool();
    let sizes = [40_000, 11_000, 10_500];
    let buffers: Vec<Buffer> = sizes.map(|size| Buffer::of(pool, size)).into();
    let addresses: Vec<*const f32> = buffers.iter().map(|buffer| buffer.as_ptr()).collect();
    drop(buffers);
    let taken = [10_000, 10_000].map(|size| Buffer::of(pool, size));
    assert_eq!(taken[0].as_ptr(), addresses[2]);
    assert_eq!(taken[1].as_ptr(), addresses[1]);
    // Only the buffer that is four times as large is left.
    let _third = Buffer::of(pool, 10_000);
    assert_eq!(pool.counters().allocated, 4);
}

#[test]
fn buffers_are_aligned_and_poisoned() {
    let pool = pool();
    for length in [0, 1, 3, 16, 1000, 1024, 5000, 100_000] {
        for _ in 0..2 {
            let mut buffer = Buffer::of(pool, length);
            assert_eq!(buffer.len(), length);
            assert!(buffer.as_ptr().addr().is_multiple_of(64));
            if cfg!(debug_assertions) {
                assert!(buffer.iter().all(|value| value.is_nan()));
            }
            buffer.fill(1.0);
        }
    }
    assert_eq!(&*Buffer::from(&[1.0, 2.0][..]), [1.0, 2.0]);
}

#[test]
fn pool_keeps_at_most_peak_usage() {
    let pool = pool();
    // Each buffer is too large for the next one to reuse.
    for length in [64_000, 32_000, 16_000, 8_000, 4_000] {
        drop(Buffer::of(pool, length));
        let counters = pool.counters();
        assert!(counters.free <= counters.most_live);
    }
    // The largest buffer entered the pool first, so it left first.
    let counters = pool.counters();
    assert_eq!(counters.most_live, 256_000);
    assert_eq!(counters.free, 240_000);
    assert_eq!(counters.allocated, 5);
}

#[test]
fn small_buffers_are_not_kept() {
    let pool = pool();
    drop(Buffer::of(pool, 100));
    assert_eq!(pool.counters(), Counters::default());
}

#[test]
fn threads_share_the_pool() {
    let pool = pool();
    let held: usize = std::thread::scope(|scope| {
        let worker = |seed: usize| {
            move || {
                let mut held = Vec::new();
                for round in 0..200 {
                    let mut buffer = Buffer::of(pool, 1500 + (seed * 7 + round * 13) % 5000);
                    buffer.fill(seed as f32);
                    held.push(buffer);
                    if held.len() > 5 {
                        let buffer = held.swap_remove(round % 5);
                        assert!(buffer.iter().all(|&value| value == seed as f32));
                    }
                }
                held.len()
            }
        };
        let threads: Vec<_> = (0..4).map(|seed| scope.spawn(worker(seed))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no failure"))
            .sum()
    });
    assert_eq!(held, 20);
    let counters = pool.counters();
    assert_eq!(counters.live, 0);
    assert_eq!(counters.allocated + counters.reused, 800);
}

#[test]
fn tensor_uses_buffer_and_returns_it() {
    let pool = pool();
    let mut buffer = Buffer::of(pool, 6000);
    for (index, value) in buffer.iter_mut().enumerate() {
        *value = index as f32;
    }
    let address = buffer.as_ptr();
    let layout = Layout::contiguous(Shape::new([20, 300]));
    let tensor = FlexTensor::new(buffer.into_bytes(), layout, DType::F32);
    assert_eq!(tensor.storage::<f32>().as_ptr(), address);
    assert_eq!(tensor.storage::<f32>()[5999], 5999.0);

    // A shared tensor is copied to another buffer before it is written.
    let mut other = tensor.clone();
    other.storage_mut::<f32>()[0] = 7.0;
    assert_eq!(other.storage::<f32>()[..2], [7.0, 1.0]);
    assert_eq!(tensor.storage::<f32>()[0], 0.0);
    assert_eq!(pool.counters().live, 48_000);

    drop((tensor, other));
    assert_eq!(pool.counters().live, 0);
    assert_eq!(pool.counters().free, 48_000);
}

#[test]
fn empty_tensor_has_no_bytes() {
    assert!(Buffer::of(pool(), 0).into_bytes().is_empty());
}

#[test]
fn bytes_larger_than_buffer_are_kept() {
    let mut buffer = Buffer::of(pool(), 2000);
    buffer.fill(1.5);
    let mut bytes = buffer.into_bytes();
    bytes.extend_from_byte_slice(&2.5f32.to_ne_bytes());
    assert_eq!(bytes.len(), 8004);
    assert_eq!(bytes[7996..8000], 1.5f32.to_ne_bytes());
    assert_eq!(bytes[8000..], 2.5f32.to_ne_bytes());
}
