//! Confusion matrix, and metrics of each class.

use std::collections::HashMap;

/// Class numbers from this one on are ignored.
const MOST: usize = 1 << 16;

/// A confusion matrix: the number of images per true and predicted class. Rows and columns are
/// positions in [`classes`].
///
/// [`classes`]: Self::classes
#[derive(Clone, Debug)]
pub struct Confusion {
    /// Numbers of the classes that have a name or an image, in ascending order.
    pub classes: Vec<usize>,
    cells: HashMap<(usize, usize), u64>,
    /// Number of images of each class.
    pub images: Vec<u64>,
    /// Number of images predicted as each class.
    taken: Vec<u64>,
}

/// Metrics of a class, each 0 to 1; `None` if undefined.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClassScores {
    /// Number of images of the class.
    pub images: u64,
    /// Fraction of the images predicted as the class that belong to it.
    pub precision: Option<f64>,
    /// Fraction of the class's images that are predicted as it.
    pub recall: Option<f64>,
    /// Harmonic mean of precision and recall.
    pub f1: Option<f64>,
}

impl Confusion {
    /// Creates a matrix from `(class, prediction, images)` in any order, for the given number of
    /// named classes. Other class numbers that occur count as classes too.
    pub fn new(entries: &[(usize, usize, u64)], named: usize) -> Self {
        let mut classes: Vec<usize> = entries
            .iter()
            .flat_map(|entry| [entry.0, entry.1])
            .collect();
        classes.extend(0..named.min(MOST));
        classes.sort_unstable();
        classes.dedup();
        classes.truncate(MOST);
        let mut images = vec![0_u64; classes.len()];
        let mut taken = images.clone();
        let mut cells = HashMap::with_capacity(entries.len());
        for &(class, likeliest, count) in entries {
            let places = [class, likeliest].map(|class| classes.binary_search(&class));
            if let [Ok(row), Ok(column)] = places {
                images[row] = images[row].saturating_add(count);
                taken[column] = taken[column].saturating_add(count);
                let cell = cells.entry((row, column)).or_insert(0_u64);
                *cell = cell.saturating_add(count);
            }
        }
        Self {
            classes,
            cells,
            images,
            taken,
        }
    }

    /// Creates a matrix from one row of counts per class.
    pub fn of_matrix(rows: &[Vec<u64>]) -> Self {
        let cells = rows.iter().enumerate().flat_map(|(class, row)| {
            let cells = row.iter().enumerate();
            cells.map(move |(likeliest, &count)| (class, likeliest, count))
        });
        let counted: Vec<_> = cells.filter(|&(_, _, count)| count > 0).collect();
        Self::new(&counted, rows.len())
    }

    /// Returns whether no images were counted.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Returns the number of images of the row's class that were predicted as the column's class.
    pub fn count(&self, row: usize, column: usize) -> u64 {
        self.cells.get(&(row, column)).copied().unwrap_or(0)
    }

    /// Returns the fraction of the row's class that was predicted as the column's class, which may
    /// be the same.
    pub fn share(&self, row: usize, column: usize) -> f64 {
        match self.images.get(row) {
            None | Some(0) => 0.0,
            Some(&all) => self.count(row, column) as f64 / all as f64,
        }
    }

    /// Returns the metrics of a row's class.
    pub fn scores(&self, row: usize) -> ClassScores {
        let place = row;
        let right = self.count(place, place) as f64;
        let of = |all: u64| (all > 0).then(|| right / all as f64);
        let precision = of(self.taken[place]);
        let recall = of(self.images[place]);
        let all = self.taken[place].saturating_add(self.images[place]);
        let f1 = (all > 0).then(|| (2.0 * right / all as f64).min(1.0));
        ClassScores {
            images: self.images[place],
            precision,
            recall,
            f1,
        }
    }

