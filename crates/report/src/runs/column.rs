//! Columns to sort runs by.

use std::cmp::Ordering;
use std::str::FromStr;

use thiserror::Error;

use super::summary::RunSummary;

/// A column to sort runs by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Column {
    /// By name.
    Name,
    /// By urgency: running and crashed runs first.
    State,
    /// By the data's name.
    Data,
    /// By the network's name.
    Model,
    /// By device.
    Device,
    /// By seed.
    Seed,
    /// By number of epochs that were trained and scored.
    Epochs,
    /// By best validation accuracy.
    Accuracy,
    /// By validation loss of the same epoch.
    Loss,
    /// By test accuracy.
    Test,
    /// By duration.
    Time,
    /// By start time.
    #[default]
    Started,
}

/// There is no such column.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("cannot sort runs by `{}`, known columns are {}", given.escape_debug(), Column::names())]
pub struct UnknownColumn {
    /// The given name.
    pub given: String,
}

impl Column {
    /// All values.
    pub const ALL: [Self; 12] = [
        Self::Name,
        Self::State,
        Self::Data,
        Self::Model,
        Self::Device,
        Self::Seed,
        Self::Epochs,
        Self::Accuracy,
        Self::Loss,
        Self::Test,
        Self::Time,
        Self::Started,
    ];

    /// Returns the name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::State => "state",
            Self::Data => "data",
            Self::Model => "model",
            Self::Device => "device",
            Self::Seed => "seed",
            Self::Epochs => "epochs",
            Self::Accuracy => "accuracy",
            Self::Loss => "loss",
            Self::Test => "test",
            Self::Time => "time",
            Self::Started => "started",
        }
    }

    fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// Returns whether the largest values come first by default: the best, the longest, the newest.
    pub fn is_descending(self) -> bool {
        matches!(
            self,
            Self::Epochs | Self::Accuracy | Self::Test | Self::Time | Self::Started
        )
    }

    /// Compares two runs. A run without a value comes last in either direction.
    fn compare(self, one: &RunSummary, other: &RunSummary, descending: bool) -> Ordering {
        let order = |order: Ordering| if descending { order.reverse() } else { order };
        let texts = |of: fn(&RunSummary) -> &Option<String>| {
            by(of(one).as_ref(), of(other).as_ref(), |a, b| order(a.cmp(b)))
        };
        let figures = |of: fn(&RunSummary) -> Option<f64>| {
            by(of(one), of(other), |a, b| order(a.total_cmp(&b)))
        };
        match self {
            Self::Name => order(one.name.cmp(&other.name)),
            Self::State => order(one.state.cmp(&other.state)),
            Self::Data => texts(|run| &run.data),
            Self::Model => texts(|run| &run.model),
            Self::Device => texts(|run| &run.device),
            Self::Seed => by(one.seed, other.seed, |a, b| order(a.cmp(&b))),
            Self::Epochs => order(one.epochs_done.cmp(&other.epochs_done)),
            Self::Accuracy => figures(|run| run.accuracy),
            Self::Loss => figures(|run| run.loss),
            Self::Test => figures(|run| run.test_accuracy),
            Self::Time => figures(|run| run.seconds),
            Self::Started => by(one.start(), other.start(), |a, b| order(a.cmp(&b))),
        }
    }
}

fn by<T>(one: Option<T>, other: Option<T>, compare: impl Fn(T, T) -> Ordering) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => compare(one, other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

impl FromStr for Column {
    type Err = UnknownColumn;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let column = Self::ALL.into_iter().find(|column| column.name() == text);
        column.ok_or_else(|| UnknownColumn {
            given: text.to_owned(),
        })
    }
}

/// Sorts runs. Ties are sorted by start time, newest first, and by name.
pub fn sort(runs: &mut [RunSummary], column: Column, descending: bool) {
    runs.sort_by(|one, other| {
        column
            .compare(one, other, descending)
            .then_with(|| Column::Started.compare(one, other, true))
            .then_with(|| one.name.cmp(&other.name))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::RunState;
    use proptest::prelude::*;
    use std::path::Path;

    fn run(name: &str, accuracy: Option<f64>, started: Option<&str>) -> RunSummary {
        RunSummary {
            accuracy,
            started: started.map(str::to_owned),
            ..RunSummary::empty(name.to_owned(), Path::new(name), RunState::Finished)
        }
    }

    fn sorted(column: Column, descending: bool) -> String {
        let mut runs = vec![
            run("b", Some(0.5), Some("2026-01-01T00:00:00+02:00")),
            run("d", None, None),
            run("a", Some(0.9), Some("2026-01-01T00:00:00Z")),
            run("c", Some(0.5), Some("2026-01-02T00:00:00Z")),
        ];
        sort(&mut runs, column, descending);
        runs.into_iter().map(|run| run.name).collect()
    }

    #[test]
    fn best_and_newest_come_first_and_missing_last() {
        for (column, descending, names) in [
            (Column::Name, false, "abcd"),
            (Column::Accuracy, true, "acbd"),
            (Column::Accuracy, false, "cbad"),
            (Column::Started, true, "cabd"),
            (Column::Started, false, "bacd"),
            (Column::Loss, false, "cabd"),
        ] {
            assert_eq!(sorted(column, descending), names, "{column:?}");
        }
        assert_eq!(Column::default(), Column::Started);
        assert!(Column::Accuracy.is_descending());
        assert!(!Column::Loss.is_descending());
    }

    #[test]
    fn columns_have_names() {
        for column in Column::ALL {
            assert_eq!(column.name().parse(), Ok(column));
        }
        insta::assert_snapshot!(
            "\u{1b}speed".parse::<Column>().unwrap_err(),
            @r"cannot sort runs by `\u{1b}speed`, known columns are name, state, data, model, device, seed, epochs, accuracy, loss, test, time, started"
        );
    }

    proptest! {
        /// Sorting panics if the order is not total.
        #[test]
        fn any_runs_can_be_sorted(
            figures in prop::collection::vec((prop::option::of(any::<f64>()), prop::option::of("[ab]")), 0..60),
            column in prop::sample::select(&Column::ALL[..]),
            descending: bool,
        ) {
            let mut runs: Vec<RunSummary> = figures
                .into_iter()
                .map(|(figure, text)| RunSummary {
                    loss: figure,
                    seconds: figure,
                    data: text.clone(),
                    started: text,
                    ..run("same", figure, None)
                })
                .collect();
            sort(&mut runs, column, descending);
            let missing = runs.iter().position(|run| run.accuracy.is_none());
            if let (Column::Accuracy, Some(missing)) = (column, missing) {
                prop_assert!(runs[missing..].iter().all(|run| run.accuracy.is_none()));
            }
        }
    }
}
