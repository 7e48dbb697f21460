//! Random orders that are the same on every machine and in every later version.
//!
//! The generator is ChaCha with 8 rounds, a published stream cipher, keyed directly with the
//! numbers that an order depends on; the shuffle is written out here. Nothing depends on how a
//! library turns a seed into a key or draws from a range, which may change between its versions.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// What an order is for, so that two orders of one seed have nothing in common.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// Which pictures of a class are split off; the number beside it is the class.
    Split = 1,
    /// The order of an epoch; the number beside it is the epoch.
    Epoch = 2,
}

/// A random order of `0..length`, which depends on nothing but the arguments.
pub(crate) fn permutation(length: usize, seed: u64, purpose: Purpose, number: u64) -> Vec<usize> {
    let mut key = [0; 32];
    key[0..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&number.to_le_bytes());
    let mut generator = ChaCha8Rng::from_seed(key);

    // Fisher and Yates. The upper half of the product is below `last + 1`; its bias is under
    // length / 2^64.
    let mut order: Vec<usize> = (0..length).collect();
    for last in (1..length).rev() {
        let draw = u128::from(generator.next_u64()) * (last as u128 + 1);
        order.swap(last, (draw >> 64) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_fixed_for_good() {
        // A changed order here would break every run that is resumed after an update.
        assert_eq!(
            permutation(10, 42, Purpose::Epoch, 3),
            [6, 8, 0, 7, 9, 5, 4, 2, 1, 3]
        );
    }

    #[test]
    fn each_argument_matters() {
        let order = permutation(100, 1, Purpose::Epoch, 1);
        assert_ne!(order, permutation(100, 2, Purpose::Epoch, 1));
        assert_ne!(order, permutation(100, 1, Purpose::Split, 1));
        assert_ne!(order, permutation(100, 1, Purpose::Epoch, 2));
    }

    #[test]
    fn every_place_is_as_likely() {
        let mut counts = [[0_u32; 5]; 5];
        for number in 0..5000 {
            for (place, &item) in permutation(5, 7, Purpose::Epoch, number).iter().enumerate() {
                counts[place][item] += 1;
            }
        }
        // 1000 expected each, with a standard deviation of 28.
        assert!(
            counts
                .iter()
                .flatten()
                .all(|count| (850..1150).contains(count)),
            "{counts:?}"
        );
    }
}
