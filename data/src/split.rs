//! Stratified splits.

use std::collections::HashSet;

use crate::error::DataError;
use crate::order::permutation;
use crate::random::Purpose;
use crate::set::DataSet;

impl DataSet {
    /// Splits a `fraction` of the training images off for validation, like [`split`].
    ///
    /// The images of a folder are split as listed, whether they can be read or not, so that a set
    /// in memory and a set in files have the same split.
    ///
    /// # Errors
    /// The errors of [`split`], and [`DataError::UnreadableImages`] if no readable image of a class
    /// is left for training.
    pub fn split_training(
        &self,
        fraction: f64,
        seed: u64,
    ) -> Result<(Vec<usize>, Vec<usize>), DataError> {
        let labels = self.train.labels();
        let Some(listed) = &self.listed else {
            return split(labels, fraction, seed);
        };
        let mut kept = 0;
        let places: Vec<Option<usize>> = listed
            .readable
            .iter()
            .map(|&is_readable| {
                let place = is_readable.then_some(kept);
                kept += usize::from(is_readable);
                place
            })
            .collect();
        let (train, validation) = split(&listed.labels, fraction, seed)?;
        let [train, validation] = [train, validation].map(|part| -> Vec<usize> {
            part.into_iter().filter_map(|index| places[index]).collect()
        });
        let trained: HashSet<u32> = train.iter().map(|&index| labels[index]).collect();
        match labels.iter().all(|label| trained.contains(label)) {
            true => Ok((train, validation)),
            false => self.unreadable.too_many(),
        }
    }
}

/// Splits a `fraction` of the images off for validation, with the same fraction of each class.
///
/// Returns the indices that stay and those split off, both ascending. From a class of `n` images,
/// `n * fraction` (rounded) are split off, but at least one (if `fraction` is above 0 and there are
/// two or more images) and never all. The same arguments give the same split on every machine.
///
/// # Errors
/// [`DataError::Fraction`] if `fraction` is not at least 0 and below 1.
///
/// ```
/// let labels = [0, 1, 0, 1, 0, 1, 0, 1];
/// let (train, validation) = data::split(&labels, 0.25, 42)?;
/// assert_eq!((train.len(), validation.len()), (6, 2));
/// # Ok::<(), data::DataError>(())
/// ```
pub fn split(
    labels: &[u32],
    fraction: f64,
    seed: u64,
) -> Result<(Vec<usize>, Vec<usize>), DataError> {
    if !(0.0..1.0).contains(&fraction) {
        return Err(DataError::Fraction { fraction });
    }
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by_key(|&index| labels[index]);

    let (mut train, mut validation) = (Vec::new(), Vec::new());
    for members in order.chunk_by(|&left, &right| labels[left] == labels[right]) {
        let count = part_of(members.len(), fraction);
        let class = u64::from(labels[members[0]]);
        let shuffled = permutation(members.len(), seed, Purpose::Split, class);
        let (off, stay) = shuffled.split_at(count);
        validation.extend(off.iter().map(|&member| members[member]));
        train.extend(stay.iter().map(|&member| members[member]));
    }
    train.sort_unstable();
    validation.sort_unstable();
    Ok((train, validation))
}

/// Returns the number of images to split off a class of `members`.
fn part_of(members: usize, fraction: f64) -> usize {
    if fraction == 0.0 || members < 2 {
        return 0;
    }
    let count = (members as f64 * fraction).round() as usize;
    count.clamp(1, members - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn split_is_a_stratified_partition(
            labels in prop::collection::vec(0_u32..5, 0..200),
            fraction in 0.0_f64..0.999,
            seed: u64,
        ) {
            let (train, validation) = split(&labels, fraction, seed).unwrap();
            let mut all = [train.clone(), validation.clone()].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
            for class in 0..5 {
                let of = |indices: &[usize]| {
                    indices.iter().filter(|&&index| labels[index] == class).count()
                };
                let (stay, off) = (of(&train), of(&validation));
                let exact = (stay + off) as f64 * fraction;
                prop_assert!((off as f64 - exact).abs() <= 1.0, "{off} of {exact}");
                prop_assert!(stay > 0 || stay + off == 0, "a class must stay trainable");
                prop_assert!(off > 0 || stay < 2 || fraction == 0.0);
            }
            prop_assert_eq!(split(&labels, fraction, seed).unwrap(), (train, validation));
        }
    }

    #[test]
    fn seeds_split_differently() {
        let labels = vec![0; 100];
        assert_ne!(
            split(&labels, 0.5, 1).unwrap(),
            split(&labels, 0.5, 2).unwrap()
        );
    }

    #[test]
    fn invalid_fraction_is_rejected() {
        for fraction in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(
                split(&[0, 1], fraction, 1),
                Err(DataError::Fraction { .. })
            ));
        }
    }
}
