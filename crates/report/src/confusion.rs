//! Which classes images were taken for, and what each class came to.

use std::collections::{BTreeMap, BTreeSet};

/// Images by their class and the likeliest one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Confusion {
    counts: BTreeMap<(usize, usize), u64>,
    rows: BTreeMap<usize, u64>,
    columns: BTreeMap<usize, u64>,
    /// Every class that has a name or an image, in order.
    pub classes: Vec<usize>,
}

/// What a class came to; a share of nothing is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ClassScores {
    pub class: usize,
    /// Images of the class.
    pub images: u64,
    /// Of what was taken for it, the share that is.
    pub precision: Option<f64>,
    /// Of its images, the share that was taken for it.
    pub recall: Option<f64>,
    /// The harmonic mean of both.
    pub f1: Option<f64>,
}

impl Confusion {
    /// Of counts, and so many classes with names.
    pub(crate) fn new(counts: &[(usize, usize, u64)], named: usize) -> Self {
        let mut confusion = Self::default();
        let mut classes: BTreeSet<usize> = (0..named).collect();
        for &(class, likeliest, images) in counts {
            classes.extend([class, likeliest]);
            add(&mut confusion.counts, (class, likeliest), images);
            add(&mut confusion.rows, class, images);
            add(&mut confusion.columns, likeliest, images);
        }
        confusion.classes = classes.into_iter().collect();
        confusion
    }

    pub(crate) fn count(&self, class: usize, likeliest: usize) -> u64 {
        self.counts.get(&(class, likeliest)).copied().unwrap_or(0)
    }

    /// Images of a class.
    pub(crate) fn of_class(&self, class: usize) -> u64 {
        self.rows.get(&class).copied().unwrap_or(0)
    }

    /// Every class, with what it came to.
    pub(crate) fn scores(&self) -> Vec<ClassScores> {
        let scores = |&class: &usize| {
            let right = self.count(class, class);
            let images = self.of_class(class);
            let taken = self.columns.get(&class).copied().unwrap_or(0);
            ClassScores {
                class,
                images,
                precision: share(right, taken),
                recall: share(right, images),
                f1: share(right.saturating_mul(2), images.saturating_add(taken)),
            }
        };
        self.classes.iter().map(scores).collect()
    }

    /// Classes that were taken for others, with how often and the share of the class's images, the
    /// most frequent first.
    pub(crate) fn pairs(&self) -> Vec<(usize, usize, u64, f64)> {
        let wrong = self
            .counts
            .iter()
            .filter(|((class, likeliest), count)| class != likeliest && **count > 0);
        let mut pairs: Vec<_> = wrong
            .map(|(&(class, likeliest), &count)| {
                let share = share(count, self.of_class(class)).unwrap_or(0.0);
                (class, likeliest, count, share)
            })
            .collect();
        pairs.sort_by_key(|&(_, _, count, _)| std::cmp::Reverse(count));
        pairs
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K, images: u64) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(images);
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_scored_as_they_are_defined() {
        let confusion = Confusion::new(&[(0, 0, 8), (0, 1, 2), (1, 1, 5), (1, 0, 5)], 3);
        let [first, second, third] = confusion.scores()[..] else {
            panic!("{confusion:?}");
        };
        assert_eq!(first.precision, Some(8.0 / 13.0));
        assert_eq!(first.recall, Some(0.8));
        assert_eq!(first.f1, Some(16.0 / 23.0));
        assert_eq!((second.images, second.recall), (10, Some(0.5)));
        assert_eq!(
            (third.images, third.precision, third.recall, third.f1),
            (0, None, None, None)
        );
        assert_eq!(confusion.pairs(), [(1, 0, 5, 0.5), (0, 1, 2, 0.2)]);
    }

    #[test]
    fn absurd_classes_and_counts_are_only_counted() {
        let confusion = Confusion::new(
            &[
                (usize::MAX, 7, u64::MAX),
                (usize::MAX, 7, u64::MAX),
                (usize::MAX, 8, 1),
            ],
            0,
        );
        assert_eq!(confusion.classes, [7, 8, usize::MAX]);
        assert_eq!(confusion.pairs()[0].2, u64::MAX);
        assert_eq!(confusion.scores().len(), 3);
    }
}
