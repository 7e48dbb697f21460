//! The line of an epoch, in at most 80 columns.

use events::format::short_duration;
use events::{CROSS_ENTROPY, Epoch, History, Metrics, Split};
use train::Plan;

/// Maximum width of a line in columns.
const WIDTH: usize = 80;

/// A loss and an accuracy from 0 to 1.
type Pair = [f64; 2];

/// Content of an epoch's line.
#[derive(Clone, Debug)]
pub(crate) struct EpochLine {
    epoch: usize,
    epochs: usize,
    /// Metrics on the training images, with their label.
    train: Option<(&'static str, Pair)>,
    /// Metrics on the images that the epoch is scored on, with their label.
    scored: (&'static str, Pair),
    /// The same metrics of the averaged weights.
    averaged: Option<Pair>,
    rate: Option<f64>,
    seconds: f64,
    /// Whether the epoch is the best so far, whose model is kept.
    is_best: bool,
}

/// Facts that all epochs of a run share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EpochFacts {
    epochs: usize,
    /// Label of the training images.
    train: &'static str,
    /// Label of the images that epochs are scored on.
    scored: &'static str,
    keeps_last: bool,
}

impl EpochFacts {
    pub(crate) fn of(plan: &Plan) -> Self {
        let config = &plan.config;
        Self {
            epochs: config.epochs,
            train: if config.mixes_images() { MIXED } else { TRAIN },
            scored: scored_on(config.scores_on_test()),
            keeps_last: config.keeps_last_epoch(),
        }
    }
}

/// Label of plain training images.
const TRAIN: &str = "train";
/// Label of training images that are mixed in pairs.
const MIXED: &str = "mixed";
/// Label of training losses with smoothed labels, in runs of earlier versions.
const SMOOTHED: &str = "smoothed";

impl EpochLine {
    /// Creates the line of an epoch's event, with the learning rate of its last step if known.
    pub(crate) fn new(epoch: &Epoch, facts: &EpochFacts, rate: Option<f64>) -> Self {
        let pair = |metrics: &Metrics, loss: &str| {
            let figure = |name| metrics.get(name).unwrap_or(f64::NAN);
            [figure(loss), figure("accuracy")]
        };
        let name = facts.train;
        let loss = match epoch.train.get(CROSS_ENTROPY) {
            Some(_) if name == TRAIN => CROSS_ENTROPY,
            _ => "loss",
        };
        let has_train = epoch.train.get("loss").is_some();
        Self {
            epoch: epoch.epoch,
            epochs: facts.epochs.max(epoch.epoch),
            train: has_train.then(|| (name, pair(&epoch.train, loss))),
            scored: (facts.scored, pair(&epoch.validation, "loss")),
            averaged: epoch.average.as_ref().map(|average| pair(average, "loss")),
            rate,
            seconds: epoch.took,
            is_best: epoch.best && !facts.keeps_last,
        }
    }

    /// Creates the line of an epoch in a run's history.
    pub(crate) fn of_history(epoch: &Epoch, history: &History) -> Self {
        let facts = EpochFacts {
            epochs: history.planned_epochs(),
            train: match history.chart_of(Split::Train, "loss") {
                "loss" => TRAIN,
                _ if history.mixes_images() => MIXED,
                _ if epoch.train.get(CROSS_ENTROPY).is_some() => TRAIN,
                _ => SMOOTHED,
            },
            scored: scored_on(history.scores_on_test()),
            keeps_last: history.keeps_last(),
        };
        let steps = history.steps.steps();
        let row = steps.partition_point(|&step| step <= epoch.step as u64);
        let rates = history.steps.figures("rate").unwrap_or_default();
        let rate = row.checked_sub(1).and_then(|row| rates.get(row));
        Self::new(epoch, &facts, rate.map(|&rate| f64::from(rate)))
    }

    /// Returns one line, or several if the metrics do not fit one.
    pub(crate) fn text(&self) -> String {
        let mut parts = vec![format!(
            "epoch {:>width$}/{}",
            self.epoch,
            self.epochs,
            width = self.epochs.to_string().len()
        )];
        let indent = parts[0].len() + 2;
        let pair = |name: &str, [loss, accuracy]: Pair| {
            format!("{name} {} {:.2}%", number(loss), 100.0 * accuracy)
        };
        parts.extend(self.train.map(|(name, train)| pair(name, train)));
        parts.push(pair(self.scored.0, self.scored.1));
        parts.extend(self.averaged.map(|averaged| pair("avg", averaged)));
        parts.extend(self.rate.map(|rate| format!("lr {}", learning_rate(rate))));
        parts.push(short_duration(self.seconds));
        parts.extend(self.is_best.then(|| "best".to_owned()));

        let mut lines = vec![String::new()];
        for part in parts {
            let line = lines.last_mut().map_or(0, |line| line.len());
            if line + 2 + part.len() > WIDTH {
                lines.push(" ".repeat(indent));
            }
            if let Some(line) = lines.last_mut() {
                if !line.is_empty() && !line.ends_with("  ") {
                    *line += "  ";
                }
                *line += &part;
            }
        }
        lines.join("\n")
    }
}

/// Returns the legend of a run's lines.
pub(crate) fn legend(plan: &Plan) -> String {
    let config = &plan.config;
    let train = match (config.mixes_images(), config.label_smoothing > 0.0) {
        (true, false) => "mixed: training images mixed in pairs",
        (true, true) => "mixed: training images mixed in pairs, with label smoothing",
        (false, true) => "train: training images, without label smoothing",
        (false, false) => "train: training images",
    };
    let scored = match config.scores_on_test() {
        true => "test: test images",
        false => "val: validation images",
    };
    let averaged = match config.ema {
        Some(_) => ", avg: the same with averaged weights",
        None => "",
    };
    format!("epochs: loss and accuracy ({train}, {scored}{averaged}), learning rate (lr), time")
}

fn scored_on(is_test: bool) -> &'static str {
    if is_test { "test" } else { "val" }
}

