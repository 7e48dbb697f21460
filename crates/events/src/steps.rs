//! Figures of all steps, in columns.

use std::ops::Range;

use crate::event::Step;

/// Number of rows that are summarized together.
const BLOCK: usize = 256;

/// Maximum number of columns. A run has a dozen figures; a damaged file may have more, which are
/// ignored.
const MOST_COLUMNS: usize = 1000;

/// Metrics of every step: one row per step, in ascending order, and one column per figure.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    steps: Vec<u64>,
    seconds: Vec<f64>,
    columns: Vec<Column>,
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    values: Vec<f32>,
    /// One per complete block of rows.
    blocks: Vec<Summary>,
}

/// Summary of several values, without NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub least: f32,
    pub greatest: f32,
    pub sum: f64,
    pub count: usize,
}

impl Summary {
    pub(crate) const NONE: Self = Self {
        least: f32::INFINITY,
        greatest: f32::NEG_INFINITY,
        sum: 0.0,
        count: 0,
    };

    pub(crate) fn add(&mut self, value: f32) {
        if value.is_finite() {
            self.least = self.least.min(value);
            self.greatest = self.greatest.max(value);
            self.sum += f64::from(value);
            self.count += 1;
        }
    }

    fn join(&mut self, other: &Self) {
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
        self.sum += other.sum;
        self.count += other.count;
    }
}

impl Column {
    fn sum_up(&mut self) {
        let whole = self.values.len() / BLOCK;
        for block in self.blocks.len()..whole {
            let mut summary = Summary::NONE;
            for &value in &self.values[block * BLOCK..][..BLOCK] {
                summary.add(value);
            }
            self.blocks.push(summary);
        }
    }

    fn summary(&self, rows: Range<usize>) -> Summary {
        let mut summary = Summary::NONE;
        let first = rows.start.div_ceil(BLOCK);
        let last = (rows.end / BLOCK).min(self.blocks.len());
        let ends = match first < last {
            true => [rows.start..first * BLOCK, last * BLOCK..rows.end],
            false => [rows, 0..0],
        };
        if first < last {
            for block in &self.blocks[first..last] {
                summary.join(block);
            }
        }
        for &value in ends.into_iter().flat_map(|rows| &self.values[rows]) {
            summary.add(value);
        }
        summary
    }

    /// Returns the first row that is not finite. Skips blocks without one, so that it stays fast
    /// for long runs.
    fn first_not_finite(&self) -> Option<usize> {
        let mut blocks = self.blocks.iter();
        let whole = blocks.position(|block| block.count < BLOCK);
        let begin = BLOCK * whole.unwrap_or(self.blocks.len());
        let mut values = self.values[begin..].iter();
        let row = values.position(|value| !value.is_finite())?;
        Some(begin + row)
    }
}

impl Steps {
    /// Returns the number of steps.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Returns whether there are no steps.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Returns the number of each step.
    pub fn steps(&self) -> &[u64] {
        &self.steps
    }

    /// Returns the time of the run after each step.
    pub fn seconds(&self) -> &[f64] {
        &self.seconds
    }

    /// Returns the last step that was taken at a time of the run, 0 before the first.
    pub fn at(&self, seconds: f64) -> u64 {
        let after = self.seconds.partition_point(|&taken| taken <= seconds);
        after.checked_sub(1).map_or(0, |row| self.steps[row])
    }

    /// Returns the names of all figures.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// Returns a figure of every step, NaN where a step lacks it; `None` if no step has it.
    pub fn figures(&self, name: &str) -> Option<&[f32]> {
        Some(&self.column(name)?.values)
    }

    fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub(crate) fn summary(&self, name: &str, rows: Range<usize>) -> Option<Summary> {
        Some(self.column(name)?.summary(rows))
    }

    /// Returns the first step with a non-finite figure, if any.
    pub(crate) fn first_not_finite(&self, name: &str) -> Option<u64> {
        let row = self.column(name)?.first_not_finite()?;
        self.steps.get(row).copied()
    }

    /// Adds a step. Discards earlier steps with the same or a higher number.
    pub(crate) fn push(&mut self, step: &Step) {
        self.begin(step.step as u64, step.seconds);
        for (name, figure) in step.metrics.iter() {
            self.set(name, figure as f32);
        }
        self.end();
    }

    /// Begins a row; its figures follow.
    pub(crate) fn begin(&mut self, step: u64, seconds: f64) {
        self.rewind(step.saturating_sub(1));
        self.steps.push(step);
        self.seconds.push(seconds);
    }

    /// Sets a figure of the last row.
    pub(crate) fn set(&mut self, name: &str, figure: f32) {
        self.set_near(0, name, figure);
    }

    /// Like [`set`](Self::set), but faster if the column at `place` has the name.
    pub(crate) fn set_near(&mut self, place: usize, name: &str, figure: f32) {
        let row = self.steps.len() - 1;
        let place = match self.columns.get(place) {
            Some(column) if column.name == name => Some(place),
            _ => self.columns.iter().position(|column| column.name == name),
        };
        let column = match place {
            Some(place) => &mut self.columns[place],
            None if self.columns.len() >= MOST_COLUMNS => return,
            None => {
                self.columns.push(Column {
                    name: name.to_owned(),
                    values: Vec::new(),
                    blocks: Vec::new(),
                });
                let last = self.columns.len() - 1;
                &mut self.columns[last]
            }
        };
        column.values.resize(row, f32::NAN);
        column.values.push(figure);
    }

