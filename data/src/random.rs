//! Random numbers that are the same on every machine and in every later version.
//!
//! The generator is ChaCha with 8 rounds, a published stream cipher, keyed directly with the
//! numbers that a draw depends on; the conversion of its output is implemented here. Nothing
//! depends on how a library derives a key from a seed or draws from a range, which may change
//! between its versions. Where a logarithm or a cosine is involved, the last digit depends on the
//! machine.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// Purpose of random numbers, so that two uses of one seed are independent.
///
/// Every augmentation has its own purpose: turning one on does not change the others.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// Selection of the images to split off a class; the number is the class.
    Split = 1,
    /// Order of an epoch; the number is the epoch.
    Epoch = 2,
    /// Crop of a padded image; the numbers are epoch and image.
    PadCrop = 3,
    /// Whether an image is mirrored; the numbers are epoch and image.
    Flip = 4,
    /// Selection of images of a class for an epoch; the numbers are epoch and class.
    Balance = 5,
    /// Random resized crop; the numbers are epoch and image, as for the following purposes up to
    /// `Erase`.
    ResizedCrop = 6,
    /// Rotation, translation, scaling and shear of an image.
    Affine = 7,
    /// Operation and strength of TrivialAugment.
    Trivial = 8,
    /// Color changes of an image.
    Color = 9,
    /// Erased rectangle of an image.
    Erase = 10,
    /// Mixing of a batch; the numbers are the epoch and the index in it of the batch's first image.
    Mix = 11,
    /// Content of an outlier; the numbers are the epoch and the outlier's index in it.
    Outlier = 12,
}

/// A stream of random numbers, which depends only on its arguments.
pub(crate) struct Generator(ChaCha8Rng);

impl Generator {
    /// Creates the stream of a seed, a purpose and two numbers that identify the use.
    pub(crate) fn new(seed: u64, purpose: Purpose, numbers: [u64; 2]) -> Self {
        let mut key = [0; 32];
        key[0..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
        key[16..24].copy_from_slice(&numbers[0].to_le_bytes());
        key[24..32].copy_from_slice(&numbers[1].to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Returns a uniform integer from 0 up to, not including, `bound`; 0 if `bound` is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        // The upper half of the product is below `bound`; its bias is less than bound / 2^64.
        let draw = u128::from(self.0.next_u64()) * bound as u128;
        (draw >> 64) as usize
    }

    /// Returns a uniform number from 0 up to, not including, 1.
    pub(crate) fn unit(&mut self) -> f64 {
        // Uses all 53 bits of precision of an `f64`.
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns a uniform number between two bounds.
    pub(crate) fn between(&mut self, [low, high]: [f64; 2]) -> f64 {
        low + self.unit() * (high - low)
    }

    /// Returns a uniform number between `-most` and `most`.
    pub(crate) fn around_zero(&mut self, most: f64) -> f64 {
        self.between([-most, most])
    }

    /// Fills a slice with random bytes.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let drawn = self.0.next_u64().to_le_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
    }

    /// Draws from the Beta distribution with both parameters `alpha`, above 0; the result is 0 to
    /// 1.
    pub(crate) fn beta(&mut self, alpha: f64) -> f64 {
        let (left, right) = (self.log_gamma_variate(alpha), self.log_gamma_variate(alpha));
        // left / (left + right), without overflow or a division of 0 by 0.
        1.0 / (1.0 + (right - left).exp())
    }

    /// Returns the logarithm of a draw from the Gamma distribution with shape `alpha`, above 0, and
    /// scale 1 (Marsaglia and Tsang 2000, "A simple method for generating gamma variables").
    fn log_gamma_variate(&mut self, alpha: f64) -> f64 {
        if alpha < 1.0 {
            let uniform = 1.0 - self.unit();
            return self.log_gamma_variate(alpha + 1.0) + uniform.ln() / alpha;
        }
        let d = alpha - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let normal = self.normal();
            let v = (1.0 + c * normal).powi(3);
            if v <= 0.0 {
                continue;
            }
            let uniform = 1.0 - self.unit();
            if uniform.ln() < 0.5 * normal * normal + d * (1.0 - v + v.ln()) {
                return d.ln() + v.ln();
            }
        }
    }

    /// Draws from the normal distribution with mean 0 and standard deviation 1 (Box and Muller
    /// 1958).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Returns true with probability one half.
    pub(crate) fn coin(&mut self) -> bool {
        self.0.next_u64() >> 63 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_stream_matches_fixed_values() {
        // Different numbers would break every run that is resumed after an update.
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
        for _ in 0..1000 {
            assert!((0.0..1.0).contains(&generator.unit()));
            assert!((-3.0..3.0).contains(&generator.around_zero(3.0)));
        }
        let heads = (0..10_000).filter(|_| generator.coin()).count();
        assert!((4800..5200).contains(&heads), "{heads}");
    }

    #[test]
    fn all_bytes_are_drawn() {
        let mut generator = Generator::new(1, Purpose::Erase, [0, 0]);
        let mut bytes = [0; 2563];
        generator.fill(&mut bytes);
        let values: std::collections::HashSet<_> = bytes.into_iter().collect();
        assert!(values.len() > 250, "{} values", values.len());
    }

    #[test]
    fn beta_has_its_mean_and_variance() {
        for alpha in [0.01, 0.2, 1.0, 3.0, 100.0] {
            let mut generator = Generator::new(1, Purpose::Mix, [0, 0]);
            let draws: Vec<f64> = (0..20_000).map(|_| generator.beta(alpha)).collect();
            assert!(
                draws.iter().all(|draw| (0.0..=1.0).contains(draw)),
                "{alpha}"
            );
            let count = draws.len() as f64;
            let mean = draws.iter().sum::<f64>() / count;
            let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / count;
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 0.02, "{alpha}: {mean}");
            assert!(
                (variance / expected - 1.0).abs() < 0.05,
                "{alpha}: {variance}"
            );
        }
    }
}