/// Formats a loss of any size.
fn number(loss: f64) -> String {
    match loss.abs() {
        1e4.. => format!("{loss:.2e}"),
        _ => format!("{loss:.4}"),
    }
}

fn learning_rate(rate: f64) -> String {
    match rate.abs() {
        0.0 => "0".to_owned(),
        1e-3..1e4 => format!("{rate:.5}"),
        _ => format!("{rate:.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Event, Started, Step};
    use serde_json::json;

    fn line() -> EpochLine {
        EpochLine {
            epoch: 3,
            epochs: 12,
            train: Some((TRAIN, [0.51, 0.8125])),
            scored: ("val", [0.4, 0.85]),
            averaged: None,
            rate: Some(0.05),
            seconds: 12.34,
            is_best: true,
        }
    }

    #[test]
    fn epoch_line_labels_metrics() {
        assert_eq!(
            line().text(),
            "epoch  3/12  train 0.5100 81.25%  val 0.4000 85.00%  lr 0.05000  12.3 s  best"
        );
        let last = EpochLine {
            train: None,
            rate: Some(0.0),
            is_best: false,
            ..line()
        };
        assert_eq!(last.text(), "epoch  3/12  val 0.4000 85.00%  lr 0  12.3 s");
        let averaged = EpochLine {
            averaged: Some([0.3, 0.9]),
            ..line()
        };
        assert_eq!(
            averaged.text(),
            "epoch  3/12  train 0.5100 81.25%  val 0.4000 85.00%  avg 0.3000 90.00%\n             \
             lr 0.05000  12.3 s  best"
        );
    }

    #[test]
    fn epoch_lines_fit_80_columns() {
        let figures = [
            0.0,
            0.5,
            1.0,
            12.5,
            9999.9,
            1e30,
            -1e300,
            f64::NAN,
            f64::INFINITY,
        ];
        for loss in figures {
            for (epoch, epochs) in [(1, 1), (100, 100), (99_999, 100_000)] {
                for seconds in [0.0, 599.9, 1e5, 1e9] {
                    for averaged in [None, Some([loss, 1.0])] {
                        let line = EpochLine {
                            epoch,
                            epochs,
                            train: Some((SMOOTHED, [loss, 1.0])),
                            scored: ("test", [loss, 1.0]),
                            averaged,
                            rate: Some(loss),
                            seconds,
                            is_best: true,
                        };
                        let text = line.text();
                        assert!(text.starts_with("epoch "), "{text}");
                        for line in text.lines() {
                            assert!(line.len() <= 80, "{text}");
                        }
                    }
                }
            }
        }
        // Usual metrics need no second line.
        for seconds in [0.1, 99.9] {
            let line = EpochLine {
                epochs: 999,
                seconds,
                ..line()
            };
            assert_eq!(line.text().lines().count(), 1, "{}", line.text());
        }
    }

    fn history(config: serde_json::Value, keeps_last: bool) -> History {
        let mut history = History::default();
        history.push(Event::Started(Box::new(Started {
            epochs: 12,
            config,
            keeps_last,
            ..Started::default()
        })));
        history.push(Event::Step(Step {
            seconds: 1.0,
            epoch: 3,
            step: 30,
            metrics: Metrics::from_iter([("rate", 0.05)]),
        }));
        history
    }

    #[test]
    fn lines_from_events_match() {
        let epoch = |train: &[(&str, f64)]| Epoch {
            epoch: 3,
            step: 30,
            took: 12.34,
            train: train.iter().copied().collect(),
            validation: Metrics::from_iter([("loss", 0.4), ("accuracy", 0.85)]),
            best: true,
            ..Epoch::default()
        };
        let smoothed = history(json!({"label_smoothing": 0.1}), false);
        let figures = [("loss", 0.9), ("accuracy", 0.8125), ("cross_entropy", 0.51)];
        let shown = |figures: &[(&str, f64)], history: &History| {
            EpochLine::of_history(&epoch(figures), history).text()
        };
        assert_eq!(shown(&figures, &smoothed), line().text());
        // Events of an older version without this metric.
        let old = shown(&figures[..2], &smoothed);
        assert!(old.contains("  smoothed 0.9000 81.25%  "), "{old}");
        let mixed = history(json!({"augmentation": {"mixup": 0.2}}), false);
        let mixed = shown(&figures[..2], &mixed);
        assert!(mixed.contains("  mixed 0.9000 81.25%  "), "{mixed}");
        // The last epoch is kept, even if another is the best.
        let last = shown(&figures, &history(json!({}), true));
        assert!(last.ends_with("12.3 s"), "{last}");
    }
}