    /// Returns the classes that a row's class is mistaken for, most frequent first.
    pub fn taken_for(&self, row: usize) -> Vec<(usize, u64)> {
        let others = self
            .cells
            .iter()
            .filter(|((own, other), count)| *own == row && *other != row && **count > 0);
        let mut others: Vec<_> = others.map(|((_, other), count)| (*other, *count)).collect();
        others.sort_unstable_by_key(|&(other, count)| (std::cmp::Reverse(count), other));
        others
    }

    /// Returns the most frequent mistakes, `(class, prediction, images)`.
    pub fn worst(&self, most: usize) -> Vec<(usize, usize, u64)> {
        let wrong = self
            .cells
            .iter()
            .filter(|((row, column), count)| row != column && **count > 0);
        let mut wrong: Vec<_> = wrong
            .map(|(&(row, column), &count)| (row, column, count))
            .collect();
        wrong.sort_unstable_by_key(|&(row, column, count)| (std::cmp::Reverse(count), row, column));
        wrong.truncate(most);
        wrong
    }

    /// Returns a smaller matrix, row by row: for each square of `size` by `size` cells, the highest
    /// fraction of correct and of wrong predictions. Classes are in the given order.
    pub fn pooled(&self, order: &[usize], size: usize) -> Vec<[f64; 2]> {
        let size = size.max(1);
        let side = order.len().div_ceil(size);
        let mut places = vec![0; self.classes.len()];
        for (place, &class) in order.iter().enumerate() {
            places[class] = place;
        }
        let mut pooled = vec![[0.0_f64; 2]; side * side];
        for &(row, column) in self.cells.keys() {
            let square = places[row] / size * side + places[column] / size;
            let share = &mut pooled[square][usize::from(row != column)];
            *share = share.max(self.share(row, column));
        }
        pooled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn classes_are_scored() {
        let confusion = Confusion::new(&[(0, 0, 8), (0, 1, 2), (1, 1, 5), (1, 0, 5)], 3);
        assert_eq!(confusion.classes.len(), 3);
        assert_eq!(confusion.share(0, 1), 0.2);
        let scores = confusion.scores(0);
        assert_eq!(scores.precision, Some(8.0 / 13.0));
        assert_eq!(scores.recall, Some(0.8));
        assert_eq!(scores.f1, Some(16.0 / 23.0));
        assert_eq!(confusion.scores(2), ClassScores::default());
        assert_eq!(confusion.taken_for(1), [(0, 5)]);
        assert_eq!(confusion.worst(1), [(1, 0, 5)]);
        assert_eq!(confusion.pooled(&[0, 1, 2], 3), [[0.8, 0.5]]);
        let pooled = confusion.pooled(&[2, 1, 0], 2);
        assert_eq!(pooled, [[0.5, 0.0], [0.0, 0.5], [0.0, 0.2], [0.8, 0.0]]);
    }

    #[test]
    fn huge_class_numbers_are_accepted() {
        let most = u64::MAX;
        let confusion = Confusion::new(&[(usize::MAX, 0, most), (usize::MAX, 7, most)], usize::MAX);
        assert_eq!(confusion.classes.len(), MOST);
        let confusion = Confusion::new(&[(usize::MAX, 0, most), (usize::MAX, 7, most)], 0);
        assert_eq!(confusion.classes, [0, 7, usize::MAX]);
        assert_eq!(confusion.share(2, 1), 1.0);
    }

    proptest! {
        #[test]
        fn scores_are_between_zero_and_one(entries in prop::collection::vec((0..9_usize, 0..9_usize, any::<u64>()), 0..40)) {
            let confusion = Confusion::new(&entries, 4);
            for row in 0..confusion.classes.len() {
                let scores = confusion.scores(row);
                for share in [scores.precision, scores.recall, scores.f1].into_iter().flatten() {
                    prop_assert!((0.0..=1.0).contains(&share));
                }
                for column in 0..confusion.classes.len() {
                    prop_assert!((0.0..=1.0).contains(&confusion.share(row, column)));
                }
            }
        }
    }
}
