//! What a run came to: on the test pictures, or else on the validation pictures of its best epoch.

use std::collections::{BTreeMap, BTreeSet};

use events::{History, Mistake};

/// Figures of a set of pictures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome<'a> {
    pub is_test: bool,
    /// The epoch that the network is from.
    pub epoch: usize,
    pub confusion: &'a [(usize, usize, u64)],
    pub mistakes: &'a [Mistake],
}

impl<'a> Outcome<'a> {
    pub(super) fn of(history: &'a History) -> Option<Self> {
        if let Some(tested) = &history.tested {
            return Some(Self {
                is_test: true,
                epoch: tested.epoch,
                confusion: &tested.confusion,
                mistakes: &tested.mistakes,
            });
        }
        let epoch = history.kept().or(history.epochs.last())?;
        Some(Self {
            is_test: false,
            epoch: epoch.epoch,
            confusion: &epoch.confusion,
            mistakes: &epoch.mistakes,
        })
    }

    /// Such as "test pictures".
    pub(super) fn pictures(&self) -> String {
        match self.is_test {
            true => format!("test pictures, network of epoch {}", self.epoch),
            false => format!("validation pictures after epoch {}", self.epoch),
        }
    }
}

/// Pictures by their class and the likeliest one.
#[derive(Clone, Debug, Default)]
pub(super) struct Confusion {
    counts: BTreeMap<(usize, usize), u64>,
    rows: BTreeMap<usize, u64>,
    columns: BTreeMap<usize, u64>,
    /// Every class that has a name or a picture, in order.
    pub classes: Vec<usize>,
}

/// What a class came to; a share of nothing is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ClassScores {
    pub class: usize,
    /// Pictures of the class.
    pub pictures: u64,
    /// Of what was taken for it, the share that is.
    pub precision: Option<f64>,
    /// Of its pictures, the share that was taken for it.
    pub recall: Option<f64>,
    /// The harmonic mean of both.
    pub f1: Option<f64>,
}

impl Confusion {
    /// Of counts, and so many classes with names.
    pub(super) fn new(counts: &[(usize, usize, u64)], named: usize) -> Self {
        let mut confusion = Self::default();
        let mut classes: BTreeSet<usize> = (0..named).collect();
        for &(class, likeliest, pictures) in counts {
            classes.extend([class, likeliest]);
            add(&mut confusion.counts, (class, likeliest), pictures);
            add(&mut confusion.rows, class, pictures);
            add(&mut confusion.columns, likeliest, pictures);
        }
        confusion.classes = classes.into_iter().collect();
        confusion
    }

    pub(super) fn count(&self, class: usize, likeliest: usize) -> u64 {
        self.counts.get(&(class, likeliest)).copied().unwrap_or(0)
    }

    /// Pictures of a class.
    pub(super) fn of_class(&self, class: usize) -> u64 {
        self.rows.get(&class).copied().unwrap_or(0)
    }

    /// Every class, with what it came to.
    pub(super) fn scores(&self) -> Vec<ClassScores> {
        let scores = |&class: &usize| {
            let right = self.count(class, class);
            let pictures = self.of_class(class);
            let taken = self.columns.get(&class).copied().unwrap_or(0);
            ClassScores {
                class,
                pictures,
                precision: share(right, taken),
                recall: share(right, pictures),
                f1: share(right.saturating_mul(2), pictures.saturating_add(taken)),
            }
        };
        self.classes.iter().map(scores).collect()
    }

    /// Classes that were taken for others, with how often and the share of the class's pictures, the
    /// most frequent first.
    pub(super) fn pairs(&self) -> Vec<(usize, usize, u64, f64)> {
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

    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K, pictures: u64) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(pictures);
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
        assert_eq!((second.pictures, second.recall), (10, Some(0.5)));
        assert_eq!(
            (third.pictures, third.precision, third.recall, third.f1),
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