    /// Ends the last row.
    pub(crate) fn end(&mut self) {
        let rows = self.steps.len();
        for column in &mut self.columns {
            column.values.resize(rows, f32::NAN);
            if rows.is_multiple_of(BLOCK) {
                column.sum_up();
            }
        }
    }

    /// Discards the steps after this one.
    pub(crate) fn rewind(&mut self, step: u64) {
        if self.steps.last().is_none_or(|&last| last <= step) {
            return;
        }
        let rows = self.steps.partition_point(|&number| number <= step);
        self.steps.truncate(rows);
        self.seconds.truncate(rows);
        for column in &mut self.columns {
            column.values.truncate(rows);
            column.blocks.truncate(rows / BLOCK);
        }
    }

    /// Appends steps that came later.
    pub(crate) fn append(&mut self, later: Self) {
        let Some(&first) = later.steps.first() else {
            return;
        };
        if self.is_empty() {
            *self = later;
            return;
        }
        self.rewind(first.saturating_sub(1));
        let before = self.steps.len();
        self.steps.extend(later.steps);
        self.seconds.extend(later.seconds);
        for column in later.columns {
            let place = self.columns.iter().position(|own| own.name == column.name);
            match place {
                Some(place) => self.columns[place].values.extend(column.values),
                None if self.columns.len() >= MOST_COLUMNS => {}
                None => {
                    let mut values = vec![f32::NAN; before];
                    values.extend(column.values);
                    self.columns.push(Column {
                        values,
                        blocks: Vec::new(),
                        ..column
                    });
                }
            }
        }
        let rows = self.steps.len();
        for column in &mut self.columns {
            column.values.resize(rows, f32::NAN);
            column.sum_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use proptest::prelude::*;

    fn step(number: usize, figures: &[(&str, f64)]) -> Step {
        Step {
            seconds: number as f64,
            epoch: 1,
            step: number,
            metrics: figures.iter().copied().collect::<Metrics>(),
        }
    }

    fn bits(steps: &Steps, name: &str) -> Option<Vec<u32>> {
        let figures = steps.figures(name)?;
        Some(figures.iter().map(|figure| figure.to_bits()).collect())
    }

    proptest! {
        /// Holds for any split of the steps into parts, and for any repeated numbers.
        #[test]
        fn parts_sum_to_step_time(
            numbers in prop::collection::vec((1_usize..600, 0_usize..3), 1..900),
            cut in 0_usize..900,
            rows in (0_usize..600, 0_usize..600),
        ) {
            let all: Vec<Step> = numbers
                .iter()
                .enumerate()
                .map(|(row, &(number, kind))| {
                    let number = if row % 7 == 0 { number } else { row.max(1) };
                    let loss = ("loss", row as f64);
                    match kind {
                        0 => step(number, &[loss]),
                        1 => step(number, &[loss, ("rate", 0.5)]),
                        _ => step(number, &[]),
                    }
                })
                .collect();
            let table = |steps: &[Step]| {
                let mut table = Steps::default();
                for step in steps {
                    table.push(step);
                }
                table
            };
            let whole = table(&all);
            let (first, second) = all.split_at(cut.min(all.len()));
            let mut parts = table(first);
            parts.append(table(second));
            prop_assert_eq!(whole.steps(), parts.steps());
            prop_assert_eq!(bits(&whole, "loss"), bits(&parts, "loss"));
            prop_assert!(whole.steps().is_sorted_by(|one, next| one < next));

            let rows = rows.0.min(rows.1).min(whole.len())..rows.0.max(rows.1).min(whole.len());
            if let Some(values) = whole.figures("loss") {
                let mut expected = Summary::NONE;
                values[rows.clone()].iter().for_each(|&value| expected.add(value));
                prop_assert_eq!(whole.summary("loss", rows.clone()), Some(expected));
                prop_assert_eq!(parts.summary("loss", rows), Some(expected));
            }
            for name in ["loss", "rate"] {
                let figures = whole.figures(name).unwrap_or_default();
                let row = figures.iter().position(|figure| !figure.is_finite());
                let step = row.map(|row| whole.steps()[row]);
                prop_assert_eq!(whole.first_not_finite(name), step);
                prop_assert_eq!(parts.first_not_finite(name), step);
            }
        }
    }

    #[test]
    fn excess_metrics_are_dropped() {
        let mut steps = Steps::default();
        for number in 1..=3 {
            steps.begin(number, 0.0);
            for name in 0..MOST_COLUMNS {
                steps.set(&format!("{number}-{name}"), 1.0);
            }
            steps.set("1-7", 2.0);
            steps.end();
        }
        assert_eq!(steps.names().count(), MOST_COLUMNS);
        assert_eq!(steps.figures("1-7").unwrap(), [2.0; 3]);
    }

    #[test]
    fn late_metric_is_missing_in_earlier_steps() {
        let mut steps = Steps::default();
        steps.push(&step(1, &[("loss", 2.0)]));
        steps.push(&step(2, &[("loss", 1.0), ("rate", 0.1)]));
        steps.push(&step(3, &[("rate", 0.2)]));
        assert!(steps.figures("rate").unwrap()[0].is_nan());
        assert!(steps.figures("loss").unwrap()[2].is_nan());
        assert_eq!(steps.names().collect::<Vec<_>>(), ["loss", "rate"]);
        steps.rewind(1);
        assert_eq!(steps.figures("rate").unwrap().len(), 1);
    }
}
