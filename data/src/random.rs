//! Random numbers that are the same on every machine and in every later version.
//!
//! The generator is ChaCha with 8 rounds, a published stream cipher, keyed directly with the
//! numbers that a draw depends on; what is made of its output is written out here. Nothing depends
//! on how a library turns a seed into a key or draws from a range, which may change between its
//! versions.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// What numbers are for, so that two uses of one seed have nothing in common.
///
/// Every augmentation has a purpose of its own: to turn one on changes nothing in the others.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// Which pictures of a class are split off; the number beside it is the class.
    Split = 1,
    /// The order of an epoch; the number beside it is the epoch.
    Epoch = 2,
    /// Where a padded picture is cropped; the numbers beside it are epoch and picture.
    PadCrop = 3,
    /// Whether a picture is mirrored; the numbers beside it are epoch and picture.
    Flip = 4,
    /// Which pictures of a class an epoch takes; the numbers beside it are epoch and class.
    Balance = 5,
}

/// A stream of random numbers, which depends on nothing but the arguments it was made from.
pub(crate) struct Generator(ChaCha8Rng);

impl Generator {
    /// The stream of a seed, a purpose and two numbers that tell what it is for.
    pub(crate) fn new(seed: u64, purpose: Purpose, numbers: [u64; 2]) -> Self {
        let mut key = [0; 32];
        key[0..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
        key[16..24].copy_from_slice(&numbers[0].to_le_bytes());
        key[24..32].copy_from_slice(&numbers[1].to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A whole number from 0 up to, not including, `bound`, each as likely; 0 if `bound` is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        // The upper half of the product is below `bound`; its bias is under bound / 2^64.
        let draw = u128::from(self.0.next_u64()) * bound as u128;
        (draw >> 64) as usize
    }

    /// True with probability one half.
    pub(crate) fn coin(&mut self) -> bool {
        self.0.next_u64() >> 63 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_fixed_for_good() {
        // A changed number here would break every run that is resumed after an update.
        let mut generator = Generator::new(42, Purpose::PadCrop, [3, 7]);
        let draws: Vec<usize> = (0..8).map(|_| generator.below(1000)).collect();
        assert_eq!(draws, [919, 720, 627, 718, 606, 171, 157, 745]);
    }

    #[test]
    fn each_argument_matters() {
        let first = |seed, purpose, numbers| Generator::new(seed, purpose, numbers).below(1 << 40);
        let draws = [
            first(1, Purpose::PadCrop, [2, 3]),
            first(2, Purpose::PadCrop, [2, 3]),
            first(1, Purpose::Flip, [2, 3]),
            first(1, Purpose::PadCrop, [3, 3]),
            first(1, Purpose::PadCrop, [2, 2]),
            first(1, Purpose::PadCrop, [3, 2]),
        ];
        for (place, draw) in draws.iter().enumerate() {
            assert!(!draws[..place].contains(draw), "{draws:?}");
        }
    }

    #[test]
    fn bounds_are_kept() {
        let mut generator = Generator::new(1, Purpose::Split, [0, 0]);
        assert_eq!((generator.below(0), generator.below(1)), (0, 0));
        let heads = (0..10_000).filter(|_| generator.coin()).count();
        assert!((4800..5200).contains(&heads), "{heads}");
    }
}
