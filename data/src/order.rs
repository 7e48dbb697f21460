//! Random orders that are the same on every machine and in every later version.

use crate::random::{Generator, Purpose};

/// Returns a random order of `0..length`, which depends only on the arguments.
pub(crate) fn permutation(length: usize, seed: u64, purpose: Purpose, number: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..length).collect();
    shuffle(&mut order, &mut Generator::new(seed, purpose, [number, 0]));
    order
}

/// Shuffles items with the Fisher-Yates algorithm.
pub(crate) fn shuffle<T>(items: &mut [T], generator: &mut Generator) {
    for last in (1..items.len()).rev() {
        items.swap(last, generator.below(last + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_matches_fixed_values() {
        // A different order would break every run that is resumed after an update.
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
    fn positions_are_uniform() {
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
